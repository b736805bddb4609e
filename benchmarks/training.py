"""How fast agents learn: agent steps collected and learnt from per second, against Stable-Baselines3's own on CartPole.

Both are Stable-Baselines3's PPO in the same run, by turns, on as many threads. CartPole is trained as its
documentation shows it, with default settings in eight environments of a list.
"""

import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import torch
import typer
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env

from agents.learning.learners import PPO_ROUND
from agents.learning.settings import DEFAULTS
from agents.learning.training import Training
from benchmarks import options
from benchmarks.progress import Bar

CARTPOLE: Final = "CartPole-v1"
ENVIRONMENTS: Final = 8
TARGET: Final = 10.0
"""How many times as fast ours is to be."""


def training_speed(
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each, by turns.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    as_json: options.AsJson = False,
) -> None:
    """Measure agent steps learnt from per second: MAPPO in multi_zone against PPO's defaults on CartPole."""
    torch.set_num_threads(threads)
    with TemporaryDirectory() as folder, Bar(2 * rounds, "measurements") as bar:
        reference: BaseAlgorithm = PPO("MlpPolicy", make_vec_env(CARTPOLE, ENVIRONMENTS, seed=0), device="cpu")
        ours = Training(DEFAULTS["mappo"], Path(folder)).learner
        pairs = []
        for _ in range(rounds):
            pair = []
            for name, learner, steps in (("MAPPO", ours, PPO_ROUND * ours.n_envs), (CARTPOLE, reference, 16_384)):
                pair.append(_steps_per_s(learner, steps))
                bar.advance(name)
            pairs.append(pair)
    figures = _figures(pairs, threads)
    typer.echo(json.dumps(figures, indent=1) if as_json else _sentence(figures))


def _steps_per_s(learner: BaseAlgorithm, steps: int) -> float:
    """Learn from so many steps; the first time, which compiles, twice."""
    if learner.num_timesteps == 0:
        learner.learn(steps)
    before, start_s = learner.num_timesteps, time.perf_counter()
    learner.learn(steps, reset_num_timesteps=False)
    return (learner.num_timesteps - before) / (time.perf_counter() - start_s)


def _figures(pairs: list[list[float]], threads: int) -> dict[str, Any]:
    ratio = median(own / other for own, other in pairs)
    own, other = (median(values) for values in zip(*pairs, strict=True))
    return {
        "agent_steps_per_s": round(own),
        "cartpole_steps_per_s": round(other),
        "ratio": round(ratio, 2),
        "target": TARGET,
        "reached": ratio >= TARGET,
        "threads": threads,
    }


def _sentence(figures: dict[str, Any]) -> str:
    reached = "reached" if figures["reached"] else "NOT reached"
    return (
        f"MAPPO learns from {figures['agent_steps_per_s']:,} agent steps a second, PPO's defaults on {CARTPOLE} from "
        f"{figures['cartpole_steps_per_s']:,}: {figures['ratio']:.1f}x (target {TARGET:g}x, {reached})"
    )
