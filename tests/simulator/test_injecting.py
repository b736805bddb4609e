"""What is done to a running world: its course by hand, the same by seed, and nothing where nothing is done."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError, LifecycleError, UnknownNameError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.events import NO_EVENT, ONSET
from metaverse_env.simulator.injecting import DETECTION_S, Injection
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace

Change = Callable[..., Scenario]
PLENTY = (8.0, 8192.0, 2000.0)


def world_of(scenario: Scenario, seed: int = 0, worlds: int = 1) -> tuple[SimulatedWorld, Command]:
    world = SimulatedWorld(scenario, worlds)
    world.reset(seeds=range(seed, seed + worlds))
    return world, Command.of(np.tile(np.array(PLENTY, dtype=np.float32), (worlds, len(world.zones), 1)))


def exact(calm: Change, **disturbances: Any) -> Scenario:
    """Return the calm world with crowds of six times the arrivals, doubling in a minute, held for 45 s."""
    workload = {"event_hold_s": (45.0, 45.0), "event_decay_s": (150.0, 150.0), "event_per_day": 0.0}
    crowd = {"flash_crowd_peak": (6.0, 6.0), "flash_crowd_doubling_s": (60.0, 60.0), **disturbances}
    base = calm(workload=workload)
    return base.with_changes(disturbances=base.disturbances.model_copy(update=crowd))


def test_a_flash_crowd_by_hand(calm: Change) -> None:
    world, command = world_of(exact(calm))
    assert world.inject(Injection("flash_crowd", 4))
    levels = []
    for _ in range(14):
        world.step(command)
        levels.append(world.state.zones["event_level"][0].copy())
    course = np.exp(levels)[:, 4]
    onset = [min(2.0 ** ((n + 1) / 4), 6.0) for n in range(11)]  # sixfold after log2(6) = 2.6 minutes: 11 ticks
    assert course == pytest.approx([*onset, 6.0, 6.0, 6.0], rel=1e-5)
    others = np.delete(np.array(levels), 4, axis=1)
    assert (others == 0.0).all()


def test_a_flash_crowd_brings_its_multiple_of_arrivals(calm: Change) -> None:
    world, command = world_of(exact(calm), worlds=40)
    for index in range(40):
        assert world.inject(Injection("flash_crowd", 0, world=index))
    arrivals = [world.step(command).outcome.zones["arrivals"][:, :2].sum(axis=0) for _ in range(14)]
    crowded, normal = np.sum(arrivals[-3:], axis=0)
    assert crowded == pytest.approx(6.0 * normal, rel=6.0 / math.sqrt(normal))


def test_one_crowd_at_a_time(calm: Change) -> None:
    world, _ = world_of(exact(calm))
    assert world.inject(Injection("flash_crowd", 4))
    before = world.state.zones.copy()
    assert not world.inject(Injection("flash_crowd", 4))
    assert (world.state.zones == before).all()


def test_the_ranges_of_a_crowd_are_the_scenarios(scenario: Change) -> None:
    world, _ = world_of(scenario(), worlds=50)
    for index in range(50):
        world.inject(Injection("flash_crowd", 7, world=index))
    zones = world.state.zones[:, 7]
    peaks, doubling_s = np.exp(zones["event_peak"]), math.log(2.0) * 15.0 / zones["event_growth"]
    assert (zones["event_stage"] == ONSET).all()
    assert ((peaks > 4.0) & (peaks < 10.0) & (doubling_s > 120.0) & (doubling_s < 180.0)).all()
    assert np.ptp(peaks) > 3.0  # drawn under each world's own key


def test_a_node_fails_and_comes_back_by_hand(calm: Change) -> None:
    # 15 s are over before the failure's first tick ends, so its times count from there: 40 s until it is noticed, then
    # 10 s to restart are 50 s; 40 s and 60 s until there is another node are 100 s
    world, command = world_of(exact(calm, node_replacement_s=(60.0, 60.0)))
    assert world.inject(Injection("node_failure", 1))
    down, lost_s = [], []
    for _ in range(8):
        down.append(world.step(command).outcome.zones["down"][0].copy())
        lost_s.append(float(world.state.nodes["lost_s"][0, 1]))
    hosted = world.zones.node == 1
    assert DETECTION_S == 40.0
    assert np.array(down)[:, hosted].mean(axis=1).tolist() == [1.0] * 4 + [0.0] * 4  # 50, 35, 20, 5 s are left
    assert (np.array(down)[:, ~hosted] == 0.0).all()
    assert lost_s == [100.0, 85.0, 70.0, 55.0, 40.0, 25.0, 10.0, 0.0]
    assert (np.delete(world.state.nodes["lost_s"][0], 1) == 0.0).all()


def test_a_failed_node_admits_nobody_and_lends_half_of_its_capacity(calm: Change) -> None:
    world, command = world_of(exact(calm))
    world.inject(Injection("node_failure", 0))
    zones = world.step(command).outcome.zones[0]
    hosted = world.zones.node == 0
    assert zones["arrivals"][hosted].sum() == 0.0 < zones["arrivals"][~hosted].sum()
    granted = zones["allocation"][hosted].sum(axis=0)
    assert (granted[[0, 2]] <= 0.5 * world.constants.node_capacity[0, [0, 2]] * 1.0001).all()


def test_a_node_can_be_given_back(calm: Change) -> None:
    world, command = world_of(exact(calm))
    assert not world.inject(Injection("node_recovery", 2))
    assert world.inject(Injection("node_failure", 2))
    assert not world.inject(Injection("node_failure", 2))
    world.step(command)
    assert world.inject(Injection("node_recovery", 2))
    assert not world.step(command).outcome.zones["down"].any()
    assert (world.state.nodes["lost_s"] == 0.0).all()


def test_the_same_seed_and_injections_give_the_same_world_alone_or_in_a_batch(scenario: Change) -> None:
    spec = scenario("complex")

    def live(worlds: int, seed: int, place: int) -> np.ndarray:
        world, command = world_of(spec, seed, worlds)
        ticks = []
        for tick in range(12):
            if tick == 3:
                world.inject(Injection("flash_crowd", 5, world=place))
                world.inject(Injection("node_failure", 3, world=place))
            ticks.append(world.step(command).outcome.zones[place].copy())
        return np.stack(ticks)

    alone, again, beside = live(1, 6, 0), live(1, 6, 0), live(3, 4, 2)
    assert alone.tobytes() == again.tobytes() == beside.tobytes()


def test_worlds_beside_are_left_alone(scenario: Change) -> None:
    (one, command), (other, _) = world_of(scenario("complex"), 0, 2), world_of(scenario("complex"), 0, 2)
    one.inject(Injection("flash_crowd", 5, world=1))
    one.inject(Injection("node_failure", 3, world=1))
    for _ in range(5):
        there, here = (world.step(command).outcome.zones for world in (one, other))
    assert there[0].tobytes() == here[0].tobytes()
    assert there[1].tobytes() != here[1].tobytes()


def test_a_fork_lives_through_what_was_injected(scenario: Change) -> None:
    world, command = world_of(scenario())
    world.inject(Injection("flash_crowd", 2))
    twin = world.fork()
    for _ in range(6):
        assert world.step(command).outcome.zones.tobytes() == twin.step(command).outcome.zones.tobytes()


@pytest.mark.parametrize(
    ("injection", "words"),
    [
        (Injection("flash_crowd", 30), "there is no zone 30; give 0 to 29"),
        (Injection("flash_crowd", -1), "there is no zone -1"),
        (Injection("node_failure", 6), "there is no node 6; give 0 to 5"),
        (Injection("node_recovery", 0, world=1), "there is no world 1; give 0 to 0"),
    ],
)
def test_what_is_not_there_is_refused(scenario: Change, injection: Injection, words: str) -> None:
    world, _ = world_of(scenario())
    with pytest.raises(ConfigurationError, match=words):
        world.inject(injection)
    assert (world.state.zones["event_stage"] == NO_EVENT).all()


def test_another_kind_is_refused(scenario: Change) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'flash_crowd'"):
        world_of(scenario())[0].inject(Injection("flash_crowds", 0))  # type: ignore[arg-type]


def test_nothing_before_the_first_reset(scenario: Change) -> None:
    with pytest.raises(LifecycleError, match="node_failure before reset"):
        SimulatedWorld(scenario()).inject(Injection("node_failure", 0))


def test_users_of_a_trace_cannot_be_multiplied(trace_files: dict[str, str]) -> None:
    world = SimulatedWorld("single_zone", 1, "trace", load_trace(trace_files["single"]))
    world.reset(seeds=[0])
    with pytest.raises(ConfigurationError, match="users come from a trace"):
        world.inject(Injection("flash_crowd", 0))
    assert world.inject(Injection("node_failure", 0))
