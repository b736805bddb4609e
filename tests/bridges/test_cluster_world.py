"""A cluster is a world: the same contract, environments and observation as a simulation, and it only looks unless told."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from bridges.asking import changes_of
from bridges.clock import ManualClock
from bridges.cluster import REPORT_KEYS, ClusterWorld
from bridges.contracts import Amounts, Bounds, Change, Node, Pod, Reading, Readings, Receipt, Snapshot, Workload
from bridges.dryrun import DryRunCluster
from bridges.errors import UnavailableError
from metaverse_env import parallel_env
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Telemetry, Tick
from metaverse_env.testing import check_world

with warnings.catch_warnings():  # PettingZoo's own games are out of date
    warnings.simplefilter("ignore")
    from pettingzoo.test import parallel_api_test

SIZE = Amounts(1.0, 1024.0)


def zones(count: int) -> Scenario:
    plain = load_scenario("multi_zone")
    return plain.with_changes(layout=plain.layout.model_copy(update={"zones": count}))


class LetThrough:
    """A shield that clamps nothing, and remembers what it was told."""

    def __init__(self, world_of: Any = None) -> None:
        self.told: list[Receipt] = []
        self.world: Any = world_of

    def project(
        self, command: Command, snapshot: Snapshot, readings: Readings, now_s: float
    ) -> tuple[tuple[Change, ...], tuple[Any, ...]]:
        handed = np.zeros(len(self.world.zones))
        return changes_of(command, snapshot, self.world.zones, self.world.scenario, handed), ()

    def wrote(self, receipts: Sequence[Receipt], now_s: float) -> None:
        self.told += receipts


def make_world(cluster: DryRunCluster, *, apply: bool = False, **arguments: Any) -> ClusterWorld:
    shield = LetThrough() if apply else None
    world = ClusterWorld(cluster, cluster.telemetry, clock=cluster.clock, apply=apply, shield=shield, **arguments)
    if shield is not None:
        shield.world = world
    return world


@pytest.fixture
def cluster() -> DryRunCluster:
    return DryRunCluster(zones(3), amounts=SIZE)


@pytest.mark.parametrize("apply", [False, True])
def test_keeps_the_contract_of_worlds(cluster: DryRunCluster, apply: bool) -> None:
    check_world(make_world(cluster, apply=apply), deterministic=False)


def test_only_looks_unless_told(cluster: DryRunCluster) -> None:
    world = make_world(cluster)
    start = world.reset(seeds=[3])
    tick = world.step(Command.of(2.0 * start.allocation))
    assert tick.report is not None
    assert [change.zone for change in tick.report["changes"]] == ["zone-1", "zone-2", "zone-3"]
    assert tick.report["receipts"] == ()
    assert cluster.written == []
    assert (tick.telemetry.zones["pending"] == start.zones["pending"]).all()
    assert set(tick.report) == set(REPORT_KEYS)


def test_a_reset_writes_nothing(cluster: DryRunCluster) -> None:
    world = make_world(cluster, apply=True)
    for seed in range(3):
        world.reset(seeds=[seed])
    assert cluster.written == []


def test_applies_what_the_shield_lets_through(cluster: DryRunCluster) -> None:
    world = make_world(cluster, apply=True)
    start = world.reset(seeds=[None])
    command = Command.of(start.allocation.copy())
    command.allocation[0, 0, 0] = 2.0
    tick = world.step(command)
    assert [receipt.result for receipt in tick.report["receipts"]] == ["written"]
    assert tick.outcome.zones["changed"].tolist() == [[1.0, 0.0, 0.0]]
    tick = world.step(command)
    assert tick.report["changes"] == ()
    assert tick.telemetry.allocation[0, 0].tolist()[:2] == [2.0, 1024.0]


def test_what_is_applied_passes_a_shield_even_if_none_is_given(cluster: DryRunCluster) -> None:
    world = ClusterWorld(cluster, cluster.telemetry, clock=cluster.clock, apply=True)
    world.step(Command.of(world.reset(seeds=[None]).allocation))
    tick = world.step(Command.of([[[900.0, 1024.0, 100.0]] * 3]))
    assert tick.report["clamps"]
    assert all(one.change.requests.cpu_cores < 20.0 for one in cluster.written if one.change.requests)


def test_no_zone_no_world() -> None:
    cluster = DryRunCluster(zones(1))
    cluster.delete("zone-1")
    with pytest.raises(ConfigurationError, match="no zone"):
        make_world(cluster)


def test_step_comes_after_reset(cluster: DryRunCluster) -> None:
    with pytest.raises(LifecycleError, match="reset"):
        make_world(cluster).step(Command.of(np.ones((1, 3, 3))))


@pytest.mark.parametrize("name", ["Metaverse/MultiZone-v0", "Metaverse/Complex-v0"])
def test_gymnasium_runs_on_a_cluster(cluster: DryRunCluster, name: str) -> None:
    spec = replace(gym.spec(name), nondeterministic=True)  # no seed repeats a cluster
    env = gym.make(spec, world=make_world(cluster, apply=True), forecaster="none")
    check_env(env.unwrapped, skip_render_check=True, skip_close_check=True)
    _, info = env.reset(seed=0)
    assert "report" not in info
    *_, info = env.step(env.action_space.sample())
    assert info["report"]["skipped_ticks"] == 0
    env.close()


def test_a_single_zone_takes_one_number() -> None:
    cluster = DryRunCluster("single_zone", amounts=SIZE)
    env = gym.make("Metaverse/SingleZone-v0", world=make_world(cluster), forecaster="persistence")
    assert isinstance(env.action_space, gym.spaces.Discrete)
    env.reset(seed=0)
    assert env.step(env.action_space.sample())[1] < 0.0
    env.close()


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_teams_run_on_a_cluster(cluster: DryRunCluster) -> None:
    env = parallel_env(world=make_world(cluster, apply=True), forecaster="none", max_episode_steps=20)
    parallel_api_test(env, num_cycles=30)
    env.reset(seed=0)
    infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})[-1]
    assert infos["zone-1"]["report"]["gone"] == ()
    env.close()


class Mirror:
    """A cluster and a source that show exactly what a simulation told."""

    def __init__(self, world: SimulatedWorld, telemetry: Telemetry, clock: ManualClock) -> None:
        self.world, self.telemetry, self.clock = world, telemetry, clock
        self.restarted = np.zeros(len(world.zones))

    def read_cluster(self) -> Snapshot:
        rows = self.telemetry.zones[0]
        found = tuple(self._workload(index, row) for index, row in enumerate(rows))
        nodes = tuple(
            Node(f"{i:03}", Amounts(1.0, None), Amounts(1.0 - float(r["node_free"]), None)) for i, r in enumerate(rows)
        )
        return Snapshot(found, nodes, Bounds(), self.clock.monotonic_s())

    def _workload(self, index: int, row: Any) -> Workload:
        pending, has = row["pending"].tolist(), row["allocation"].tolist()
        pod = Pod(
            f"p{index}",
            f"{index:03}",
            ready=bool(row["ready"]),
            limits=Amounts(*has[:2]),
            restarts=int(row["restarts"]),
        )
        wants = Amounts(*pending[:2])
        name = self.world.zones.names[index]
        return Workload(name, "n", name, "u", "c", "1", 1, 1, wants, wants, bandwidth_mbps=pending[2], pods=(pod,))

    def write(self, *_: Any) -> tuple[Receipt, ...]:
        raise AssertionError("a mirror is not written to")

    def read(self, *arguments: Any) -> Any:
        return self.measure() if arguments else self.read_cluster()

    def measure(self) -> Readings:
        names = ("users", "latency_p50_ms", "latency_ms", "latency_p99_ms")
        readings = {}
        for name, row in zip(self.world.zones.names, self.telemetry.zones[0], strict=True):
            values = {field: row[field] for field in names} | dict(
                zip(("cpu_cores", "memory_mb", "bandwidth_mbps"), row["usage"], strict=True)
            )
            quality = "fresh" if row["observed"] else "stale"
            readings[name] = {k: Reading(float(v), float(row["age_s"]), quality) for k, v in values.items()}
        return readings


def test_equal_telemetry_gives_an_equal_observation() -> None:
    complex_ = load_scenario("complex")
    monitoring = complex_.monitoring.model_copy(update={"missing_per_h": 30.0})
    scenario = complex_.with_changes(layout=zones(5).layout, monitoring=monitoring)
    simulation = SimulatedWorld(scenario)
    simulated = Shell(scenario, world=simulation, forecaster="none")
    ticks: list[Telemetry] = []
    clock = ManualClock(unix_s=4 * 86_400.0)
    mirror = Mirror(simulation, simulation.reset(seeds=[0]), clock)
    world = ClusterWorld(mirror, mirror, scenario=scenario, clock=clock, neighbours=near(simulation))  # type: ignore[arg-type]
    real = Shell("multi_zone", world=world, forecaster="none")
    observed = simulated.reset([0])  # a start at which every zone is measured
    assert simulated.telemetry.observed.all()
    mirror.telemetry = simulated.telemetry
    shown = real.reset([None])
    for _ in range(40):
        assert of_zones(shown, real).tolist() == of_zones(observed, real).tolist()
        command = Command.of(simulated.telemetry.zones["pending"])
        observed = simulated.command(command).observation
        mirror.telemetry = simulated.telemetry
        ticks.append(simulated.telemetry)
        shown = real.command(command).observation
    assert any((tick.zones["observed"] == 0).any() for tick in ticks)


def near(world: SimulatedWorld) -> Mapping[str, Sequence[str]]:
    names = world.zones.names
    return {names[z]: [names[o] for o in row if o >= 0] for z, row in enumerate(world.zones.neighbours)}


def of_zones(observation: Any, shell: Shell) -> Any:
    """Leave out the time of the week and the price, which a cluster takes from the clock."""
    return observation[0, : len(shell.world.zones) * len(shell.observer.zone_features)]


def test_a_late_step_skips_ticks_and_says_so(cluster: DryRunCluster) -> None:
    world = make_world(cluster)
    command = Command.of(world.reset(seeds=[None]).allocation)
    assert isinstance(cluster.clock, ManualClock)
    tick = world.step(command)
    assert (tick.report["tick"], tick.report["skipped_ticks"]) == (1, 0)
    cluster.clock.advance(40.0)  # at 55 s: the ticks of 30 and 45 s are over
    tick = world.step(command)
    assert (tick.report["tick"], tick.report["skipped_ticks"]) == (4, 2)
    assert cluster.clock.monotonic_s() == 60.0
    assert world.step(command).report["skipped_ticks"] == 0


def test_silence_is_held_aged_marked_and_named(cluster: DryRunCluster) -> None:
    world = make_world(cluster)
    world.reset(seeds=[None])
    before = world.step(hold(world)).telemetry
    cluster.faults.silent.add("zone-2")
    tick = world.step(hold(world))
    now = tick.telemetry
    assert now.observed.tolist() == [[True, False, True]]
    assert now.users[0, 1] == before.users[0, 1]
    assert now.zones["age_s"][0, 1] == pytest.approx(before.zones["age_s"][0, 1] + 15.0)
    assert set(tick.report["held"]) == {"zone-2"}
    assert tick.outcome.zones["users"][0, 1] == before.users[0, 1]


def hold(world: ClusterWorld) -> Command:
    snapshot = world.snapshot
    return Command.of([[[*w.ceiling, w.bandwidth_mbps] for w in snapshot.workloads]])


def test_the_reward_of_silence_is_that_of_the_last_known(cluster: DryRunCluster) -> None:
    shell = Shell("multi_zone", world=make_world(cluster), forecaster="none")
    shell.reset([None])
    known = shell.command(hold(shell.world)).reward.zones.copy()
    cluster.faults.silent.update({"zone-1", "zone-2", "zone-3"})
    silent = shell.command(hold(shell.world)).reward.zones
    for name in ("resource_eur", "quality_eur", "local"):
        np.testing.assert_allclose(silent[name], known[name], rtol=1e-6)


def test_the_reward_of_what_was_never_measured_is_its_cost(cluster: DryRunCluster) -> None:
    cluster.faults.silent.update({"zone-1", "zone-2", "zone-3"})
    shell = Shell("multi_zone", world=make_world(cluster), forecaster="none")
    shell.reset([None])
    reward = shell.command(hold(shell.world)).reward
    assert np.isfinite(reward.worlds["reward"]).all()
    assert (reward.zones["quality_eur"] == 0.0).all()
    assert (reward.zones["resource_eur"] > 0.0).all()
    assert (shell.telemetry.zones["age_s"] > 3600.0).all()


def test_a_zone_that_does_not_serve_is_down_whatever_is_measured(cluster: DryRunCluster) -> None:
    world = make_world(cluster)
    world.reset(seeds=[None])
    world.step(hold(world))
    cluster.edit("zone-1", replicas=0)
    cluster.faults.silent.add("zone-1")
    ticks = [world.step(hold(world)) for _ in range(4)]
    outcome = ticks[-1].outcome.zones[0]
    assert outcome["down"].tolist() == [1.0, 0.0, 0.0]
    assert outcome["latency_ms"][0] == world.scenario.service.down_latency_ms
    assert outcome["violated_user_s"][0] == outcome["users"][0] * 15.0 > 0.0


def test_what_fails_within_a_step_is_told_and_the_episode_goes_on(cluster: DryRunCluster) -> None:
    world = make_world(cluster, apply=True)
    start = world.reset(seeds=[None])
    cluster.faults.writing = UnavailableError("busy")
    tick = world.step(Command.of(2.0 * start.allocation))
    assert "UnavailableError" in tick.report["errors"][0]
    cluster.faults.writing, cluster.faults.reading = None, UnavailableError("away")
    tick = world.step(Command.of(2.0 * start.allocation))
    assert any("away" in error for error in tick.report["errors"])
    cluster.faults.reading = None
    assert world.step(hold(world)).report["errors"] == ()


def test_a_deleted_zone_is_gone_and_not_ready(cluster: DryRunCluster) -> None:
    world = make_world(cluster)
    world.reset(seeds=[None])
    command = hold(world)
    cluster.delete("zone-3")
    tick: Tick = world.step(command)
    assert tick.report["gone"] == ("zone-3",)
    assert tick.telemetry.zones["ready"][0].tolist() == [1.0, 1.0, 0.0]
    assert tick.outcome.zones["down"][0].tolist() == [0.0, 0.0, 1.0]
    assert tick.outcome.zones["latency_ms"][0, 2] == world.scenario.service.down_latency_ms


def test_horizontal_scaling_counts_pods() -> None:
    scenario = zones(2).with_changes(scaling="horizontal")
    actuation = scenario.actuation.model_copy(update={"pod_size": (1.0, 1024.0, 100.0)})
    scenario = scenario.with_changes(actuation=actuation)
    cluster = DryRunCluster(scenario, amounts=SIZE, replicas=2)
    world = make_world(cluster, apply=True, scenario=scenario)
    world.reset(seeds=[None])
    world.step(Command.of([[[2.5, 100.0, 10.0], [2.0, 2048.0, 100.0]]]))
    assert [workload.replicas for workload in cluster.read().workloads] == [3, 2]
    assert cluster.read().workloads[0].requests == SIZE


def test_neighbours_come_from_the_annotation_or_are_given(cluster: DryRunCluster) -> None:
    assert (make_world(cluster).zones.neighbours == -1).all()
    given = make_world(cluster, neighbours={"zone-1": ["zone-2"]}).zones
    assert given.neighbours[:, 0].tolist() == [1, 0, -1]
    cluster.edit("zone-2", annotations={"metaverse-env.dev/neighbours": "zone-3"})
    assert make_world(cluster).zones.neighbours[:, 0].tolist() == [-1, 2, 1]
    with pytest.raises(ConfigurationError, match="zone-9"):
        make_world(cluster, neighbours={"zone-1": ["zone-9"]})
