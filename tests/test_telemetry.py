"""The values that pass between the layers."""

import numpy as np

from metaverse_env.simulator.records import COMMAND
from metaverse_env.telemetry import Command, Records


def records(zones: int) -> Records:
    numbers = np.arange(zones, dtype=np.float32)
    return Records(Command.of(numbers[None, :, None] + [0.25, 100.0, 10.0], 0.1).zones[0])


def test_records_show_their_values() -> None:
    shown = repr(records(2))
    assert shown == "Records(allocation=[[0.25 100. 10.] [1.25 101. 11.]], handover=[0.1 0.1])"


def test_of_many_zones_the_first_and_the_last_are_shown_on_one_line() -> None:
    shown = repr(records(10_000))
    assert "\n" not in shown
    assert len(shown) < 200
    assert shown.startswith("Records(allocation=[[0.25 100. 10.] ")
    assert "10098. 10008.] [9999.25 10099. 10009.]]" in shown
    assert "handover=[0.1 0.1 ... 0.1 0.1]" in shown


def test_one_zone_alone_shows_numbers() -> None:
    assert repr(Records(records(3).array[1])) == "Records(allocation=[1.25 101. 11.], handover=0.1)"


def test_records_are_equal_when_every_byte_is() -> None:
    assert records(3) == records(3)
    assert records(3) != records(2)
    assert Records(np.zeros(1, COMMAND)) != 0
