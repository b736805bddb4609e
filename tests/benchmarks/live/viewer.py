"""A viewer that is no browser: it merges what comes as the page does."""

import json
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.live.gate import PROTOCOL
from tests.benchmarks.live.conftest import Show

WAIT_S = 60.0


def reach(show: Show, token: str | None = None, **headers: str) -> ClientConnection:
    """Open a WebSocket; the headers are those that a browser would send of itself."""
    offered = show.token if token is None else token
    opening = connect(
        show.url.replace("http", "ws") + "/ws",
        subprotocols=[PROTOCOL, f"token.{offered}"],
        additional_headers=headers,
        max_size=None,
        open_timeout=WAIT_S,
    )
    return opening.__enter__()  # whoever asked closes it


class Viewer:
    """Looks at a show."""

    def __init__(self, show: Show, size: tuple[int, int] = (1280, 720)) -> None:
        self.socket = reach(show)
        self.picture: dict[str, Any] = {"layers": {}}
        self.refusals: list[str] = []
        self.ended = ""
        self.say(size=size)

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Return the next message, after taking it in."""
        said: dict[str, Any] = json.loads(self.socket.recv(timeout_s))
        if "refused" in said:
            self.refusals.append(said["refused"])
        elif "ended" in said:
            self.ended = said["ended"]
        elif "number" in said:
            layers = self.picture["layers"] | said["layers"]
            self.picture |= said | {"layers": layers}
        return said

    def wait(self) -> dict[str, Any]:
        """Return the next picture, and do not tell that it is drawn."""
        while "number" not in (said := self.hear()):
            pass
        return said

    def see(self) -> dict[str, Any]:
        """Return the next picture, and tell that it is drawn."""
        said = self.wait()
        self.say(drawn=said["number"])
        return said

    def see_until(self, **state: Any) -> dict[str, Any]:
        """Look on until the state is as described."""
        for _ in range(400):
            found = self.see()
            if all(found["state"][name] == value for name, value in state.items()):
                return found
        raise AssertionError((state, self.picture.get("state")))

    def refusal(self) -> str:
        """Return the next refusal."""
        while not self.refusals:
            said = self.hear()
            if "number" in said:
                self.say(drawn=said["number"])
        return self.refusals.pop()

    def close(self) -> None:
        self.socket.close()
