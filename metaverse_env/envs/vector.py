"""The native vector environment: ``W`` worlds in one compiled loop instead of ``W`` Python objects."""

from collections.abc import Sequence
from typing import Any, Final

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from metaverse_env.envs.arguments import check_arguments
from metaverse_env.envs.shell import Shell, Step, episode_length
from metaverse_env.envs.single import NotResetError
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.scenario import Scenario

Array = np.ndarray
_METADATA: Final[dict[str, Any]] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}


def autoreset(mode: str | AutoresetMode) -> AutoresetMode:
    """Return an autoreset mode by its Gymnasium name, ``"NextStep"``, ``"SameStep"`` or ``"Disabled"``."""
    if isinstance(mode, AutoresetMode):
        return mode
    known = {item.value: item for item in AutoresetMode}
    if mode not in known:
        raise UnknownNameError("autoreset mode", mode, known)
    return known[mode]


class MetaverseVectorEnv(gym.vector.VectorEnv[Array, Array, Array]):
    """Many independent worlds of one scenario; row ``i`` seeded ``s`` equals the single environment seeded ``s + i``.

    Autoreset (``metadata["autoreset_mode"]``):

    * ``NextStep`` (default): the step after a truncation ignores its action, starts the world anew and returns its
      first observation with reward 0.
    * ``SameStep``: the truncating step itself returns the new first observation; the old episode's last one stands in
      ``infos["final_obs"]`` where ``infos["_final_obs"]``, its terms in ``infos["final_info"]``.
    * ``Disabled``: the caller resets, with ``options={"reset_mask": mask}``.

    ``infos`` holds the arrays of the single environment's ``info``, batched; ``infos["_KEY"]`` tells in which worlds a
    key means something: a step has no outcome where it started the world anew.

    Args:
        num_envs: ``W``.
        scenario: As for the single environment.
        autoreset_mode: See above.
        max_episode_steps: Shortens the episode; ``episode_ticks=N`` sets its length both ways.
        **arguments: As for :class:`~metaverse_env.envs.shell.Shell`.
    """

    metadata = _METADATA

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "multi_zone",
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        check_arguments(MetaverseVectorEnv, arguments)
        if render_mode is not None:
            raise ConfigurationError(
                "the vector environment draws nothing; render a single environment of the same seed"
            )
        self.shell = Shell(scenario, worlds=num_envs, **arguments)
        self.num_envs, self.render_mode = self.shell.world.worlds, None
        self.metadata = {**_METADATA, "autoreset_mode": autoreset(autoreset_mode)}
        self.single_observation_space = spaces.Box(-1.0, 1.0, (self.shell.observer.size,), np.float32)
        self.single_action_space = self.shell.codec.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.episode_ticks = episode_length(max_episode_steps, self.shell.scenario)
        self._ticks_left = np.zeros(self.num_envs, dtype=np.int64)
        self._everyone = np.ones(self.num_envs, dtype=np.bool_)
        self._nobody = np.zeros(self.num_envs, dtype=np.bool_)

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """What happens to a world whose episode is over."""
        mode: AutoresetMode = self.metadata["autoreset_mode"]
        return mode

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start worlds.

        Args:
            seed: ``s`` gives ``s + i`` to world ``i``; a list gives each its own; ``None`` goes on with the next
                episodes.
            options: ``"reset_mask"``, a ``bool [W]`` that names the worlds to start, all when absent; ``"noise_seed"``
                as for the single environment, plus ``i`` for world ``i``.

        Raises:
            ConfigurationError: Another number of seeds, or a mask of another shape or type.
        """
        options, seeds = options or {}, [None] * self.num_envs if seed is None else seed
        if isinstance(seeds, int | np.integer):
            seeds = [seeds + i for i in range(self.num_envs)]
        mask = options.get("reset_mask")
        observation = self.shell.reset(seeds, mask, options.get("noise_seed"))
        started = self._everyone if mask is None else mask
        self._ticks_left[started] = self.episode_ticks
        return observation, self._infos(None, started)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Let one tick pass in every world.

        Raises:
            LifecycleError: Before reset; or after a truncation, when autoreset is disabled.
            ActionError: Actions outside :attr:`action_space`.
        """
        over = self._ticks_left == 0
        if not self.shell.started or (over.any() and self.autoreset_mode is AutoresetMode.DISABLED):
            raise NotResetError("an episode is over, or was never started; call reset() before step()")
        last = self.shell.step(actions)
        self._ticks_left -= 1
        truncated = self._ticks_left == 0
        observation, rewards = last.observation, last.reward.worlds["reward"].astype(np.float64)
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            restarting, final = truncated, {"final_obs": observation, "final_info": self._infos(last, self._nobody)}
        else:  # NextStep: this step is the start of a new episode, whatever the action
            restarting, final = over, {}
            rewards[over] = 0.0
        if not restarting.any():
            return observation, rewards, self._nobody.copy(), truncated, self._infos(last, restarting)
        observation = self.shell.reset([None] * self.num_envs, restarting)
        self._ticks_left[restarting] = self.episode_ticks
        infos = self._infos(last, restarting) | final | {f"_{key}": restarting for key in final}
        return observation, rewards, self._nobody.copy(), truncated, infos

    def action_masks(self) -> Array:
        """Return which actions do something of their own in each world: ``bool [W, n]``; as the single environment's.

        Raises:
            LifecycleError: Before the first reset.
            ActionError: With ``action_type="continuous"``.
        """
        return self.shell.action_masks()

    def _infos(self, last: Step | None, started: Array) -> dict[str, Any]:
        """Return what is known of the last step; in worlds that just ``started`` there was none."""
        telemetry = self.shell.view.telemetry
        infos: dict[str, Any] = {"telemetry": telemetry.zones, "time_s": telemetry.weather["time_s"]}
        infos["price_factor"] = telemetry.weather["price_factor"]
        masks = {f"_{key}": self._everyone for key in infos}
        if last is not None:
            terms = last.reward.worlds
            infos["outcome"] = last.tick.outcome.zones
            infos["reward_terms"] = {name: terms[name] for name in terms.dtype.names or ()}
            masks |= {"_outcome": ~started, "_reward_terms": ~started}
        return infos | masks

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
