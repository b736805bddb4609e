"""Those who look: each has a size, is sent the newest picture of that size, and takes the next once it showed one.

What is not shown yet is at most two pictures a viewer, whatever lies between it and here: a slow one is sent fewer, and
no queue grows, neither here nor in its browser.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.live.messages import Drawn, Resize, Size, parse
from benchmarks.live.pictures import Picture
from benchmarks.live.stage import Stage
from metaverse_env.errors import ConfigurationError
from metaverse_env.live.session import Session

MOST_VIEWERS: Final = 16
"""Viewers at once [choice]; each size among them is drawn apart."""

MOST_IN_FLIGHT: Final = 2
"""Pictures on their way to a viewer [choice]: one is being shown while the next one travels."""

DONE: Final = 1000
"""Code with which a connection is closed that is not to be opened again."""
LEAVING_S: Final = 1.0
"""How long viewers have to leave when the session has ended, s [choice]."""
_LOOK_S: Final = 0.05

ENDED: Final = "The session has ended."
BEAT_S: Final = 2.0
"""How often a viewer is told at least that the server is there, s [choice]: a page waits for three of these."""
_BEAT: Final = json.dumps({})

BUSY: Final = "too much at once: the session has not come to what was asked before; ask again"


class Audience:
    """All viewers of a session, and the stage on which it runs. Lives in the event loop.

    Args:
        session: What they look at.
        seconds: How long; ``None`` until somebody ends it.
    """

    def __init__(self, session: Session, seconds: float | None = None) -> None:
        self.stage = Stage(session, self.news, seconds)
        self._viewers: set[Viewer] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the session run; viewers may come."""
        self._loop = loop
        self.stage.start()

    def news(self) -> None:
        """Let everyone look for another picture. May be called from any thread while the loop runs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def dismiss(self) -> None:
        """Tell everyone that the session has ended; close the connections of those who then do not do so themselves.

        Who closes first matters: a connection that is closed here while a message comes is reset, and with it goes
        what its viewer has not read yet.
        """
        error = self.stage.error
        why = ENDED if error is None else f"{ENDED} It failed: {type(error).__name__}: {error}"
        for viewer in self._viewers:
            viewer.end(why)
        for _ in range(round(LEAVING_S / _LOOK_S)):
            if not self._viewers:
                return
            await asyncio.sleep(_LOOK_S)
        for viewer in list(self._viewers):
            await viewer.close()

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self._viewers) >= MOST_VIEWERS

    async def seat(self, socket: WebSocket) -> None:
        """Show the stage to a viewer, and let it steer, until it leaves."""
        viewer = Viewer(socket, self.stage, self._tell_wishes)
        self._viewers.add(viewer)
        try:
            await viewer.attend()
        except WebSocketDisconnect:
            pass  # how every visit ends
        finally:
            self._viewers.discard(viewer)
            self._tell_wishes()

    def _wake(self) -> None:
        for viewer in self._viewers:
            viewer.fresh.set()

    def _tell_wishes(self) -> None:
        wanted: dict[Size, bool] = {}
        for viewer in self._viewers:
            if viewer.size is not None:
                wanted[viewer.size] = wanted.get(viewer.size, False) or viewer.ready
        self.stage.wanted = wanted


class Viewer:
    """One who looks.

    Args:
        socket: Accepted.
        stage: What it looks at.
        changed: Called when it wants something else, or can take more.
    """

    def __init__(self, socket: WebSocket, stage: Stage, changed: Callable[[], None]) -> None:
        self.size: Size | None = None
        self.fresh = asyncio.Event()
        self._socket, self._stage, self._changed = socket, stage, changed
        self._shown: Picture | None = None
        self._trouble = self._refusal = self._ended = ""
        self._in_flight: deque[int] = deque()

    @property
    def ready(self) -> bool:
        """Whether it may be sent another picture."""
        return len(self._in_flight) < MOST_IN_FLIGHT

    async def attend(self) -> None:
        """Send pictures and take messages until the viewer leaves.

        Raises:
            WebSocketDisconnect: It left.
        """
        sending = asyncio.ensure_future(self._send())
        try:
            while True:
                self._take(await self._socket.receive())
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def end(self, why: str) -> None:
        """Tell that there will be nothing more."""
        self._ended = why
        self.fresh.set()

    async def close(self) -> None:
        """Close the connection for good."""
        await self._socket.close(DONE, ENDED)

    async def _send(self) -> None:
        """Send what there is, or that there is nothing; while the connection takes nothing, wait with it."""
        while True:
            try:
                await asyncio.wait_for(self.fresh.wait(), BEAT_S)
            except TimeoutError:
                await self._socket.send_text(_BEAT)
                continue
            self.fresh.clear()
            for text in self._news():
                await self._socket.send_text(text)

    def _news(self) -> Iterator[str]:
        if self._refusal:
            refusal, self._refusal = self._refusal, ""
            yield json.dumps({"refused": refusal})
        picture = None if self.size is None else self._stage.pictures.get(self.size)
        trouble = picture if isinstance(picture, str) else ""
        if trouble != self._trouble:
            self._trouble = trouble
            yield json.dumps({"trouble": trouble})
        if self._ended:
            yield json.dumps({"ended": self._ended})
        elif isinstance(picture, Picture) and picture is not self._shown and self.ready:
            text = picture.message(self._shown)
            self._shown = picture
            self._in_flight.append(picture.number)
            self._changed()
            yield text

    def _take(self, event: Mapping[str, Any]) -> None:
        """Do what a message says, or answer why not.

        Raises:
            WebSocketDisconnect: There will be no more messages.
        """
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1000))
        try:
            message = parse(event.get("text"))
        except ConfigurationError as refusal:
            self._refuse(str(refusal))
            return
        if isinstance(message, Drawn):
            self._drew(message.number)
        elif isinstance(message, Resize):
            self.size = message.size
            self._changed()
            self.fresh.set()
        elif self.size is None:
            self._refuse('say first how large the picture is, such as {"size": [1280, 720]}')
        else:
            loop = asyncio.get_running_loop()
            if not self._stage.ask(message, lambda why: _later(loop, self._refuse, why)):
                self._refuse(BUSY)

    def _drew(self, number: int) -> None:
        while self._in_flight and self._in_flight[0] <= number:
            self._in_flight.popleft()
        self._changed()
        self.fresh.set()

    def _refuse(self, why: str) -> None:
        """Tell why something is not done; of several reasons at once the last one, so that none pile up."""
        self._refusal = why
        self.fresh.set()


def _later(loop: asyncio.AbstractEventLoop, function: Callable[[str], None], why: str) -> None:
    """Call a function in the event loop, from another thread."""
    loop.call_soon_threadsafe(function, why)
