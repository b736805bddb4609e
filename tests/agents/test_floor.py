"""The floor under a learned policy's memory: raised by a kill, kept for ten minutes, and never beyond the limits."""

import numpy as np
import pytest

from agents.floor import KEPT_S, MemoryFloor
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from tests.agents.views import LIMITS, make_view

ASKED = (1.0, 300.0, 10.0)


def seen(restarts: float, memory_mb: float = 1000.0, ready: float = 1.0) -> View:
    return make_view([0.1, 50.0, 1.0], [2.0, memory_mb, 20.0], restarts=restarts, ready=ready)


def raised(floor: MemoryFloor, view: View) -> list[float]:
    return [float(value) for value in floor.under(Command.of([[ASKED]], 0.25), view).allocation[0, 0]]


def test_nothing_is_raised_without_a_kill() -> None:
    floor = MemoryFloor()
    assert raised(floor, seen(0.0)) == list(ASKED)
    assert raised(floor, seen(0.0)) == list(ASKED)


def test_restarts_of_the_past_count_for_nothing() -> None:
    assert raised(MemoryFloor(), seen(5.0)) == list(ASKED)


@pytest.mark.parametrize(("had_mb", "needed_mb"), [(1000.0, 1200.0), (300.0, 404.8576)])
def test_a_kill_asks_for_more_than_the_zone_had(had_mb: float, needed_mb: float) -> None:
    floor = MemoryFloor()
    raised(floor, seen(0.0, had_mb))
    assert raised(floor, seen(1.0, 256.0)) == [1.0, pytest.approx(needed_mb), 10.0]
    assert raised(floor, seen(1.0, 256.0))[1] == pytest.approx(needed_mb)


def test_the_floor_goes_after_its_time() -> None:
    floor = MemoryFloor()
    raised(floor, seen(0.0))
    for _ in range(1 + int(KEPT_S / 15.0)):
        assert raised(floor, seen(1.0))[1] == pytest.approx(1200.0)
    assert raised(floor, seen(1.0))[1] == ASKED[1]


def test_a_second_kill_raises_it_further() -> None:
    floor = MemoryFloor()
    raised(floor, seen(0.0, 1000.0))
    raised(floor, seen(1.0, 1200.0))
    assert raised(floor, seen(2.0, 1200.0))[1] == pytest.approx(1440.0)


def test_limits_hold() -> None:
    floor = MemoryFloor()
    raised(floor, seen(0.0, 32_000.0))
    assert raised(floor, seen(1.0))[1] == LIMITS[1, 1]


def test_a_zone_that_does_not_serve_keeps_what_was_asked_for() -> None:
    assert raised(MemoryFloor(), seen(0.0, ready=0.0)) == [2.0, 1000.0, 20.0]


def test_the_share_handed_over_stays() -> None:
    found = MemoryFloor().under(Command.of([[ASKED]], 0.25), seen(0.0))
    np.testing.assert_array_equal(found.handover, [[0.25]])
