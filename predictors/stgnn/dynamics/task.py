"""What the dynamics learns: the tick that is under way, as a likelihood of what was seen of it."""

import math
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from metaverse_env.units import MEMORY
from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording
from predictors.stgnn.dynamics.batches import Batch, make_batch
from predictors.stgnn.dynamics.losses import draw_between, surprise, weighted_mean
from predictors.stgnn.dynamics.model import DynamicsNet, Heads
from predictors.stgnn.task import Task

Array = np.ndarray

_MOST_KEPT: Final = 0.95
_MOST_SHOWN: Final = 4.0


class Used(NamedTuple):
    """Median and standard deviation of the logs of what is used at a zone, ``[N, 3]``: cores, MB, Mbps."""

    median: Tensor
    spread: Tensor


class Latency(NamedTuple):
    """Latency under each of ``K`` loads that there may have been."""

    median: Tensor  # [K, N, 3], of the logs of p50, p95, p99 above the round trip, ms
    spread: Tensor  # [K, N, 1]


class DynamicsTask(Task[DynamicsNet]):
    """The tick that is under way: demand from people, memory and latency from the load that came of it."""

    kind: Kind = "dynamics"
    steps = 600
    batch_zones = 512
    rate = 6e-3

    @property
    def first_and_last(self) -> tuple[int, int]:
        """From the second tick on."""
        return 1, 0

    def build(self) -> DynamicsNet:
        """Return a network with random weights."""
        return DynamicsNet()

    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> Batch:
        """Return what the network reads, what was seen, and what of it counts."""
        return make_batch(recording, ticks, worlds)

    def loss(self, net: DynamicsNet, batch: Batch) -> Tensor:
        """Return the negative log-likelihood of what was seen of demand, memory and latency."""
        used, latency = self.predict(net, batch)
        demand = surprise(used.median, used.spread, batch["used"], batch["bound"])
        bound = batch["latency_bound"]
        waits = surprise(latency.median, latency.spread, batch["latency"], bound).sum(dim=2)
        mean = math.log(len(waits)) - torch.logsumexp(-waits, dim=0)
        return weighted_mean(demand, batch["counts"]) + weighted_mean(mean, batch["latency_counts"])

    def predict(self, net: DynamicsNet, batch: Batch) -> tuple[Used, Latency]:
        """Return what is to be used, and latency."""
        heads = net.read(batch["features"])
        wanted = net.served(net.demand(heads, batch["users"]), batch["neighbours"], batch["shares"])
        spread = heads.spread[:, :3]
        used = _remembering(heads, wanted, spread, batch["memory"])
        likely = Used(torch.log(wanted).detach(), spread.detach())
        with torch.no_grad():
            known = _going_on(likely, _shown_before(net, batch), batch)
        served = draw_between(known.median, known.spread, batch["low"], batch["high"], batch["ranks"])
        served[:, :, MEMORY] = likely.median[:, MEMORY]
        return used, _responding(net, heads, served, batch)


def _shown_before(net: DynamicsNet, batch: Batch) -> Tensor:
    """Return by how many standard deviations each zone deviated a tick ago, ``[N, 3]``; 0 where that is not known."""
    heads = net.read(batch["before_features"])
    wanted = net.served(net.demand(heads, batch["before_users"]), batch["neighbours"], batch["shares"])
    shown = (batch["before_used"] - torch.log(wanted)) / heads.spread[:, :3]
    return torch.clamp(batch["before_exact"] * shown, -_MOST_SHOWN, _MOST_SHOWN)


def _going_on(likely: Used, before: Tensor, batch: Batch) -> Used:
    """Return what zones wanted, given how they deviated a tick ago: one that wanted much then still does.

    How much of that lasts is read off the zones of which both is known.
    """
    now = torch.clamp((batch["used"] - likely.median) / likely.spread, -_MOST_SHOWN, _MOST_SHOWN)
    both = batch["exact"] * batch["before_exact"]
    sizes = (both * before**2).sum(dim=0) * (both * now**2).sum(dim=0)
    kept = torch.clamp((both * before * now).sum(dim=0) / torch.sqrt(sizes + 1e-9), 0.0, _MOST_KEPT)
    left = torch.sqrt(1.0 - (kept * batch["before_exact"]) ** 2)
    return Used(likely.median + kept * before * likely.spread, left * likely.spread)


def _responding(net: DynamicsNet, heads: Heads, served: Tensor, batch: Batch) -> Latency:
    """Return latency; its spread is how much higher p95 is when the noise is one deviation up."""
    shake, swing = torch.split(heads.spread[:, 3:], 1, dim=1)
    load = served - batch["allocation"]
    service, carried = net.respond(heads, served, load)
    median = torch.log(service + carried * batch["waiting"])
    service, carried = net.respond(heads, served, load + shake)
    higher = torch.log(torch.exp(swing) * service + carried * batch["waiting"])
    return Latency(median, (higher - median)[..., 1:2])


def _remembering(heads: Heads, wanted: Tensor, spread: Tensor, memory: Tensor) -> Used:
    """Return what is used: CPU and bandwidth as wanted, memory on its way from ``memory [N, 1]``, MB."""
    goal = wanted[:, MEMORY : MEMORY + 1]
    up, down = torch.split(heads.rates, 1, dim=1)
    rate = torch.where(goal > memory, up, down)
    held = memory + rate * (goal - memory)
    deviation = rate * goal / held * spread[:, MEMORY : MEMORY + 1]
    parts = ((wanted, held), (spread, deviation))
    used, deviations = (torch.cat([rates[:, :1], slow, rates[:, 2:]], dim=1) for rates, slow in parts)
    return Used(torch.log(used), deviations)
