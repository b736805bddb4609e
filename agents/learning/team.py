"""Worlds as Stable-Baselines3 trains on them: every zone of every world is an agent, a row of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from agents.batch import Batch
from agents.learning.dead_band import DeadBand
from agents.learning.pay import Pay
from agents.learning.rows import ZoneRows
from agents.learning.tally import Tally
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.units import RESOURCES

Array = np.ndarray
NOTHING: Final[dict[str, Any]] = {}
"""The info of an agent in whose step nothing happened that a learner must know; shared, for there are thousands."""


@dataclass
class _Group:
    """Worlds of one scenario in one shell, and which of the batch are their agents."""

    shell: Shell
    rows: ZoneRows
    ticks_left: Array
    agents: slice


def _groups(shells: Sequence[Shell]) -> list[_Group]:
    groups, first = [], 0
    for shell in shells:
        rows = ZoneRows(shell.world.zones, len(shell.observer.zone_features))
        last = first + shell.world.worlds * rows.zones
        groups.append(_Group(shell, rows, np.zeros(shell.world.worlds, dtype=np.int64), slice(first, last)))
        first = last
    return groups


class TeamVecEnv(Batch):
    """Every zone of every world as an agent of its own, in one batch.

    Args:
        shells: Worlds, one shell for each scenario; all of one action type and one layout of observations.
        pay: What agents are rewarded for; may be replaced at any time.
        dead_band: What is not worth a change.
        central: Whether rows have what a central critic sees.
        joint: Whether an action is one number, of a combination of a zone's factors, as DQN needs it.
        seed: World ``w`` of the first shell starts from ``seed + w``, and so on.

    Raises:
        ConfigurationError: The shells differ in what their zones choose from.
    """

    def __init__(
        self,
        shells: Sequence[Shell],
        pay: Pay,
        dead_band: DeadBand,
        central: bool = True,
        joint: bool = False,
        seed: int = 0,
    ) -> None:
        self.pay, self.dead_band, self.central, self.joint = pay, dead_band, central, joint
        self.tally, self.render_mode = Tally(), None
        self._groups = _groups(shells)
        self.rows = self._groups[0].rows
        space = shells[0].codec.zone_space()
        if any(shell.codec.zone_space() != space for shell in shells):
            raise ConfigurationError("the worlds of one training need zones that choose from the same")
        self.choices = shells[0].codec.choices[: len(RESOURCES)] if joint else shells[0].codec.choices
        self.factors = shells[0].scenario.actuation.factors
        size = self.rows.critic_size if central else self.rows.actor_size
        actions = spaces.Discrete(int(np.prod(self.choices))) if joint else space
        super().__init__(self._groups[-1].agents.stop, spaces.Box(-1.0, 1.0, (size,), np.float32), actions)
        self._first_seed: int | None = seed

    def replace(self, shells: Sequence[Shell]) -> None:
        """Go on in other worlds, of as many agents; call :meth:`reset` then.

        Raises:
            ConfigurationError: Of another number of agents.
        """
        groups = _groups(shells)
        if groups[-1].agents.stop != self.num_envs:
            raise ConfigurationError(f"{groups[-1].agents.stop} agents cannot replace {self.num_envs}")
        self._groups = groups

    def reset(self) -> Array:
        """Start all worlds; the first time from the seed, later with what comes next."""
        parts, seed = [], self._first_seed
        for group in self._groups:
            worlds = group.shell.world.worlds
            seeds = [None if seed is None else seed + w for w in range(worlds)]
            seed = None if seed is None else seed + worlds
            length = group.shell.scenario.episode_ticks
            group.ticks_left[:] = length - np.arange(worlds) * length // worlds  # so that they do not end together
            parts.append(self._rows(group, group.shell.reset(seeds)))
        self._first_seed = None
        return np.concatenate(parts)

    def step_wait(self) -> VecEnvStepReturn:
        """Return rows, rewards, dones and infos of the step.

        Raises:
            LifecycleError: Without actions before.
        """
        taken = self.taken()
        infos: list[dict[str, Any]] = [NOTHING] * self.num_envs
        parts = [self._step(group, self._decided(group, taken[group.agents]), infos) for group in self._groups]
        observations, rewards, dones = (np.concatenate(part) for part in zip(*parts, strict=True))
        return observations, rewards, dones, infos

    def _decided(self, group: _Group, actions: Array) -> Array:
        """Return what the codec takes of each agent, ``[agents, choices]``."""
        if not self.joint:
            return self.dead_band.apply(actions, group.shell.view.pending.allocation.reshape(len(actions), -1))
        factors = np.stack(np.unravel_index(actions, self.choices), axis=1)
        return np.pad(factors, ((0, 0), (0, len(self._groups[0].shell.codec.choices) - len(self.choices))))

    def _step(self, group: _Group, actions: Array, infos: list[dict[str, Any]]) -> tuple[Array, Array, Array]:
        shell, zones = group.shell, group.rows.zones
        step = shell.step(actions.reshape(shell.world.worlds, zones, -1))
        self.tally.add(step.reward.worlds)
        rewards = self.pay.rewards(
            step,
            shell.constants.zones["peak_eur_per_h"],
            shell.scenario.cost.violated_eur_per_user_h,
            shell.world.tick_s,
        )
        group.ticks_left -= 1
        over, rows = group.ticks_left == 0, self._rows(group, step.observation)
        dones = np.repeat(over, zones)
        for agent in np.flatnonzero(dones):
            infos[group.agents.start + agent] = {"terminal_observation": rows[agent], "TimeLimit.truncated": True}
        if over.any():
            rows = self._rows(group, shell.reset([None] * len(over), over))
            group.ticks_left[over] = shell.scenario.episode_ticks
        return rows, rewards.ravel(), dones

    def _rows(self, group: _Group, observation: Array) -> Array:
        return group.rows.critic(observation) if self.central else group.rows.actor(observation)
