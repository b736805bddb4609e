"""What a user can do wrong with an environment, and that the answer names value, limit, unit, zone and remedy."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import NameNotFound, ResetNeeded

import metaverse_env
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import (
    ActionError,
    ConfigurationError,
    LifecycleError,
    MetaverseError,
    ScenarioError,
    TraceError,
    UnknownArgumentError,
    UnknownNameError,
)
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace

PLAIN: dict[str, Any] = {"dynamics": "physics", "forecaster": "none"}
SINGLE, MULTI = "Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0"


def make(env_id: str = MULTI, **arguments: Any) -> Any:
    return gym.make(env_id, **{**PLAIN, **arguments})


@pytest.fixture(params=["single", "vector", "parallel"])
def maker(request: pytest.FixtureRequest) -> Any:
    return {
        "single": make,
        "vector": lambda **arguments: gym.make_vec(MULTI, 2, **{**PLAIN, **arguments}),
        "parallel": lambda **arguments: metaverse_env.parallel_env(**{**PLAIN, **arguments}),
    }[request.param]


def test_unknown_id() -> None:
    with pytest.raises(NameNotFound, match="MultiZone"):
        make("Metaverse/MultyZone-v0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scenario": "multi_zones"}, "unknown scenario 'multi_zones'. Did you mean 'multi_zone'? Known: complex, "),
        ({"dynamics": "phisics"}, "unknown dynamics 'phisics'. Did you mean 'physics'? Known: physics, stgnn, trace"),
        ({"forecaster": "naive"}, "unknown forecaster 'naive'. Known: none, perfect, persistence, stgnn"),
        ({"action_type": "box"}, "unknown action type 'box'. Known: continuous, discrete"),
    ],
)
def test_unknown_names(maker: Any, arguments: dict[str, str], words: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        maker(**arguments)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"dynamic": "physics"},
            "unexpected keyword argument 'dynamic'. Did you mean 'dynamics'? Known: action_type, ",
        ),
        ({"episode_length": 10}, "unexpected keyword argument 'episode_length'. Did you mean 'episode_ticks'?"),
        ({"worlds": 2}, "unexpected keyword argument 'worlds'. Did you mean 'world'?"),
        ({"arguments": {}}, "unexpected keyword argument 'arguments'."),
    ],
)
def test_unknown_arguments(maker: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UnknownArgumentError) as error:
        maker(**arguments)
    assert str(error.value).startswith(words)


def test_each_kind_knows_its_own_arguments() -> None:
    with pytest.raises(UnknownArgumentError, match=r"'autoreset'\. Did you mean 'autoreset_mode'"):
        gym.make_vec(MULTI, 2, autoreset="Disabled", **PLAIN)
    with pytest.raises(UnknownArgumentError, match=r"'local_weight'\. Did you mean 'global_weight'"):
        metaverse_env.env(local_weight=0.5)
    with pytest.raises(UnknownArgumentError, match="unexpected keyword argument 'global_weight'"):
        make(global_weight=0.5)


@pytest.mark.parametrize("kind", [make, metaverse_env.parallel_env])
@pytest.mark.filterwarnings("ignore:.*render_mode='film' that is not in the possible render_modes")
def test_unknown_render_mode(kind: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown render mode 'film'\. Known: human, rgb_array"):
        kind(**{**PLAIN, "render_mode": "film"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scaling": "sideways"}, "scaling = 'sideways', expected"),
        ({"episode_ticks": 0}, "episode_ticks = 0, expected"),
        ({"scenario": "nowhere.toml"}, r"nowhere\.toml: cannot be read"),
    ],
)
def test_a_scenario_that_cannot_be(maker: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        maker(**arguments)


@pytest.mark.parametrize("asked", [0, -5, 241])
def test_episodes_cannot_be_longer_than_the_scenarios_without_saying_so(asked: int) -> None:
    words = f"max_episode_steps = {asked} ticks must be from 1 to the 240 of scenario 'multi_zone'; give episode_ticks="
    for kind in (metaverse_env.parallel_env, lambda **more: gym.make_vec(MULTI, 2, **more)):
        with pytest.raises(ConfigurationError, match=words):
            kind(max_episode_steps=asked, **PLAIN)


def test_one_zone_is_one_zone() -> None:
    for kind in (gym.make, gym.make_vec):
        with pytest.raises(ConfigurationError, match="has one zone, got 30; use Metaverse/MultiZone-v0"):
            kind(SINGLE, scenario="multi_zone", **PLAIN)


def test_an_environment_has_one_world() -> None:
    world = SimulatedWorld("multi_zone", 3)
    with pytest.raises(ConfigurationError, match=r"one world, got 3; use gym\.make_vec"):
        make(world=world)


@pytest.mark.parametrize("weight", [-0.1, 1.5, np.nan])
def test_global_weight(weight: float) -> None:
    with pytest.raises(ConfigurationError, match=r"global_weight = .*; must be in \[0, 1\]"):
        metaverse_env.parallel_env(global_weight=weight, **PLAIN)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_of_a_team(seed: int) -> None:
    with pytest.raises(ConfigurationError, match="must be a whole number from 0 to 2\\^64 - 1"):
        metaverse_env.parallel_env(**PLAIN).reset(seed=seed)


def test_noise_seed_of_another_type() -> None:
    with pytest.raises(ConfigurationError, match=r"seed = 1\.5"):
        make().reset(seed=0, options={"noise_seed": 1.5})


# Order


def test_step_before_reset_and_after_the_end() -> None:
    env = make(episode_ticks=1)
    hold = env.unwrapped.shell.codec.hold
    with pytest.raises(LifecycleError, match=r"never started; call reset\(\)"):
        env.step(hold)
    env.reset(seed=0)
    env.step(hold)
    with pytest.raises(LifecycleError, match=r"over, .*call reset\(\)") as error:
        env.step(hold)
    assert isinstance(error.value, ResetNeeded)


def test_a_team_steps_before_reset() -> None:
    with pytest.raises(LifecycleError, match="reset"):
        metaverse_env.parallel_env(**PLAIN).step({})


def test_shell_and_world_before_reset() -> None:
    shell = Shell("multi_zone", **PLAIN)
    with pytest.raises(LifecycleError, match="before reset"):
        shell.step(shell.codec.hold[None])
    with pytest.raises(LifecycleError, match="before reset"):
        shell.command(Command.of(np.ones((1, 30, 3))))
    with pytest.raises(LifecycleError, match="before reset"):
        _ = shell.view
    with pytest.raises(LifecycleError, match="before reset"):
        SimulatedWorld("multi_zone").step(Command.of(np.ones((1, 30, 3))))


# Actions


def changed(action: np.ndarray, place: int, value: float) -> np.ndarray:
    copy = action.copy()
    copy[place] = value
    return copy


@pytest.mark.parametrize(
    ("arguments", "spoil", "words"),
    [
        ({}, lambda hold: hold[:-1], r"needs shape \(120,\) or \(30, 4\), got \(119,\)"),
        ({}, lambda hold: hold.reshape(4, 30), r"got \(4, 30\)"),
        ({}, lambda hold: hold.astype(float), "need dtype int64, got float64"),
        ({}, lambda hold: hold > 0, "need dtype int64, got bool"),
        ({}, lambda _: "grow", "need dtype int64, got <U4"),
        ({}, lambda _: None, "need dtype int64, got object"),
        ({}, lambda _: [[1, 2], [3]], "one length for every zone"),
        ({}, lambda hold: changed(hold, 5, 5), "zone 'zone-2': memory_mb = 5; must be in 0 to 4"),
        ({}, lambda hold: changed(hold, 7, -1), "zone 'zone-2': handover = -1; must be in 0 to 3"),
        ({"scaling": "horizontal"}, lambda hold: changed(hold, 2, 9), "zone 'zone-2': replicas = 9; must be in 0 to 4"),
        ({"action_type": "continuous"}, lambda hold: changed(hold, 4, 1.5), r"zone 'zone-2': cpu_cores = 1\.5; .*clip"),
        ({"action_type": "continuous"}, lambda hold: changed(hold, 2, np.nan), "zone 'zone-1': bandwidth_mbps = nan"),
        ({"action_type": "continuous"}, lambda hold: hold.astype(complex), "need dtype float32, got complex128"),
        ({"env_id": SINGLE}, lambda _: 125, r"zone 'zone-1': action 125 is not in Discrete\(125\)"),
        ({"env_id": SINGLE}, lambda _: -1, "zone 'zone-1': action -1 is not in"),
        ({"env_id": SINGLE}, lambda _: 1.0, "need dtype int64, got float64"),
        (
            {"env_id": SINGLE},
            lambda _: [1, 2],
            r"an action needs a number of Discrete\(125\), got \[",
        ),
    ],
)
def test_actions(arguments: dict[str, Any], spoil: Any, words: str) -> None:
    env = make(**arguments)
    env.reset(seed=0)
    with pytest.raises(ActionError, match=words):
        env.step(spoil(env.unwrapped.shell.codec.hold))


def test_a_refused_action_changes_nothing() -> None:
    env, twin = make(), make()
    env.reset(seed=0)
    twin.reset(seed=0)
    hold = env.unwrapped.shell.codec.hold
    with pytest.raises(ActionError):
        env.step(changed(hold, 119, 9))
    assert np.array_equal(env.step(hold)[0], twin.step(hold)[0])


@pytest.mark.parametrize("actions", [3, [3], [[1], [2]], np.zeros((2, 3), dtype=np.int64)])
def test_actions_of_a_batch(actions: Any) -> None:
    env = gym.make_vec(SINGLE, 2, **PLAIN)
    env.reset(seed=0)
    with pytest.raises(ActionError, match=r"actions of 2 worlds need shape \(2,\) or"):
        env.step(actions)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda actions: {"zone-1": actions["zone-1"]}, "missing: .*zone-2"),
        (lambda actions: {**actions, "zone-99": actions["zone-1"]}, r"unknown: \['zone-99'\]"),
        (lambda actions: {**actions, "zone-3": actions["zone-3"][:2]}, r"zone 'zone-3': .* shape \(4,\), got \(2,\)"),
        (
            lambda actions: {**actions, "zone-3": actions["zone-3"] + 4},
            "zone 'zone-3': cpu_cores = .*; must be in 0 to 4",
        ),
        (lambda actions: {**actions, "zone-3": actions["zone-3"] * 1.0}, "need dtype int64, got float64"),
    ],
)
def test_actions_of_a_team(spoil: Any, words: str) -> None:
    env = metaverse_env.parallel_env(**PLAIN)
    env.reset(seed=0)
    hold = np.array([2, 2, 2, 0])
    with pytest.raises(ActionError, match=words):
        env.step(spoil(dict.fromkeys(env.agents, hold)))


def test_a_lone_agent_out_of_range() -> None:
    env = metaverse_env.parallel_env("single_zone", **PLAIN)
    env.reset(seed=0)
    with pytest.raises(ActionError, match="zone 'zone-1': memory_mb = 5; must be in 0 to 4"):
        env.step({"zone-1": np.array([0, 5, 0])})


# Commands


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("allocation", (1.0, -2.0, 3.0), r"zone 'zone-5' \(world 1\): memory_mb = -2\.0 MB; must be finite and >= 0"),
        ("allocation", (np.nan, 2.0, 3.0), r"zone 'zone-5' \(world 1\): cpu_cores = nan cores"),
        ("allocation", (1.0, 2.0, np.inf), r"zone 'zone-5' \(world 1\): bandwidth_mbps = inf Mbps"),
        ("handover", -0.1, r"zone 'zone-5' \(world 1\): handover = -0\.1.* share of new sessions, 0 to 1"),
        ("handover", 1.1, "handover = 1.1"),
        ("handover", np.nan, "handover = nan"),
    ],
)
def test_commands(field: str, value: Any, words: str) -> None:
    world = SimulatedWorld("multi_zone", 2)
    command = Command.of(world.reset(seeds=[0, 1]).allocation)
    command.zones[field][1, 4] = value
    with pytest.raises(ActionError, match=words):
        world.step(command)


def test_commands_of_another_shape() -> None:
    world = SimulatedWorld("multi_zone", 2)
    world.reset(seeds=[0, 1])
    with pytest.raises(ActionError, match=r"needs shape \(2, 30, 3\) \(worlds, zones, resources\), got \(1, 30, 3\)"):
        world.step(Command.of(np.ones((1, 30, 3))))


# Traces


def test_a_trace_and_its_dynamics_belong_together(maker: Any, trace_files: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="belong together"):
        maker(dynamics="trace")
    with pytest.raises(ConfigurationError, match="belong together"):
        maker(dynamics="physics", trace=trace_files["multi"])


def test_more_columns_than_the_single_zone(trace_files: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"one zone and the trace has 3 \(plaza, arena, market\).*select"):
        make(SINGLE, dynamics="trace", trace=trace_files["multi"])
    chosen = load_trace(trace_files["multi"]).select("arena")
    assert make(SINGLE, dynamics="trace", trace=chosen).unwrapped.shell.world.zones.names == ("arena",)


def test_a_trace_that_is_not_there(maker: Any) -> None:
    with pytest.raises(TraceError, match=r"nowhere\.csv does not exist\. Give the path"):
        maker(dynamics="trace", trace="nowhere.csv")


def test_scaling_without_a_trace(maker: Any) -> None:
    with pytest.raises(ConfigurationError, match="mean_users scales a trace; give trace=FILE"):
        maker(mean_users=50.0)


def test_an_episode_longer_than_any_segment(maker: Any, trace_files: dict[str, str]) -> None:
    words = "an episode of 399 ticks does not fit trace .*has 400 samples, enough for 398 ticks. Give episode_ticks=398"
    with pytest.raises(TraceError, match=words):
        maker(dynamics="trace", trace=trace_files["multi"], episode_ticks=399)
    maker(dynamics="trace", trace=trace_files["multi"], episode_ticks=398)


def test_a_world_does_not_step_beyond_the_end_of_a_trace(trace_files: dict[str, str]) -> None:
    scenario = metaverse_env.load_scenario("multi_zone").with_changes(episode_ticks=398)
    world = SimulatedWorld(scenario, 2, "trace", load_trace(trace_files["multi"]))
    command = Command.of(world.reset(seeds=[0, 1]).allocation)
    for _ in range(399):
        world.step(command)
    with pytest.raises(LifecycleError, match="world 0: the trace has no sample after tick 399"):
        world.step(command)
    world.reset(seeds=[None, None], worlds=np.array([True, False]))
    with pytest.raises(LifecycleError, match="world 1: the trace"):
        world.step(command)


def test_a_world_does_not_step_across_a_gap(tmp_path: Any) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("\n".join(f"{15 * row + 900 * (row >= 12)},5" for row in range(24)), encoding="utf-8")
    scenario = metaverse_env.load_scenario("single_zone").with_changes(episode_ticks=10)
    world = SimulatedWorld(scenario, 1, "trace", load_trace(str(path)))
    for seed in range(6):
        command = Command.of(world.reset(seeds=[seed]).allocation)
        assert world.state.worlds["trace_row"][0] in (0, 12)
        for _ in range(11):
            world.step(command)
        with pytest.raises(LifecycleError, match="its segment ends there"):
            world.step(command)


def test_all_of_them_are_of_one_family() -> None:
    for kind in (ActionError, ConfigurationError, LifecycleError, ScenarioError, TraceError, UnknownNameError):
        assert issubclass(kind, MetaverseError)
