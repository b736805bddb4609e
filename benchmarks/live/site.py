"""The site: the page's files, a greeting, and the WebSocket on which pictures come and wishes go."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from benchmarks.live.gate import PROTOCOL, Gate
from benchmarks.live.messages import LARGEST
from benchmarks.live.viewers import MOST_VIEWERS, Audience
from metaverse_env.rendering.interface import CONTROLS, KEYS, Control
from metaverse_env.rendering.layout import SMALLEST
from metaverse_env.rendering.wire import WIRE_VERSION
from predictors.server.problems import unavailable

_KINDS: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_INDEX: Final = "index.html"
_LAYER: Final = "layer:"

_BROWSERS_OWN: Final = frozenset({"Tab", "Shift+Tab", "F12"})
"""Keys that stay what they are in a browser: they move the focus, and open its tools."""

_HELP: Final = {
    "unselect": "close the panel of the zone",
    "screenshot": "save the picture as a file",
    "record": "record a film, or end and save it",
    "quit": "end the session for everybody; asks first",
}
"""What differs from a window."""


def page_files() -> dict[str, tuple[bytes, str]]:
    """Return the files of the page and their media types, by the paths at which they are served."""
    found = {}
    for file in files("benchmarks.live").joinpath("page").iterdir():
        kind = _KINDS.get(file.name.rpartition(".")[2])
        if kind is not None:
            found["/" if file.name == _INDEX else f"/{file.name}"] = file.read_bytes(), kind
    return found


def greeting() -> dict[str, Any]:
    """Return what a page has to know before its first picture: the format, the controls, the sizes that are drawn."""
    layers = (Control(f"layer:{name}", (key,), name, f"show or hide: {name}") for key, name in _layer_keys())
    return {
        "wire": WIRE_VERSION,
        "controls": [_in_a_page(control)._asdict() for control in (*CONTROLS, *layers)],
        "smallest": SMALLEST,
        "largest": LARGEST,
    }


def _layer_keys() -> list[tuple[str, str]]:
    return [(key, name.removeprefix(_LAYER)) for key, name in KEYS.items() if name.startswith(_LAYER)]


def _in_a_page(control: Control) -> Control:
    """Return a control as a browser has it: without the keys that are the browser's own."""
    keys = tuple(key for key in control.keys if key not in _BROWSERS_OWN)
    return control._replace(keys=keys, help=_HELP.get(control.name, control.help))


def build_site(
    audience: Audience, token: str, host: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]
) -> Gate:
    """Return the ASGI application.

    Args:
        audience: Who looks.
        token: What they have to know.
        host: What the server was told to listen on.
        lifespan: Runs the session while the application runs.
    """
    page = page_files()

    async def hello(_: Request) -> Response:
        return JSONResponse(greeting())

    async def look(socket: WebSocket) -> None:
        if audience.full:
            refusal = unavailable(f"{MOST_VIEWERS} pages look already, which is the most; close one of them.")
            await socket.send_denial_response(refusal.response("/ws"))
            return
        await socket.accept(subprotocol=PROTOCOL)
        await audience.seat(socket)

    routes: list[BaseRoute] = [_file_route(path, *file) for path, file in page.items()]
    routes += [Route("/hello", hello), WebSocketRoute("/ws", look)]
    app = FastAPI(title="Metaverse live", routes=routes, lifespan=lifespan, openapi_url=None)
    return Gate(app, token, host, frozenset(page))


def _file_route(path: str, content: bytes, kind: str) -> Route:
    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return Route(path, answer)
