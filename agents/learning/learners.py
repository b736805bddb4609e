"""Stable-Baselines3's algorithms, set up for worlds of zones. What differs between them stands here alone."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor

from agents.learning.card import Card, Weights, zone_features
from agents.learning.dead_band import DeadBand
from agents.learning.network import ZonePolicy, ZoneValues
from agents.learning.pay import Pay
from agents.learning.settings import Settings
from agents.learning.team import TeamVecEnv
from agents.learning.variants import variants
from metaverse_env.action import ActionType
from metaverse_env.envs.shell import Shell

GAMMA: Final = 0.9
"""A command shows in the next ticks and is old after a few minutes [choice]."""
FINAL_RATE: Final = 0.05
"""Share of the learning rate at the end of its straight way down [choice]."""
PPO_ROUND: Final = 32
"""Ticks between updates [choice]."""
DQN_WORST: Final = -8.0
"""Least reward of a tick for DQN, where -0.3 is usual: what a tick with violations costs, however many [choice]."""
WIDTH: Final = 64
"""Of hidden layers [choice]."""


def make_team(settings: Settings) -> TeamVecEnv:
    """Make the worlds that are learnt from."""
    shells = make_shells(settings, settings.hardness_at(0.0))
    dqn = settings.algorithm == "dqn"
    dead_band = DeadBand(0.0, 0.0) if dqn else DeadBand.of(shells[0].scenario.cost)
    first_pay = pay(settings, settings.violated_eur_per_user_h)
    return TeamVecEnv(shells, first_pay, dead_band, settings.central, dqn, settings.first_seed)


def pay(settings: Settings, violated_eur_per_user_h: float) -> Pay:
    """Return what agents are rewarded for at a price of violations."""
    worst = DQN_WORST if settings.algorithm == "dqn" else None
    return Pay(settings.global_weight, violated_eur_per_user_h, worst)


def make_shells(settings: Settings, hardness: float) -> list[Shell]:
    """Make one shell for each variant of the scenario, the worlds shared among them."""
    scenarios = variants(settings.scenario, settings.randomised, settings.seed, hardness)
    worlds, action_type = settings.worlds // len(scenarios), _action_type(settings)
    return [
        Shell(scenario, worlds, settings.dynamics, settings.forecaster, action_type=action_type)
        for scenario in scenarios
    ]


def _action_type(settings: Settings) -> ActionType:
    return "discrete" if settings.algorithm == "dqn" else "continuous"


def make_learner(settings: Settings, team: TeamVecEnv) -> BaseAlgorithm:
    """Make the algorithm around the worlds; PPO's rewards are normalised, for their tails are heavy, DQN's are cut."""
    dqn = settings.algorithm == "dqn"
    worlds = VecNormalize(team, norm_obs=False, norm_reward=not dqn, clip_reward=np.inf, gamma=GAMMA)
    return (_dqn if dqn else _ppo)(settings, worlds, team)


def _falling(rate: float) -> Callable[[float], float]:
    return lambda remaining: rate * (FINAL_RATE + (1.0 - FINAL_RATE) * remaining)


def _ppo(settings: Settings, worlds: VecNormalize, team: TeamVecEnv) -> PPO:
    seen = {"features": zone_features(settings.forecaster != "none"), "actor_size": team.rows.actor_size}
    return PPO(
        ZonePolicy,
        worlds,
        n_steps=PPO_ROUND,
        batch_size=min(8192, PPO_ROUND * team.num_envs),
        n_epochs=4,
        learning_rate=_falling(1e-3),
        gamma=GAMMA,
        gae_lambda=0.9,
        clip_range=0.2,
        policy_kwargs={**seen, "width": WIDTH, "log_std_init": -2.3, "ortho_init": False},
        seed=settings.seed,
        device="cpu",
    )


def _dqn(settings: Settings, worlds: VecNormalize, team: TeamVecEnv) -> DQN:
    return DQN(
        ZoneValues,
        worlds,
        buffer_size=400_000,
        learning_starts=4096,
        train_freq=1,
        gradient_steps=2,
        batch_size=1024,
        target_update_interval=250 * team.num_envs,  # counted in agent steps
        learning_rate=_falling(1e-4),
        gamma=GAMMA,
        n_steps=3,
        exploration_initial_eps=0.1,  # it starts as a rule, and looks around from there
        exploration_fraction=0.5,
        exploration_final_eps=0.01,
        policy_kwargs={
            "features": zone_features(settings.forecaster != "none"),
            "factors": team.factors,
            "width": WIDTH,
        },
        seed=settings.seed,
        device="cpu",
    )


def blank_card(settings: Settings, team: TeamVecEnv, command: str) -> Card:
    """Return the card of what is being trained, without figures."""
    dqn = settings.algorithm == "dqn"
    return Card(
        algorithm=settings.algorithm,
        zone_features=zone_features(settings.forecaster != "none"),
        action="factors" if dqn else "continuous",
        choices=tuple(team.choices) if dqn else (len(team.choices),),
        dead_band=team.dead_band,
        neighbours=team.rows.heard,
        scenario=settings.scenario,
        command=command,
        seed=settings.seed,
    )


def weights_of(learner: BaseAlgorithm) -> Weights:
    """Return the network that decides, as :class:`~agents.learning.runtime.Network` reads it."""
    policy: Any = learner.policy
    if isinstance(learner, DQN):
        hidden, head = policy.q_net.q_net.hidden, policy.q_net.q_net.head
    else:
        hidden, head = policy.mlp_extractor.actor, policy.action_net
    first, _, second, _ = hidden
    layers = {"first": first, "second": second, "head": head}
    return {
        f"{name}.{kind}": _array(getattr(layer, kind)) for name, layer in layers.items() for kind in ("weight", "bias")
    }


def _array(tensor: Tensor) -> Any:
    return tensor.detach().to("cpu", torch.float32).numpy().copy()
