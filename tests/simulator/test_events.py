"""Events and flash crowds: their course by hand, their rate and their ranges by count."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import events
from metaverse_env.simulator.constants import event_chance_per_tick
from metaverse_env.simulator.records import ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]
LIMIT = 4.0
KEY = np.uint64(7)
PLENTY = (8.0, 8192.0, 2000.0)


def test_an_event_by_hand(blank: Any, rules: Any) -> None:
    rules["event_peak"], rules["event_doubling_s"] = (4.0, 4.0), (60.0, 60.0)
    rules["event_hold_s"], rules["event_decay_s"] = (45.0, 45.0), (150.0, 150.0)
    zone = blank(ZONE_STATE)
    events.begin_event(zone, KEY, rules["event_peak"], rules["event_doubling_s"], rules)
    levels = []
    for _ in range(22):
        events.advance_event(zone, KEY, rules)
        levels.append(float(zone["event_level"]))
    onset = [2.0 ** ((n + 1) / 4) for n in range(8)]  # doubles in four ticks, so twice that to the fourfold
    decay = [1.0 + 3.0 * math.exp(-0.1 * (n + 1)) for n in range(11)]
    assert np.exp(levels) == pytest.approx(onset + [4.0] * 3 + decay, rel=1e-5)


def test_an_event_ends_and_another_can_begin(blank: Any, rules: Any) -> None:
    rules["event_per_day"], rules["event_decay_s"] = 0.0, (150.0, 150.0)
    zone = blank(ZONE_STATE, event_stage=events.DECAY, event_level=0.05, event_decay=0.1)
    for _ in range(10):
        events.advance_event(zone, KEY, rules)
    assert zone["event_stage"] == events.NO_EVENT
    assert zone["event_level"] == 0.0


def test_events_begin_at_their_rate_and_with_constants_in_their_ranges(scenario: Change) -> None:
    spec = scenario(workload={"event_per_day": 40.0}, disturbances={"flash_crowd_per_day": 20.0})
    world = SimulatedWorld(spec, 20)
    world.reset(seeds=range(20))
    command, zones = Command.of(np.tile(PLENTY, (20, 30, 1))), world.state.zones
    begun = flashes = quiet = 0
    for _ in range(60):
        quiet_before = zones["event_stage"] == events.NO_EVENT
        world.step(command)
        began = quiet_before & (zones["event_stage"] == events.ONSET)
        doubling_s = math.log(2.0) * 15.0 / zones["event_growth"][began]
        flash = doubling_s < 300.0
        quiet, begun, flashes = quiet + quiet_before.sum(), begun + (~flash).sum(), flashes + flash.sum()
        peaks = np.exp(zones["event_peak"][began])
        assert ((doubling_s > 120.0) & (doubling_s < 180.0) | (doubling_s > 600.0) & (doubling_s < 1200.0)).all()
        assert ((peaks > 3.0) & (peaks < 10.0)).all()
    for count, per_day in ((begun, 40.0), (flashes, 20.0)):
        expected = quiet * event_chance_per_tick(per_day, 15.0)
        assert abs(count - expected) < LIMIT * math.sqrt(expected)
