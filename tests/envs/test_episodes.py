"""Where episodes start and end, what seeds vary, and that a copy of an environment goes on like the original."""

import copy
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

import metaverse_env
from metaverse_env.envs.single import MetaverseEnv
from metaverse_env.scenario import Scenario, load_scenario

IDS = ("Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0")
DYNAMICS = ("physics", "stgnn")
PLAIN: dict[str, Any] = {"dynamics": "physics", "forecaster": "none"}


@pytest.fixture(params=DYNAMICS)
def arguments(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"dynamics": request.param, "forecaster": "stgnn" if request.param == "stgnn" else "persistence"}


def without_churn() -> Scenario:
    scenario = load_scenario("multi_zone")
    return scenario.with_changes(workload=scenario.workload.model_copy(update={"qoe_churn": 0.0}))


def hold(env: Any, ticks: int = 20) -> list[dict[str, Any]]:
    """Let ticks pass in which nothing is changed; return the infos."""
    return [env.step(env.unwrapped.shell.codec.hold)[-1] for _ in range(ticks)]


def users(infos: list[dict[str, Any]]) -> np.ndarray:
    return np.array([info["outcome"]["users"] for info in infos])


def latencies(infos: list[dict[str, Any]]) -> np.ndarray:
    return np.array([info["outcome"]["latency_ms"] for info in infos])


@pytest.mark.parametrize("scaling", ["vertical", "horizontal"])
@pytest.mark.parametrize("action_type", ["discrete", "continuous"])
def test_nothing_is_read_before_it_is_written(poison: Callable[[], None], scaling: str, action_type: str) -> None:
    def episode() -> list[Any]:
        env = MetaverseEnv(scaling=scaling, action_type=action_type, dynamics="physics", forecaster="persistence")
        env.action_space.seed(0)
        seen = [env.reset(seed=0)[0].tobytes()]
        for _ in range(30):
            observation, *rest = env.step(env.action_space.sample())
            seen += [observation.tobytes(), *rest]
        return seen

    clean = episode()
    poison()
    assert episode() == clean


def test_the_noise_seed_varies_noise_and_not_users() -> None:
    env = MetaverseEnv(without_churn(), **PLAIN)
    runs = []
    for noise_seed in (1, 2, 1):
        env.reset(seed=0, options={"noise_seed": noise_seed})
        runs.append(hold(env))
    assert np.array_equal(users(runs[0]), users(runs[1]))
    assert not np.array_equal(latencies(runs[0]), latencies(runs[1]))
    assert np.array_equal(latencies(runs[0]), latencies(runs[2]))


def test_the_seed_varies_users_under_one_noise_seed() -> None:
    env = MetaverseEnv(without_churn(), **PLAIN)
    runs = []
    for seed in (0, 1):
        env.reset(seed=seed, options={"noise_seed": 5})
        runs.append(hold(env))
    assert not np.array_equal(users(runs[0]), users(runs[1]))


def test_a_noise_seed_counts_without_a_seed_too() -> None:
    env = MetaverseEnv(without_churn(), **PLAIN)
    runs = []
    for noise_seed in (1, 2):
        env.reset(seed=0)
        env.reset(options={"noise_seed": noise_seed})
        runs.append(hold(env))
    assert np.array_equal(users(runs[0]), users(runs[1]))
    assert not np.array_equal(latencies(runs[0]), latencies(runs[1]))


def test_the_users_of_a_seed_are_the_same_whatever_the_noise_seed_was_before() -> None:
    env = MetaverseEnv(**PLAIN)
    env.reset(seed=3, options={"noise_seed": 9})
    first, _ = env.reset(seed=3)
    assert np.array_equal(first, MetaverseEnv(**PLAIN).reset(seed=3)[0])


def test_without_any_seed_two_environments_differ() -> None:
    first, second = (MetaverseEnv(**PLAIN).reset()[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_episodes_start_anywhere_in_the_week_at_any_utilisation() -> None:
    env = gym.make_vec("Metaverse/MultiZone-v0", 2000, **PLAIN)
    _, infos = env.reset(seed=0)
    hours = infos["time_s"] / 3600.0
    counts = np.histogram(hours, bins=14, range=(0.0, 168.0))[0]
    assert np.abs(counts - 2000 / 14).max() < 5.0 * np.sqrt(2000 / 14)
    zones = infos["telemetry"]
    utilisation = (zones["usage"] / zones["allocation"])[..., 1]  # memory has little noise
    assert np.quantile(utilisation, 0.01) < 0.38
    assert np.quantile(utilisation, 0.99) > 0.70
    assert abs(np.median(utilisation) - 0.55) < 0.02


def test_the_time_of_the_week_goes_on_by_ticks() -> None:
    env = MetaverseEnv(**PLAIN)
    _, info = env.reset(seed=1)
    times_s = [info["time_s"], *(info["time_s"] for info in hold(env, 5))]
    assert np.allclose(np.diff(times_s) % 604_800.0, 15.0)


@pytest.mark.parametrize("env_id", IDS)
def test_an_episode_is_an_hour_and_is_truncated_once(env_id: str) -> None:
    env = gym.make(env_id, **PLAIN)
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample())[2:4] for _ in range(240)]
    assert ends == [(False, False)] * 239 + [(False, True)]


def first_truncation(env: Any) -> int:
    env.reset(seed=0)
    return next(tick for tick in itertools.count(1) if np.any(env.step(env.action_space.sample())[3]))


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ({"max_episode_steps": 7}, 7),
        ({"episode_ticks": 9}, 9),
        ({"max_episode_steps": 7, "episode_ticks": 9}, 7),
        ({"episode_ticks": 300}, 300),
        ({"max_episode_steps": 250, "episode_ticks": 300}, 250),
    ],
)
def test_an_episode_can_be_shortened_and_lengthened(make: Callable[..., Any], lengths: Any, expected: int) -> None:
    assert first_truncation(make("Metaverse/SingleZone-v0", **PLAIN, **lengths)) == expected


def test_gymnasium_keeps_a_longer_limit_to_itself() -> None:
    assert first_truncation(gym.make("Metaverse/SingleZone-v0", max_episode_steps=300, **PLAIN)) == 240


def test_a_team_can_be_shortened_too() -> None:
    env = metaverse_env.parallel_env("single_zone", max_episode_steps=2, **PLAIN)
    env.reset(seed=0)
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    assert env.step(actions)[3] == {"zone-1": False}
    assert env.step(actions)[3] == {"zone-1": True}
    assert env.agents == []


@pytest.fixture(params=["single", "vector", "parallel", "aec"])
def running(request: pytest.FixtureRequest, arguments: dict[str, Any]) -> Any:
    """Return an environment in the middle of an episode."""
    make = {
        "single": lambda: gym.make("Metaverse/Complex-v0", **arguments),
        "vector": lambda: gym.make_vec("Metaverse/Complex-v0", 2, **arguments),
        "parallel": lambda: metaverse_env.parallel_env("complex", **arguments),
        "aec": lambda: metaverse_env.env("complex", **arguments),
    }
    env = make[request.param]()
    env.reset(seed=0)
    list(itertools.islice(trajectory(env), 3))
    return env


def trajectory(env: Any) -> Iterator[Any]:
    """Step with actions that only the step's number decides; yield everything that is bytes or numbers."""
    for number in itertools.count():
        if hasattr(env, "agent_selection"):
            agent = env.agent_selection
            env.action_space(agent).seed(number)
            env.step(env.action_space(agent).sample())
            yield env.last()[0].tobytes(), env.last()[1], env.agent_selection
        elif hasattr(env, "agents"):
            for agent in env.agents:
                env.action_space(agent).seed(number)
            observations, rewards, *_ = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
            yield [observation.tobytes() for observation in observations.values()], rewards, env.state().tobytes()
        else:
            env.action_space.seed(number)
            observation, reward, *_ = env.step(env.action_space.sample())
            yield observation.tobytes(), np.asarray(reward).tobytes()


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_a_copy_goes_on_like_the_original(running: Any, duplicate: Callable[[Any], Any]) -> None:
    twin = duplicate(running)
    ours, theirs = (list(itertools.islice(trajectory(env), 40)) for env in (running, twin))
    assert ours == theirs
    assert len(set(map(str, ours))) == 40


def test_stable_baselines_runs_it_in_processes() -> None:
    env = make_vec_env("metaverse_env:Metaverse/SingleZone-v0", 2, seed=3, env_kwargs=PLAIN, vec_env_cls=SubprocVecEnv)
    observations = env.reset()
    for world in range(2):
        assert np.array_equal(
            observations[world], gym.make("Metaverse/SingleZone-v0", **PLAIN).reset(seed=3 + world)[0]
        )
    for _ in range(241):
        observations, _, dones, infos = env.step([13, 13])
        if dones.any():
            assert "terminal_observation" in infos[0]
    env.close()
