"""The machine's clock: who waits with it can be woken, once, or told to stop, for good."""

import threading
import time

from bridges.clock import SystemClock


def waiting(clock: SystemClock, seconds: float) -> tuple[threading.Thread, threading.Event]:
    """Return a thread that waits for so long, and what it sets before."""
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        clock.wait_until(clock.monotonic_s() + seconds)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread, begun


def waited_s(clock: SystemClock, seconds: float) -> float:
    start_s = time.monotonic()
    clock.wait_until(clock.monotonic_s() + seconds)
    return time.monotonic() - start_s


def test_who_is_woken_does_not_wait_to_the_end_and_who_waits_later_does() -> None:
    clock = SystemClock()
    thread, begun = waiting(clock, 60.0)
    assert begun.wait(10.0)
    while thread.is_alive():
        clock.wake()
        thread.join(0.01)
    assert not clock.stopped
    assert waited_s(clock, 0.1) >= 0.1


def test_who_is_told_to_stop_does_not_wait_any_more() -> None:
    clock = SystemClock()
    thread, begun = waiting(clock, 60.0)
    assert begun.wait(10.0)
    clock.stop()
    thread.join(10.0)
    assert not thread.is_alive()
    assert clock.stopped
    assert waited_s(clock, 60.0) < 10.0
