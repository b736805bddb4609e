"""A prediction server that is told what zones do, tick by tick: in a thread, so that a picture never waits for it.

The thread takes the newest tick that waits, asks ``/predict`` for the zone that matters and ``/predict/batch`` for the
others, and tells what came back. While the server is away it tries again, each time after twice as long.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from metaverse_env.envs.shell import Shell
from metaverse_env.live.posting import Client, Reply
from metaverse_env.rendering.interface import Message, SourceState

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
"""Time until the next try after the first failure, and at most [choice]."""
MOST_IN_A_BATCH: Final = 256
"""Reports in one call that the server takes."""
MOST_MESSAGES: Final = 64
"""Messages that wait for the ticker; of more, the oldest are dropped [choice]."""
_EMBEDDING: Final = 32
"""Width of an intent that the server takes."""
_OK: Final = 200
_SILENT: Final = ": no answer: "
"""Between what was asked and why nothing came back."""


class Told(NamedTuple):
    """One tick: reports as the server reads them, and which of them matters most."""

    reports: tuple[dict[str, Any], ...]
    focus: int
    time_s: float


class ServerCalls:
    """Tells a server of every tick, or of the newest where it is slower than they come.

    Args:
        url: Of the server, such as ``http://127.0.0.1:8000``.
        key: An API key, if it asks for one.
        timeout_s: For one answer.
        first_wait_s: Until the next try after the first failure.

    Attributes:
        reported: Ticks that the server was to be told.
        delivered: Ticks that it was told, and answered.

    Raises:
        ConfigurationError: No address of a server.
    """

    def __init__(
        self, url: str, key: str | None = None, timeout_s: float = 2.0, first_wait_s: float = FIRST_WAIT_S
    ) -> None:
        self._client, self._first_wait_s = Client(url, key, timeout_s), first_wait_s
        self.url = self._client.url
        self._lock = threading.Condition()
        self._waiting: Told | None = None
        self._messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self._state: tuple[SourceState, str] = ("waiting", "not asked yet")
        self._ending = False
        self.reported = self.delivered = 0
        self._thread = threading.Thread(target=self._run, name="prediction server", daemon=True)
        self._thread.start()

    @property
    def state(self) -> tuple[SourceState, str]:
        """Whether the server answers, and what is wrong if it does not."""
        with self._lock:
            return self._state

    def report(self, shell: Shell, focus: int) -> None:
        """Let the server be told of world 0 as it is now; returns at once.

        Args:
            shell: After a tick.
            focus: The zone whose answer is shown.
        """
        told = Told(reports_of(shell), focus, float(shell.telemetry.weather["time_s"][0]))
        with self._lock:
            self._waiting = told
            self.reported += 1
            self._lock.notify()

    def messages(self) -> Sequence[Message]:
        """Return what the ticker has not been told yet."""
        with self._lock:
            told = tuple(self._messages)
            self._messages.clear()
        return told

    def close(self) -> None:
        """End the thread, after the call that is under way."""
        with self._lock:
            self._ending = True
            self._lock.notify()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        wait_s = self._first_wait_s
        while (told := self._next()) is not None:
            failed = self._tell(told)
            if not failed:
                self.delivered += 1
                wait_s = self._first_wait_s
                continue
            why = failed.partition(_SILENT)[2] or failed
            self._put(("away", f"{why}; next try in {wait_s:g} s"), Message(told.time_s, "server", failed, False))
            self._sleep(wait_s)
            wait_s = min(2.0 * wait_s, LONGEST_WAIT_S)

    def _next(self) -> Told | None:
        """Wait for the newest tick; return ``None`` at the end."""
        with self._lock:
            self._lock.wait_for(lambda: self._ending or self._waiting is not None)
            told, self._waiting = self._waiting, None
            return None if self._ending else told

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._ending, seconds)

    def _put(self, state: tuple[SourceState, str], message: Message) -> None:
        with self._lock:
            self._state = state
            self._messages.append(message)

    def _tell(self, told: Told) -> str:
        """Make the calls of a tick; return what failed, in words."""
        first, others = told.reports[told.focus], [*told.reports[: told.focus], *told.reports[told.focus + 1 :]]
        starts = range(0, len(others), MOST_IN_A_BATCH)
        batches = [("/predict/batch", {"reports": others[start : start + MOST_IN_A_BATCH]}) for start in starts]
        for path, body in [("/predict", first), *batches]:
            start_s = time.monotonic()
            reply = self._client.post(path, body)
            if reply.status != _OK:
                return _refused(path, reply)
            said = _said(path, body, reply.body, 1000.0 * (time.monotonic() - start_s))
            if said is None:
                return f"POST {path}: an answer that is none of a prediction server"
            self._put(("live", ""), Message(told.time_s, "server", said))
        return ""


def reports_of(shell: Shell) -> tuple[dict[str, Any], ...]:
    """Return what zones of world 0 say of themselves, as ``POST /predict`` reads it."""
    telemetry = shell.telemetry
    zones, intents = telemetry.zones[0], telemetry.intents[0]
    return tuple(_report(name, zones[index], intents[index]) for index, name in enumerate(shell.world.zones.names))


def _report(name: str, zone: Any, intent: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"zone_name": name, "active_users": float(zone["users"])}
    amounts = ("cpu_cores", "memory_mb", "bandwidth_mbps")
    if zone["observed"] > 0:
        told["usage"] = dict(zip(amounts, zone["usage"].tolist(), strict=True))
        told["usage"]["latency_ms"] = float(zone["latency_ms"])
    if (zone["allocation"] > 0.0).all():
        told["allocation"] = dict(zip(amounts, zone["allocation"].tolist(), strict=True))
    if zone["signals"] > 0 and len(intent) == _EMBEDDING:
        told["embedding"] = intent.tolist()
    return told


def _refused(path: str, reply: Reply) -> str:
    """Return why there is no prediction."""
    if reply.status is None:
        return f"POST {path}{_SILENT}{reply.reason}"
    detail = reply.body.get("detail", "") if isinstance(reply.body, dict) else ""
    key = "; METAVERSE_API_KEY may hold a key" if reply.status in (401, 403) else ""
    return f"POST {path} {reply.status} {reply.reason}{': ' if detail else ''}{str(detail)[:120]}{key}"


def _said(path: str, asked: dict[str, Any], answer: Any, took_ms: float) -> str | None:
    """Return what an answer says; ``None`` if it is none."""
    try:
        if path == "/predict":
            cores, memory, latency = (float(answer[name]) for name in ("cpu_cores", "memory_mb", "latency_ms"))
            said = f"{asked['zone_name']}, {asked['active_users']:.0f} users: {cores:.2f} cores, {memory:.0f} MB"
            return f"{path} in {took_ms:.0f} ms: {said}, {latency:.0f} ms"
        made = sum("cpu_cores" in one for one in answer["predictions"])
        return f"{path} in {took_ms:.0f} ms: {made} of {len(asked['reports'])} zones"
    except (LookupError, TypeError, ValueError):
        return None
