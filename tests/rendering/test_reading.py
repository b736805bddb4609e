"""What is taken out of the records: the truth where it is known, the measured value where it is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import LifecycleError
from metaverse_env.history import History
from metaverse_env.rendering.reading import read_shell, read_snapshot
from metaverse_env.rendering.snapshot import Money, Snapshot, Trail, ZoneSnapshot
from metaverse_env.rendering.surroundings import read_flows, read_nodes, read_served
from metaverse_env.reward import Reward
from metaverse_env.scenario import load_scenario
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.simulator.injecting import Injection
from metaverse_env.simulator.records import OUTCOME, REWARD, TELEMETRY, WEATHER, WORLD_REWARD
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Forecast, Outcome, Telemetry
from metaverse_env.wrapping import simulated
from metaverse_env.zones import ZoneGraph

SCENARIO = load_scenario("multi_zone")


def telemetry(users: float, allocation: tuple[float, ...], pending: tuple[float, ...], **fields: Any) -> Telemetry:
    """Return two zones of one world; the second is empty."""
    zones = np.zeros((1, 2), dtype=TELEMETRY)
    first = zones[0, 0]
    first["users"], first["allocation"], first["pending"] = users, allocation, pending
    for name, value in {"observed": 1.0, "ready": 1.0, **fields}.items():
        first[name] = value
    weather = np.array([(90_000.0, 1.0)], dtype=WEATHER)
    return Telemetry(zones, weather, np.zeros((1, 2, 0), dtype=np.float32))


@pytest.fixture
def view(graph: Callable[..., ZoneGraph]) -> Callable[..., View]:
    """Build a view of two ticks: in the first, the first zone had one core, 1000 MB and 100 Mbps."""

    def make(forecast: Forecast | None = None, **fields: Any) -> View:
        history = History(1, graph(2))
        history.append(telemetry(10.0, (1.0, 1000.0, 100.0), (1.0, 1000.0, 100.0)))
        now = telemetry(10.0, (1.0, 1000.0, 100.0), (1.5, 1000.0, 80.0), **fields)
        history.append(now)
        pending = Command.of(now.zones["pending"])
        return View(now, forecast, pending, history, np.zeros((2, 3), dtype=np.float32), 100.0, 15.0)

    return make


def outcome(**fields: Any) -> Outcome:
    zones = np.zeros((1, 2), dtype=OUTCOME)
    for name, value in fields.items():
        zones[0, 0][name] = value
    return Outcome(zones, 15.0)


def read(graph: Callable[..., ZoneGraph], view: View, outcome: Outcome | None = None, **rest: Any) -> Snapshot:
    return read_snapshot(view, outcome, rest.get("reward"), graph(2), SCENARIO, rest.get("trail", Trail()))


def test_without_an_outcome_the_measurements_stand(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    seen = view(latency_ms=70.0, usage=(0.5, 600.0, 20.0), handover=0.25, restarts=2.0)
    world = read(graph, seen)
    assert world.zones[0] == ZoneSnapshot(
        name="zone-1",
        users=10.0,
        latency_ms=70.0,
        usage=(0.5, 600.0, 20.0),
        allocation=(1.0, 1000.0, 100.0),
        pending=(1.5, 1000.0, 80.0),
        change=(1.5, 1.0, pytest.approx(0.8)),  # type: ignore[arg-type]
        handover=0.25,
        kills=2,
    )
    assert (world.time_s, world.objective_ms, world.money, world.ticks_ahead) == (90_000.0, 100.0, None, ())
    assert world.zones[1].down  # never ready


def test_with_an_outcome_its_truth_stands(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    true = outcome(
        users=31.0,
        felt_latency_ms=140.0,
        down=1.0,
        out_of_memory=1.0,
        activity=4.0,
        announced_activity=5.0,
        changed=1.0,
    )
    zone = read(graph, view(latency_ms=70.0), true).zones[0]
    assert (zone.users, zone.latency_ms, zone.down, zone.out_of_memory) == (31.0, 140.0, True, True)
    assert (zone.activity, zone.announced) == ("game", "concert")
    assert zone.grew
    assert zone.shrank


def test_the_same_activity_is_not_announced_twice(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    zone = read(graph, view(), outcome(activity=1.0, announced_activity=1.0)).zones[0]
    assert (zone.activity, zone.announced) == ("social", "")


def test_a_rollout_under_way_is_no_new_change(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    zone = read(graph, view(), outcome(changed=0.0)).zones[0]
    assert zone.change == (1.0, 1.0, 1.0)


def test_metrics_that_did_not_arrive_are_stale(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    assert read(graph, view(observed=0.0, age_s=75.0)).zones[0].stale_s == 75.0
    assert read(graph, view(observed=1.0, age_s=25.0)).zones[0].stale_s == 0.0


def test_forecasts_are_read_as_median_and_p90(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    values = np.zeros((1, 2, 2, 4, 3), dtype=np.float32)
    values[0, 0, :, 3] = [[60.0, 90.0, 99.0], [70.0, 110.0, 130.0]]
    values[0, 0, :, 0] = [[0.5, 0.75, 1.0], [0.625, 0.875, 1.0]]
    world = read(graph, view(Forecast(values, (4, 16))))
    assert world.ticks_ahead == (4, 16)
    assert world.zones[0].latency_ahead_ms == ((60.0, 90.0), (70.0, 110.0))
    assert world.zones[0].cpu_ahead_cores == ((0.5, 0.75), (0.625, 0.875))


def test_money_is_that_of_the_world(graph: Callable[..., ZoneGraph], view: Callable[..., View]) -> None:
    worlds = np.zeros(1, dtype=WORLD_REWARD)
    worlds["reward"], worlds["violated_user_share"] = -2.0, 0.25
    worlds["resource_eur_per_h"], worlds["change_eur_per_h"], worlds["quality_eur_per_h"] = 3.0, 0.5, 10.0
    reward = Reward(np.zeros((1, 2), dtype=REWARD), worlds)
    world = read(graph, view(), outcome(), reward=reward, trail=Trail().extended(reward))
    assert world.money == Money(3.0, 0.5, 10.0, 0.25, -2.0)
    assert world.money.total_eur_per_h == 13.5
    assert (world.trail.rewards, world.trail.violated) == ((-2.0,), (0.25,))


def test_discs_keep_the_scale_of_the_fullest_zone_so_far(
    graph: Callable[..., ZoneGraph], view: Callable[..., View]
) -> None:
    assert read(graph, view()).trail.most_users == 10.0
    assert read(graph, view(), trail=Trail(most_users=80.0)).trail.most_users == 80.0


def test_a_trail_forgets_what_is_older_than_four_hours() -> None:
    worlds = np.zeros(1, dtype=WORLD_REWARD)
    trail = Trail(rewards=(-9.0,) * 960).extended(Reward(np.zeros((1, 1), dtype=REWARD), worlds))
    assert len(trail.rewards) == 960
    assert trail.rewards[-1] == 0.0


def test_a_shell_is_read_as_what_moves_it_and_what_it_believes() -> None:
    shell = Shell("single_zone", dynamics="physics", forecaster="persistence")
    with pytest.raises(LifecycleError, match="before reset"):
        read_shell(shell, None, Trail())
    shell.reset([1])
    start = read_shell(shell, None, Trail())
    assert start.kind == "dynamics: physics, forecast: persistence"
    assert (start.scenario, start.tick_s, start.money) == ("single_zone", 15.0, None)
    step = shell.command(shell.view.pending)
    world = read_shell(shell, step, Trail())
    assert world.zones[0].users == step.tick.outcome.zones["users"][0, 0]
    assert world.zones[0].change == (1.0, 1.0, 1.0)
    silent = Shell("single_zone", dynamics="physics", forecaster="none")
    silent.reset([1])
    assert read_shell(silent, None, Trail()).kind == "dynamics: physics, forecast: none"


# --- what lies around -------------------------------------------------------------------------------------------------


def moving(zones: int = 30) -> tuple[Shell, SimulatedWorld]:
    """Return a watched world in which many move."""
    base = load_scenario("multi_zone")
    users = base.workload.model_copy(update={"migration_per_h": 20.0})
    scenario = base.with_changes(workload=users, layout=LayoutSpec(zones=zones))
    shell = Shell(scenario, dynamics="physics", forecaster="none", remember=True)
    world = simulated(shell.world)
    assert world is not None
    world.watch()
    shell.reset([4])
    return shell, world


def test_flows_are_all_who_are_on_the_way() -> None:
    shell, world = moving()
    graph, before = world.zones, ()
    for _ in range(12):
        step = shell.command(shell.view.pending)
        flows, outcome = read_flows(world), step.tick.outcome.zones[0]
        assert sum(flow.users for flow in flows) == world.state.travelling[0, :, :, :2].sum()
        set_out, landed = np.zeros(30), np.zeros(30)
        for flow in flows:
            way = graph.neighbours[flow.goal].tolist().index(flow.source)
            assert 1 <= flow.ahead_ticks <= flow.travel_ticks == graph.travel_ticks[flow.goal, way]
            set_out[flow.source] += flow.users * (flow.ahead_ticks == flow.travel_ticks)
        for flow in before:
            landed[flow.goal] += flow.users * (flow.ahead_ticks == 1)
        assert (set_out == outcome["moved_out"]).all()
        assert (landed == outcome["moved_in"]).all()
        before = flows
    assert len(before) > 50


def test_users_before_and_after_a_tick_add_up() -> None:
    shell, _ = moving()
    trail, before = Trail(), None
    for _ in range(10):
        step = shell.command(shell.view.pending)
        shown = read_shell(shell, step, trail.extended(step.reward))
        trail = shown.trail
        for place, zone in enumerate(shown.zones):
            assert zone.users == zone.before + zone.arrived + zone.moved_in - zone.left - zone.moved_out
            assert before is None or zone.before == before[place]
        before = [zone.users for zone in shown.zones]


def test_nodes_tell_what_their_zones_have_of_them() -> None:
    shell, world = moving(10)
    shell.command(shell.view.pending)
    first, second = read_nodes(shell.telemetry, world.zones, world)
    given = shell.telemetry.allocation[0, :5].sum(axis=0) / world.constants.node_capacity[0]
    assert (first.name, first.zones, second.zones) == ("node-1", (0, 1, 2, 3, 4), (5, 6, 7, 8, 9))
    assert first.allocated == pytest.approx(given.tolist())
    assert first.capacity == pytest.approx(world.constants.node_capacity[0].tolist())
    world.inject(Injection("node_failure", 1))
    shell.command(shell.view.pending)
    assert [node.lost for node in read_nodes(shell.telemetry, world.zones, world)] == [False, True]


def test_of_a_cluster_only_what_telemetry_says_is_known() -> None:
    shell, world = moving(10)
    shell.command(shell.view.pending)
    first, _ = read_nodes(shell.telemetry, world.zones, None)
    assert (first.used, first.capacity, first.lost) == (None, None, False)
    assert first.allocated == (pytest.approx(1.0 - shell.telemetry.zones["node_free"][0, :5].min()),) * 3


def test_who_is_served_elsewhere_is_known() -> None:
    shell, world = moving()
    asked = shell.view.pending
    for _ in range(10):
        shell.command(Command.of(asked.allocation, 0.5))
    served = read_served(world)
    assert served
    for one in served:
        assert one.goal in world.zones.neighbours[one.source]
        assert 0.0 < one.share <= 1.0


def test_without_an_outcome_users_a_tick_ago_are_those_last_shown(
    graph: Callable[..., ZoneGraph], view: Callable[..., View]
) -> None:
    first = read(graph, view(), trail=Trail(tick=4))
    assert [zone.before for zone in first.zones] == [None, None]
    second = read(graph, view(), trail=first.trail.extended(None))
    assert [zone.before for zone in second.zones] == [10.0, 0.0]
