"""The native vector environment: ``W`` worlds in one compiled loop instead of ``W`` Python objects."""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from metaverse_env.envs.shell import Shell, Step
from metaverse_env.envs.single import NotReset
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.scenario import Scenario

Array = np.ndarray


def autoreset(mode: str | AutoresetMode) -> AutoresetMode:
    """Return an autoreset mode by its Gymnasium name, ``"NextStep"``, ``"SameStep"`` or ``"Disabled"``."""
    if isinstance(mode, AutoresetMode):
        return mode
    known = {item.value: item for item in AutoresetMode}
    if mode not in known:
        raise UnknownNameError("autoreset mode", mode, known)
    return known[mode]


class MetaverseVectorEnv(gym.vector.VectorEnv[Array, Array, Array]):
    """Many independent worlds of the same scenario; row ``i`` seeded ``s`` equals the single environment seeded ``s + i``.

    Autoreset (``metadata["autoreset_mode"]``):

    * ``NextStep`` (default): the step after a truncation ignores its action, starts the world anew and returns its first
      observation with reward 0.
    * ``SameStep``: the truncating step itself returns the new first observation; the old episode's last one stands in
      ``infos["final_obs"]`` where ``infos["_final_obs"]``, its terms in ``infos["final_info"]``.
    * ``Disabled``: the caller resets, with ``options={"reset_mask": mask}``.

    ``infos`` holds the arrays of :class:`~metaverse_env.envs.single.MetaverseEnv`'s ``info``, batched.

    Args:
        num_envs: ``W``.
        scenario: As for the single environment.
        autoreset_mode: See above.
        max_episode_steps: Ticks until truncation; the scenario's when ``None``.
        **arguments: As for :class:`~metaverse_env.envs.shell.Shell`.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "multi_zone",
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        if render_mode is not None:
            raise ConfigurationError(
                "the vector environment draws nothing; render a single environment of the same seed"
            )
        self.shell = Shell(scenario, worlds=num_envs, **arguments)
        self.num_envs, self.render_mode = self.shell.world.worlds, None
        self.metadata = {**type(self).metadata, "autoreset_mode": autoreset(autoreset_mode)}
        self.single_observation_space = spaces.Box(-1.0, 1.0, (self.shell.observer.size,), np.float32)
        self.single_action_space = self.shell.codec.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.episode_ticks = max_episode_steps or self.shell.scenario.episode_ticks
        self._ticks_left = np.zeros(self.num_envs, dtype=np.int64)
        self._everyone = np.ones(self.num_envs, dtype=np.bool_)
        self._nobody = np.zeros(self.num_envs, dtype=np.bool_)

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """What happens to a world whose episode is over."""
        mode: AutoresetMode = self.metadata["autoreset_mode"]
        return mode

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all worlds, or those of ``options["reset_mask"]``; a single ``seed`` gives ``seed + i`` to world ``i``."""
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int | np.integer) else seed
        seeds = [None] * self.num_envs if seeds is None else list(seeds)
        if len(seeds) != self.num_envs:
            raise ConfigurationError(f"needs one seed or {self.num_envs}, got {len(seeds)}")
        mask = (options or {}).get("reset_mask", self._everyone)
        observation = self.shell.reset(seeds, None if mask.all() else mask)
        self._ticks_left[mask] = self.episode_ticks
        return observation, self._infos(None)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Let one tick pass in every world.

        Raises:
            LifecycleError: Before reset; or after a truncation, when autoreset is disabled.
            ActionError: Actions outside :attr:`action_space`.
        """
        over = self._ticks_left == 0
        if not self.shell.started or (over.any() and self.autoreset_mode is AutoresetMode.DISABLED):
            raise NotReset("an episode is over, or was never started; call reset() before step()")
        last = self.shell.step(actions)
        self._ticks_left -= 1
        truncated = self._ticks_left == 0
        observation, rewards, infos = (
            last.observation,
            last.reward.worlds["reward"].astype(np.float64),
            self._infos(last),
        )
        if over.any():  # NextStep: this step is the start of a new episode
            observation = self._restart(observation, over)
            rewards[over] = 0.0
            truncated &= ~over
        if truncated.any() and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos |= {
                "final_obs": observation.copy(),
                "_final_obs": truncated,
                "final_info": infos.copy(),
                "_final_info": truncated,
            }
            observation = self._restart(observation, truncated)
        return observation, rewards, self._nobody.copy(), truncated, infos

    def _restart(self, observation: Array, worlds: Array) -> Array:
        """Start the next episode of some worlds; return the observations with theirs replaced."""
        fresh = self.shell.reset([None] * self.num_envs, worlds)
        self._ticks_left[worlds] = self.episode_ticks
        return np.where(worlds[:, None], fresh, observation)

    def _infos(self, last: Step | None) -> dict[str, Any]:
        telemetry = self.shell.view.telemetry
        infos: dict[str, Any] = {"telemetry": telemetry.zones, "time_s": telemetry.weather["time_s"]}
        infos["price_factor"] = telemetry.weather["price_factor"]
        if last is not None:
            infos["outcome"] = last.tick.outcome.zones
            infos["reward_terms"] = {name: last.reward.worlds[name] for name in last.reward.worlds.dtype.names or ()}
        return infos | {f"_{key}": self._everyone for key in infos}

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to close."""


def single_zone(num_envs: int = 1, scenario: str | Scenario = "single_zone", **arguments: Any) -> MetaverseVectorEnv:
    """Make the vector environment of ``Metaverse/SingleZone-v0``."""
    env = MetaverseVectorEnv(num_envs, scenario, **arguments)
    zones = len(env.shell.world.zones)
    if zones != 1:
        raise ConfigurationError(f"Metaverse/SingleZone-v0 has one zone, got {zones}; use Metaverse/MultiZone-v0")
    return env


def multi_zone(num_envs: int = 1, scenario: str | Scenario = "multi_zone", **arguments: Any) -> MetaverseVectorEnv:
    """Make the vector environment of ``Metaverse/MultiZone-v0``."""
    return MetaverseVectorEnv(num_envs, scenario, **arguments)


def complex_zones(num_envs: int = 1, scenario: str | Scenario = "complex", **arguments: Any) -> MetaverseVectorEnv:
    """Make the vector environment of ``Metaverse/Complex-v0``."""
    return MetaverseVectorEnv(num_envs, scenario, **arguments)
