"""A simulated world as a whole: its seeds, its start, and that large batches equal small ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError, LifecycleError, UnknownNameError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.constants import build_constants
from metaverse_env.simulator.records import WORLD_STATE
from metaverse_env.simulator.seeding import seed_worlds
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]


def fresh(worlds: int) -> np.ndarray:
    records = np.zeros(worlds, dtype=WORLD_STATE)
    records["episode"] = -1
    return records


def everyone(records: np.ndarray) -> np.ndarray:
    return np.ones(len(records), dtype=np.bool_)


def test_a_seed_starts_its_first_episode_and_none_goes_on() -> None:
    records = fresh(2)
    seed_worlds(records, everyone(records), [4, 2**64 - 1])
    assert records["seed"].tolist() == records["noise_seed"].tolist() == [4, 2**64 - 1]
    assert records["episode"].tolist() == [0, 0]
    seed_worlds(records, np.array([True, False]), [None, 9])
    assert records["seed"].tolist() == [4, 2**64 - 1]
    assert records["episode"].tolist() == [1, 0]


def test_without_a_seed_one_is_drawn() -> None:
    records = fresh(3)
    seed_worlds(records, everyone(records), [None] * 3)
    assert len(set(records["seed"].tolist())) == 3
    assert (records["noise_seed"] == records["seed"]).all()
    assert records["episode"].tolist() == [0, 0, 0]


def test_noise_seeds_count_with_and_without_seeds() -> None:
    records = fresh(2)
    seed_worlds(records, everyone(records), [4, 5], [40, 50])
    seed_worlds(records, everyone(records), [None, None], [60, 70])
    assert records["seed"].tolist() == [4, 5]
    assert records["noise_seed"].tolist() == [60, 70]
    assert records["episode"].tolist() == [1, 1]
    seed_worlds(records, everyone(records), [4, 5])
    assert records["noise_seed"].tolist() == [4, 5]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "7", True, np.float64(3.0)])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    records = fresh(1)
    with pytest.raises(ConfigurationError, match=r"must be a whole number from 0 to 2\^64 - 1, or None"):
        seed_worlds(records, everyone(records), [seed])


def test_a_seed_may_be_numpys() -> None:
    records = fresh(1)
    seed_worlds(records, everyone(records), [np.int32(7)])
    assert records["seed"][0] == 7


@pytest.mark.parametrize(("seeds", "noise"), [([1], None), ([1, 2, 3], None), ([1, 2], [3])])
def test_there_are_as_many_seeds_as_worlds(seeds: list[int | None], noise: list[int] | None) -> None:
    records = fresh(2)
    with pytest.raises(ConfigurationError, match=r"needs 2 .*seeds, one per world, got"):
        seed_worlds(records, everyone(records), seeds, noise)


def test_the_first_intents_are_none_whatever_memory_held() -> None:
    """Large batches take memory that is not cleared; dirty some of the same size first."""
    world = SimulatedWorld("multi_zone", worlds=300, intents=True)
    for _ in range(3):
        dirty = [np.full(300 * 30 * size, 7.0, dtype=np.float32) for size in (32, 64, 128, 256)]
        del dirty
        assert not world.reset(seeds=range(300)).intents.any()


def test_a_refused_reset_changes_nothing() -> None:
    world = SimulatedWorld("single_zone", 2)
    with pytest.raises(LifecycleError):
        world.reset(seeds=[1, 2], worlds=np.array([True, False]))
    assert world.state.worlds["episode"].tolist() == [-1, -1]


def test_unknown_dynamics_and_too_few_worlds() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'physics'"):
        SimulatedWorld("single_zone", 1, "physic")
    with pytest.raises(ConfigurationError, match="worlds must be at least 1, got 0"):
        SimulatedWorld("single_zone", 0)


def test_a_row_of_many_is_the_world_alone() -> None:
    many, alone = SimulatedWorld("complex", 40, intents=True), SimulatedWorld("complex", 1, intents=True)
    first, single = many.reset(seeds=range(40)), alone.reset(seeds=[23])
    for _ in range(30):
        assert first.zones[23].tobytes() == single.zones[0].tobytes()
        assert first.intents[23].tobytes() == single.intents[0].tobytes()
        first = many.step(Command.of(1.1 * first.allocation, 0.1)).telemetry
        single = alone.step(Command.of(1.1 * single.allocation, 0.1)).telemetry


@pytest.mark.parametrize("dynamics", ["physics", "stgnn"])
def test_nothing_is_read_before_it_is_written(poison: Callable[[], None], dynamics: str) -> None:
    def episode() -> list[bytes]:
        world = SimulatedWorld("complex", 2, dynamics, intents=True)
        telemetry, seen = world.reset(seeds=[0, 1]), []
        for tick in range(40):
            seen += [array.tobytes() for array in (telemetry.zones, telemetry.intents)]
            seen += [telemetry.weather[name].tobytes() for name in ("time_s", "price_factor")]
            telemetry, outcome, _ = world.step(Command.of(telemetry.allocation * (1.5 if tick % 2 else 0.5), 0.1))
            seen += [outcome.zones.tobytes()]
        return seen

    clean = episode()
    poison()
    assert episode() == clean


def test_a_day_of_a_world_is_finite(scenario: Change) -> None:
    world = SimulatedWorld(scenario("complex"), 4)
    telemetry, random = world.reset(seeds=range(4)), np.random.default_rng(0)
    for _ in range(5760):
        factors = random.choice([0.7, 0.9, 1.0, 1.2, 1.5], size=telemetry.allocation.shape)
        tick = world.step(Command.of(np.clip(telemetry.zones["pending"] * factors, 1.0, 1e4), 0.25))
        telemetry = tick.telemetry
    for record in (telemetry.zones, tick.outcome.zones, world.state.zones, world.state.nodes):
        for name in record.dtype.names or ():
            assert np.isfinite(record[name]).all(), name


def test_initial_allocations_follow_the_utilisation_asked_for(calm: Change) -> None:
    world = SimulatedWorld(calm(actuation={"initial_utilisation": (0.5, 0.5)}), 3)
    telemetry = world.reset(seeds=range(3))
    assert telemetry.allocation[..., 1] == pytest.approx(2.0 * (400.0 + 6.0 * telemetry.users), rel=1e-5)


def test_a_world_starts_within_the_memory_of_its_nodes(scenario: Change) -> None:
    for scaling in ("vertical", "horizontal"):
        spec = scenario(scaling=scaling, layout={"node_headroom": 1.0}, actuation={"initial_utilisation": (0.3, 0.4)})
        world = SimulatedWorld(spec, 50)
        telemetry = world.reset(seeds=range(50))
        total = np.zeros((50, world.zones.nodes))
        np.add.at(total, (slice(None), world.zones.node), telemetry.allocation[..., 1])
        capacity = world.constants.node_capacity[:, 1]
        asked = 400.0 + 6.0 * telemetry.users
        assert (total <= capacity * (1.0 + 1e-5)).all()
        assert (total > 0.9 * capacity).any()
        assert (telemetry.allocation[..., 1] >= 0.5 * asked).all()


def test_prices_wander_only_where_they_may(scenario: Change) -> None:
    for sigma, expected in ((0.0, 0.0), (0.3, 0.15)):
        world = SimulatedWorld(scenario(layout={"zones": 2}, disturbances={"price_sigma": sigma}), 2000)
        command = Command.of(world.reset(seeds=range(2000)).allocation)
        for _ in range(60):
            weather = world.step(command).telemetry.weather
        assert np.log(weather["price_factor"]).std() == pytest.approx(expected, abs=0.01)


def test_constants_of_one_layout_do_not_depend_on_the_weather(scenario: Change) -> None:
    one, other = (build_constants(scenario(name)) for name in ("multi_zone", "complex"))
    assert one.zones.tobytes() == other.zones.tobytes()
    assert np.array_equal(one.log_rate, other.log_rate)
    assert one.rules.dtype == other.rules.dtype == build_constants(scenario("single_zone")).rules.dtype


def test_the_layout_seed_draws_another_world(scenario: Change) -> None:
    one, other = (build_constants(scenario(layout={"seed": seed})) for seed in (0, 1))
    assert sorted(one.zones["mean_users"]) == pytest.approx(sorted(other.zones["mean_users"]))
    assert not np.array_equal(one.zones["mean_users"], other.zones["mean_users"])
    assert not np.array_equal(one.zones["base_rtt_ms"], other.zones["base_rtt_ms"])
