"""The network of the learned dynamics, in torch: small, because it runs inside every step of an environment.

It cannot run away, whatever its weights, since nothing of what it says comes back to it unbounded. Demand follows from
users alone: an idle part, and a cost per user that is bounded. Memory moves toward its goal by a share of the distance.
Latency is a bounded function of the load, and of what waited before a share below one carries over.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from metaverse_env.units import RESOURCES
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES
from predictors.stgnn.messages import table_messages

HIDDEN: Final = 48
BENDS: Final = 32
"""Hidden units of latency, each a step that a growing load takes."""

MOST_COST: Final = 2.5
"""Cost per user lies within a factor of e^2.5 = 12 of its typical value, which is learnt."""
MOST_QUIET: Final = 2.0
"""Latency without load lies within a factor of e^2 = 7 of its typical value, which is learnt."""
MOST_RISE: Final = 8.0
"""All steps together multiply it by e^8 = 3000 at most."""
MOST_SPREAD: Final = 0.8
"""Standard deviation of the logs of demand, of the load that is felt and of latency, at most."""
MOST_CARRIED: Final = 0.98
"""Share of what waited in one tick that waits in the next, at most."""

_START_IDLE: Final = (-2.0, 6.0, -2.0)
_START_COST: Final = (-5.0, 2.0, 0.0)
"""Where training starts: logs of what an idle zone and a user need: cores, MB, Mbps [E]."""
_START_QUIET: Final = (3.0, 2.0, 2.0)
"""Logs of p50, and of what p95 and p99 add to it, ms [E]."""
_START_SPREAD: Final = -0.8


class Heads(NamedTuple):
    """What is read off the hidden units."""

    cost: Tensor  # [N, 3], log of demand per user
    quiet: Tensor  # [N, 3], logs of p50, and of what p95 and p99 add, ms, without load
    spread: Tensor  # [N, 5], standard deviations of logs: of demand, of the load that is felt, of latency under it
    rates: Tensor  # [N, 2], share of the way to its goal that memory goes, up and down
    bend: Tensor  # [N, BENDS]


_SIZES: Final = (3, 3, 5, 2)
_BOUNDED: Final = sum(_SIZES)
"""Heads that are bounded; the last is not, for it is inside a sigmoid."""


class DynamicsNet(nn.Module):
    """Demand, latency and the speed of memory in the tick that is under way, as samples.

    Demand is passed along the graph by the hand-over shares to where it is served. Latency sees what that is over the
    allocation only through weights that are positive, so it never rises when an allocation grows, whatever the noise.
    """

    total: Tensor
    most: Tensor
    centre: Tensor
    reach: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(len(DYNAMICS_FEATURES), HIDDEN)
        self.heads = nn.Linear(HIDDEN, _BOUNDED + BENDS)
        self.idle = nn.Parameter(torch.tensor(_START_IDLE))
        self.typical = nn.Parameter(torch.tensor(_START_COST + _START_QUIET))
        self.load = nn.Parameter(1.0 + torch.randn(len(RESOURCES), BENDS))
        self.size = nn.Parameter(0.1 * torch.randn(len(RESOURCES), BENDS))
        self.rise = nn.Parameter(torch.full((BENDS, 4), -4.0))
        half = torch.tensor([0.5 * MOST_SPREAD] * 5 + [0.5] * 2)
        self.register_buffer("centre", half, persistent=False)
        self.register_buffer("reach", torch.cat([torch.tensor([MOST_COST] * 3 + [MOST_QUIET] * 3), half]), False)
        self.register_buffer("most", torch.tensor([MOST_RISE] * 3 + [MOST_CARRIED]), persistent=False)
        self.register_buffer("total", torch.triu(torch.ones(3, 3)), persistent=False)
        with torch.no_grad():
            self.heads.weight[:_BOUNDED] *= 0.1
            self.heads.bias[:_BOUNDED] = torch.tensor([0.0] * 6 + [_START_SPREAD] * 7)

    def forward(
        self, features: Tensor, users: Tensor, allocation: Tensor, waiting: Tensor, neighbours: Tensor, shares: Tensor,
        noise: Tensor,
    ) -> Tensor:  # fmt: skip
        """Sample a tick.

        Args:
            features: ``[N, features]``, see :data:`~predictors.stgnn.dynamics.features.DYNAMICS_FEATURES`.
            users: ``[N, 1]``.
            allocation: ``[N, 3]``, logs of the present allocation.
            waiting: ``[N, 1]``, p95 of the last tick above the round trip, ms.
            neighbours: ``int64 [N, 1 + D]``; the first is the zone itself.
            shares: ``[N, 1 + D, 1]``, share of each neighbour's demand that comes here; the first is the share of its
                own that goes elsewhere, negative.
            noise: ``[N, 5]``, standard normal: of demand, and that of latency twice.

        Returns:
            ``[N, 8]``: demand of the zone's users (cores, MB that memory tends to, Mbps); p50, p95 and p99 of latency
            above the round trip, ms; the share of the way to its goal that memory goes in the tick, up and down.
        """
        heads = self.read(features)
        deviation, shake, swing = torch.split(heads.spread * noise, [3, 1, 1], dim=1)
        demand = self.demand(heads, users) * torch.exp(deviation)
        served = torch.log(self.served(demand, neighbours, shares))
        service, carried = self.respond(heads, served, served - allocation + shake)
        latency = service * torch.exp(swing) + carried * waiting
        return torch.cat([demand, latency, heads.rates], dim=1)

    def read(self, features: Tensor) -> Heads:
        """Return the heads."""
        heads, bend = torch.split(self.heads(torch.relu(self.encode(features))), [_BOUNDED, BENDS], dim=1)
        bounded = torch.tanh(heads) * self.reach + torch.cat([self.typical, self.centre])
        cost, quiet, spread, rates = torch.split(bounded, list(_SIZES), dim=1)
        return Heads(cost, quiet, spread, rates, bend)

    def demand(self, heads: Heads, users: Tensor) -> Tensor:
        """Return the median demand ``[N, 3]`` of a zone's users."""
        return torch.exp(self.idle) + users * torch.exp(heads.cost)

    def served(self, demand: Tensor, neighbours: Tensor, shares: Tensor) -> Tensor:
        """Return the demand ``[N, 3]`` that each zone serves; what an idle zone needs stays where it is."""
        return demand + table_messages(torch.relu(demand - torch.exp(self.idle)), neighbours, shares)

    def respond(self, heads: Heads, served: Tensor, load: Tensor) -> tuple[Tensor, Tensor]:
        """Return p50, p95, p99 above the round trip ``[…, N, 3]``, ms, and the share of what waits that carries over.

        Args:
            heads: Of the zones.
            served: Log of what they serve, ``[…, N, 3]``.
            load: Log of that over the allocation, ``[…, N, 3]``; more of it never makes either smaller.
        """
        weights = torch.cat([self.size, torch.exp(self.load)])
        bends = torch.sigmoid(torch.cat([served, load], dim=-1) @ weights + heads.bend)
        climbed = torch.tanh(bends @ torch.exp(self.rise)) * self.most
        steps, carried = torch.split(climbed, [3, 1], dim=-1)
        return torch.exp(heads.quiet + steps) @ self.total, carried
