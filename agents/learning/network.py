"""The networks of a zone's agent: an actor that starts as a rule and learns how to depart from it, and a critic."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, cast

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from metaverse_env.units import RESOURCES

TARGETS: Final = (0.72, 0.9, 0.72)
"""Utilisation that an untrained actor aims at: CPU, memory, egress [choice]."""
LEAD_TICKS: Final = 4
"""How far ahead it looks, where there is a forecast [choice]."""
PREFERENCE: Final = 0.05
"""Value by which a combination that is off by a factor of two loses at first [choice]."""
USUAL_VALUE: Final = -0.2
"""What a zone that is served well is worth at first: -0.02 a tick, discounted [M]."""
SMALL: Final = 0.003
"""How much of its random start the head's reading of hidden layers keeps [choice]."""


def starting_rule(features: Sequence[str], actor_size: int, choices: int) -> tuple[Tensor, Tensor]:
    """Return weights ``[choices, actor_size]`` and bias of continuous actions that keep utilisation at its target.

    With a forecast, ``action = log2(forecast / pending / target)``; the observation has that logarithm. Without one
    the same of what is in use, linear around the target. Nothing is handed over.
    """
    weights, bias = torch.zeros(choices, actor_size), torch.full((choices,), -1.0)
    for index, (resource, target) in enumerate(zip(RESOURCES, TARGETS, strict=True)):
        name = f"{resource}_p90_{LEAD_TICKS}"
        if name in features:
            weights[index, features.index(name)] = 2.0
            bias[index] = -math.log2(target)
        else:
            short = resource.split("_")[0]
            slope = 0.5 / (target * math.log(2.0))
            weights[index, features.index(f"{short}_utilisation")] = slope
            weights[index, features.index(f"{short}_pending")] = -2.0
            bias[index] = (0.5 - target) / (target * math.log(2.0))
    return weights, bias


def layers(sizes: Sequence[int]) -> nn.Sequential:
    """Return linear layers with tanh after each."""
    pairs = [(nn.Linear(before, after), nn.Tanh()) for before, after in pairwise(sizes)]
    return nn.Sequential(*[layer for pair in pairs for layer in pair])


class TwoViews(nn.Module):
    """The actor's layers read its part of a row, the critic's all of it.

    Args:
        actor_size: Leading entries of a row that an actor sees.
        row_size: All that a critic sees.
        width: Of the two hidden layers of each.
    """

    def __init__(self, actor_size: int, row_size: int, width: int) -> None:
        super().__init__()
        self.actor_size = actor_size
        self.actor, self.critic = layers([actor_size, width, width]), layers([row_size, width, width])
        self.latent_dim_pi, self.latent_dim_vf = width + actor_size, width

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the heads of actor and critic read."""
        return self.forward_actor(rows), self.forward_critic(rows)

    def forward_actor(self, rows: Tensor) -> Tensor:
        """Return the hidden layer, and what was seen itself: a rule is linear in it."""
        seen = rows[:, : self.actor_size]
        return torch.cat([self.actor(seen), seen], dim=1)

    def forward_critic(self, rows: Tensor) -> Tensor:
        """Return the critic's hidden layer."""
        hidden: Tensor = self.critic(rows)
        return hidden


class ZonePolicy(ActorCriticPolicy):
    """Actor and critic of a zone for Stable-Baselines3.

    Args:
        features: Names of a zone's features.
        actor_size: Leading entries of a row that an actor sees.
        width: Of hidden layers.
        **arguments: Stable-Baselines3's.
    """

    def __init__(
        self, *arguments: Any, features: Sequence[str], actor_size: int, width: int = 64, **named: Any
    ) -> None:
        self._features_seen, self._actor_size, self._width = tuple(features), actor_size, width
        super().__init__(*arguments, **named)

    def _build_mlp_extractor(self) -> None:
        row_size = self.observation_space.shape[0]  # type: ignore[index]  # a Box has a shape
        self.mlp_extractor = TwoViews(self._actor_size, row_size, self._width)  # type: ignore[assignment]

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        head = cast("nn.Linear", self.action_net)
        weights, bias = starting_rule(self._features_seen, self._actor_size, head.out_features)
        with torch.no_grad():
            head.weight.zero_()
            head.weight[:, self._width :] = weights
            head.bias.copy_(bias)


class ValuesWithRule(nn.Module):
    """The value of every combination of factors, linear in the row and in hidden layers.

    Before training it prefers the combination nearest to the starting rule: ``-(factor - rule)^2`` over base-2
    logarithms, without the rule's own square, which all combinations share.

    Args:
        features: Names of a zone's features.
        row_size: Numbers in a row.
        combinations: ``[A, 3]``, base-2 logarithms of the factors of each.
        width: Of the two hidden layers.
    """

    def __init__(self, features: Sequence[str], row_size: int, combinations: Tensor, width: int) -> None:
        super().__init__()
        self.hidden = layers([row_size, width, width])
        self.head = nn.Linear(width + row_size, len(combinations))
        weights, bias = starting_rule(features, row_size, combinations.shape[1])
        with torch.no_grad():
            self.head.weight[:, :width].mul_(SMALL)
            self.head.weight[:, width:] = PREFERENCE * 2.0 * combinations @ weights
            self.head.bias.copy_(
                USUAL_VALUE + PREFERENCE * (2.0 * combinations @ bias - combinations.square().sum(dim=1))
            )

    def forward(self, rows: Tensor) -> Tensor:
        """Return values ``[N, A]``."""
        values: Tensor = self.head(torch.cat([self.hidden(rows), rows], dim=1))
        return values


class ZoneValues(DQNPolicy):
    """Values of a zone's combinations for Stable-Baselines3's DQN.

    Args:
        features: Names of a zone's features.
        factors: That each resource can be multiplied by.
        width: Of hidden layers.
        **arguments: Stable-Baselines3's.
    """

    def __init__(
        self, *arguments: Any, features: Sequence[str], factors: Sequence[float], width: int, **named: Any
    ) -> None:
        logarithms = torch.log2(torch.tensor(factors, dtype=torch.float32))
        self._rule = (tuple(features), torch.cartesian_prod(*[logarithms] * len(RESOURCES)), width)
        super().__init__(*arguments, **named)

    def make_q_net(self) -> QNetwork:
        """Return Stable-Baselines3's network, with ours inside."""
        network = super().make_q_net()
        features, combinations, width = self._rule
        network.q_net = ValuesWithRule(features, network.features_dim, combinations, width)  # type: ignore[assignment]
        return network
