"""The Gymnasium environment of one world: :class:`MetaverseEnv`, and what its ids preset."""

from collections import deque
from typing import Any, Final

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from metaverse_env.envs.arguments import check_arguments
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ConfigurationError, LifecycleError, UnknownNameError
from metaverse_env.rendering import open_viewer
from metaverse_env.rendering.snapshot import TRAIL_TICKS
from metaverse_env.reward import Reward
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.records import WORLD_REWARD
from metaverse_env.telemetry import Records, Telemetry

Array = np.ndarray
_METADATA: Final[dict[str, Any]] = {"render_modes": ["human", "rgb_array"], "render_fps": 20}
_TERMS: Final = WORLD_REWARD.names or ()


class NotResetError(LifecycleError, ResetNeeded):
    """An environment that was stepped before its first reset, or after its end; Gymnasium's own error too."""


class MetaverseEnv(gym.Env[Array, Any]):
    """One world of metaverse zones: scale what each zone is given, at the lowest cost that keeps latency.

    Observation: ``float32`` vector in [-1, 1]; :mod:`metaverse_env.observation` names every entry.
    Action: factors for each resource of each zone and the share of new sessions to hand over; see
    :mod:`metaverse_env.action`. Reward: the global one of :mod:`metaverse_env.reward`. An episode is truncated after
    ``episode_ticks`` (240 ticks, one hour, unless the scenario or the argument says otherwise) and never terminates.
    ``max_episode_steps`` of ``gym.make`` can only shorten it: Gymnasium keeps it to itself and counts outside, so that
    this environment does not know of it. ``episode_ticks=N`` sets the length both ways.

    ``info`` holds ``telemetry`` and ``outcome`` (records ``[Z]``, what was observed and what truly happened),
    ``reward_terms`` (EUR per hour and shares), ``time_s`` within the week and ``price_factor``; every column stands in
    ``docs/info.md``, which :mod:`metaverse_env.info` prints. Where the world is a cluster, ``report`` is what it has to
    say of the tick.

    Args:
        scenario: A name of the catalogue, a TOML or YAML file, or a scenario.
        render_mode: ``"human"`` (a window), ``"rgb_array"``, or ``None``.
        **arguments: Everything that :class:`~metaverse_env.envs.shell.Shell` takes: ``dynamics``, ``forecaster``,
            ``scaling``, ``episode_ticks``, ``action_type``, ``trace``, ``mean_users``, ``world``.

    Raises:
        UnknownNameError: The name of a part that there is not.
        UnknownArgumentError: An argument that there is not.
    """

    metadata = _METADATA

    def __init__(
        self, scenario: str | Scenario = "multi_zone", render_mode: str | None = None, **arguments: Any
    ) -> None:
        check_arguments(MetaverseEnv, arguments)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnknownNameError("render mode", render_mode, self.metadata["render_modes"])
        if render_mode is not None:  # a picture says what was changed, and so needs the tick before
            arguments = {"remember": True, **arguments}
        self.shell = Shell(scenario, **arguments)
        if self.shell.world.worlds != 1:
            raise ConfigurationError(f"an environment has one world, got {self.shell.world.worlds}; use gym.make_vec")
        self.observation_space = spaces.Box(-1.0, 1.0, (self.shell.observer.size,), np.float32)
        self.action_space = self.shell.codec.space
        self.render_mode = render_mode
        self._ticks_left = 0
        self._last: Step | None = None
        self._viewer: Any = None
        self._unseen: deque[Reward] = deque(maxlen=TRAIL_TICKS)

    @property
    def scenario(self) -> Scenario:
        """The constants of this world."""
        return self.shell.scenario

    @property
    def episode_ticks(self) -> int:
        """Ticks until truncation; a ``max_episode_steps`` of ``gym.make`` comes on top, as a limit of its own."""
        return self.scenario.episode_ticks

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Makes it reproducible to the byte; without one, the next episode of the last seed.
            options: ``{"noise_seed": n}`` varies demand noise, delays and metrics while users stay the same.
        """
        super().reset(seed=seed)
        observation = self.shell.reset([seed], noise_seed=(options or {}).get("noise_seed"))
        self._ticks_left, self._last = self.episode_ticks, None
        self._unseen.clear()
        if self.render_mode == "human":
            self.render()
        return observation[0], self._info(self.shell.telemetry)

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Let one tick pass; see the class.

        Raises:
            LifecycleError: Before reset, or after truncation.
            ActionError: An action outside :attr:`action_space`.
        """
        if self._ticks_left <= 0:
            raise NotResetError("the episode is over, or was never started; call reset() before step()")
        last = self._last = self.shell.step(action[None] if isinstance(action, np.ndarray) else [action])
        self._ticks_left -= 1
        if self.render_mode is not None:
            self._unseen.append(last.reward)
        if self.render_mode == "human":
            self.render()
        info = self._info(last.tick.telemetry)
        info["outcome"] = Records(last.tick.outcome.zones[0])
        info["reward_terms"] = terms = dict(zip(_TERMS, last.reward.worlds.item()))  # noqa: B905 (checking costs .2 us)
        if last.tick.report is not None:
            info["report"] = last.tick.report
        return last.observation[0], terms["reward"], False, self._ticks_left == 0, info

    def action_masks(self) -> Array:
        """Return which actions do something of their own now, as MaskablePPO of sb3-contrib asks.

        Near a limit, several factors ask for the same allocation; only the one nearest to 1 is True then. Most of them
        are False under ``scaling="horizontal"`` with few pods.

        Returns:
            ``bool [n]`` for a ``Discrete(n)``, ``bool [sum(nvec)]`` for a ``MultiDiscrete``.

        Raises:
            LifecycleError: Before the first reset.
            ActionError: With ``action_type="continuous"``.
        """
        mask: Array = self.shell.action_masks()[0]
        return mask

    def _info(self, telemetry: Telemetry) -> dict[str, Any]:
        time_s, price_factor = telemetry.weather.item()
        return {"telemetry": Records(telemetry.zones[0]), "time_s": time_s, "price_factor": price_factor}

    def render(self) -> Any:
        """Return the picture ``uint8 [height, width, 3]`` (``"rgb_array"``), or show it (``"human"``)."""
        if self.render_mode is None:
            return None
        if self._viewer is None:
            self._viewer = open_viewer(self.render_mode, self.metadata["render_fps"])
        for reward in list(self._unseen)[:-1]:  # the last one is that of the tick that is drawn
            self._viewer.note(self.shell, reward)
        self._unseen.clear()
        return self._viewer.show(self.shell, self._last)

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
