"""The process around the cycle: signals, what is done after each decision, and an end in good order."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from bridges.clock import SystemClock
from bridges.contracts import Clock
from bridges.controller.cycle import Controller
from bridges.controller.deciding import Decision
from bridges.controller.gate import Switch
from bridges.controller.health import Health
from bridges.controller.sites import Site
from metaverse_env.errors import ClusterError

LOG: Final = logging.getLogger(__name__)


class Stop:
    """Whether the process is asked to end; asking ends what waits with these clocks."""

    def __init__(self, *clocks: SystemClock) -> None:
        self._clocks, self._asked = clocks, threading.Event()

    def ask(self) -> None:
        """Ask it to end."""
        self._asked.set()
        for clock in self._clocks:
            clock.stop()

    def __call__(self) -> bool:
        """Return whether it is asked to end."""
        return self._asked.is_set()


@contextmanager
def obeying(stop: Stop, switch: Switch) -> Iterator[None]:
    """Obey signals meanwhile: SIGTERM and SIGINT end, SIGUSR1 pauses, SIGUSR2 resumes.

    A second SIGINT ends at once. Where signals cannot be had, in another thread, none are obeyed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        if stop() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.ask()

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {
        signal.SIGTERM: end,
        signal.SIGINT: end,
        signal.SIGUSR1: lambda _, __: switch.pause("signal SIGUSR1"),
        signal.SIGUSR2: lambda _, __: switch.resume(),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def when_readable(make: Callable[[], Controller], site: Site, health: Health, stop: Stop, tick_s: float) -> Controller:
    """Make a controller as soon as its cluster can be read; meanwhile readiness says why it cannot.

    So a right that is granted late, and a server that comes late, need no restart, and ``/readyz`` names what lacks.

    Args:
        make: Reads the cluster.
        site: Where it is.
        health: Told what is missing.
        stop: Whether the process is asked to end.
        tick_s: Between two tries, s.

    Raises:
        ClusterError: It was asked to end before.
        ConfigurationError: What no waiting makes good, such as a canary zone that is not there.
    """
    while not stop():
        try:
            return make()
        except ClusterError as error:
            health.trouble, health.missing = f"the cluster cannot be read: {error}", site.missing()
            health.beat()
            LOG.warning("%s; trying again in %g s", "; ".join((health.trouble, *health.missing)), tick_s)
        site.clock.wait_until(site.clock.monotonic_s() + tick_s)
    raise ClusterError(f"asked to end before the first cycle: {health.trouble}")


def run(
    controller: Controller,
    clock: Clock,
    done: Callable[[Decision, float], None],
    cycles: int | None = None,
) -> int:
    """Go on until it is asked to end, whose record is the last, or for so many cycles; return how many there were.

    The lease is given back in the end, after the last write, whatever happened.

    Args:
        controller: Decides.
        clock: Tells how long a cycle took.
        done: Called after every cycle with its decision and the seconds that it took, the wait for its tick left out.
        cycles: How many at most.
    """
    leadership = controller.gate.leadership
    leadership.start()
    try:
        while controller.state.mode != "off" or not controller.cycles:
            decision = controller.cycle()
            done(decision, max(0.0, clock.monotonic_s() - decision.inputs.moment.monotonic_s))
            if cycles is not None and controller.cycles >= cycles:
                break
    finally:
        leadership.stop()
        controller.policy.close()
        controller.heuristic.close()
    return controller.cycles
