"""PettingZoo: every zone is an agent, with a local reward and a share of the global one."""

from collections import deque
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from metaverse_env.envs.arguments import check_arguments
from metaverse_env.envs.shell import Shell, Step, episode_length
from metaverse_env.envs.single import NotResetError
from metaverse_env.errors import ActionError, ConfigurationError, UnknownNameError
from metaverse_env.observation import WORLD_FEATURES
from metaverse_env.rendering import open_viewer
from metaverse_env.rendering.snapshot import TRAIL_TICKS
from metaverse_env.reward import Reward
from metaverse_env.scenario import Scenario
from metaverse_env.telemetry import Records

Array = np.ndarray
_METADATA: Final[dict[str, Any]] = {
    "name": "metaverse_v0",
    "render_modes": ["human", "rgb_array"],
    "is_parallelizable": True,
    "render_fps": 20,
}


class MetaverseParallelEnv(ParallelEnv[str, Array, Any]):
    """One world whose zones act at once; agents are named like their zones and never die early.

    An agent observes its zone's features (neighbours and node pooled in) and the world's; it receives
    ``(1 - g) local + g global`` reward with ``g = global_weight``. ``state()`` is the whole world's observation, for a
    centralised critic. After a step ``infos[agent]`` has its ``telemetry`` and ``outcome`` (records), ``local_reward``
    and ``global_reward``; after a reset ``env.shell.telemetry`` has what is observed.

    Args:
        scenario: As for the Gymnasium environment.
        global_weight: ``g`` in [0, 1].
        render_mode: ``"human"``, ``"rgb_array"`` or ``None``.
        max_episode_steps: Shortens the episode; ``episode_ticks=N`` sets its length both ways.
        **arguments: As for :class:`~metaverse_env.envs.shell.Shell`.

    Raises:
        ConfigurationError: ``global_weight`` outside [0, 1].
    """

    metadata = _METADATA

    def __init__(
        self,
        scenario: str | Scenario = "multi_zone",
        global_weight: float = 0.5,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **arguments: Any,
    ) -> None:
        check_arguments(MetaverseParallelEnv, arguments)
        if not 0.0 <= global_weight <= 1.0:
            raise ConfigurationError(f"global_weight = {global_weight}; must be in [0, 1]")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnknownNameError("render mode", render_mode, self.metadata["render_modes"])
        if render_mode is not None:  # a picture says what was changed, and so needs the tick before
            arguments = {"remember": True, **arguments}
        self.shell = Shell(scenario, **arguments)
        self.global_weight, self.render_mode = global_weight, render_mode
        self.possible_agents = list(self.shell.world.zones.names)
        self.agents: list[str] = []
        width = len(self.shell.observer.zone_features) + len(WORLD_FEATURES)
        self.observation_spaces = {agent: spaces.Box(-1.0, 1.0, (width,), np.float32) for agent in self.possible_agents}
        self.action_spaces = {agent: self.shell.codec.zone_space() for agent in self.possible_agents}
        self.state_space = spaces.Box(-1.0, 1.0, (self.shell.observer.size,), np.float32)
        self.episode_ticks = episode_length(max_episode_steps, self.shell.scenario)
        self._ticks_left = 0
        self._last: Step | None = None
        self._state: Array = np.zeros(self.shell.observer.size, dtype=np.float32)
        self._viewer: Any = None
        self._unseen: deque[Reward] = deque(maxlen=TRAIL_TICKS)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the agent's observation space, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the agent's action space, always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Start an episode; as for the Gymnasium environment.

        The infos are empty: libraries that lay infos out as tensors take a reset's as the form of all later ones.
        """
        self._state = self.shell.reset([seed], noise_seed=(options or {}).get("noise_seed"))[0]
        self.agents, self._ticks_left, self._last = list(self.possible_agents), self.episode_ticks, None
        self._unseen.clear()
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Let one tick pass under every agent's action.

        Raises:
            LifecycleError: Before reset, or after the end.
            ActionError: An agent is missing, unknown, or its action is outside its space.
        """
        if not self.agents:
            raise NotResetError("the episode is over, or was never started; call reset() before step()")
        last = self._last = self.shell.step(self._joint(actions)[None])
        self._state, self._ticks_left = last.observation[0], self._ticks_left - 1
        agents, over = self.agents, self._ticks_left == 0
        rewards = dict(zip(agents, last.reward.mixed(self.global_weight)[0].tolist(), strict=True))
        observations, infos = self._observations(), self._infos(last)
        if over:
            self.agents = []
        if self.render_mode is not None:
            self._unseen.append(last.reward)
        if self.render_mode == "human":
            self.render()
        return observations, rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, over), infos

    def _joint(self, actions: dict[str, Any]) -> Array:
        """Return one action of the shell from every agent's."""
        if actions.keys() != set(self.agents):
            missing, unknown = set(self.agents) - actions.keys(), actions.keys() - set(self.agents)
            raise ActionError(f"every zone needs an action; missing: {sorted(missing)}, unknown: {sorted(unknown)}")
        shape = (len(self.shell.codec.choices),)
        for agent in self.agents:
            if np.shape(actions[agent]) != shape:
                raise ActionError(f"zone {agent!r}: an action needs shape {shape}, got {np.shape(actions[agent])}")
        return np.array([actions[agent] for agent in self.agents])

    def _observations(self) -> dict[str, Array]:
        width, zones = len(self.shell.observer.zone_features), len(self.possible_agents)
        rows = self._state[: width * zones].reshape(zones, width)
        world = np.broadcast_to(self._state[width * zones :], (zones, len(WORLD_FEATURES)))
        return dict(zip(self.agents, np.concatenate([rows, world], axis=1), strict=True))

    def _infos(self, last: Step) -> dict[str, dict[str, Any]]:
        telemetry, outcome = last.tick.telemetry.zones[0], last.tick.outcome.zones[0]
        said = {} if last.tick.report is None else {"report": last.tick.report}
        local, together = last.reward.zones["local"][0].tolist(), float(last.reward.worlds["reward"][0])
        return {
            agent: {
                "telemetry": Records(telemetry[z]),
                "outcome": Records(outcome[z]),
                "local_reward": local[z],
                "global_reward": together,
                **said,
            }
            for z, agent in enumerate(self.agents)
        }

    def state(self) -> Array:
        """Return the whole world's observation, ``float32 [size]``."""
        return self._state.copy()

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


def parallel_env(scenario: str | Scenario = "multi_zone", **arguments: Any) -> MetaverseParallelEnv:
    """Make the PettingZoo parallel environment; see :class:`MetaverseParallelEnv`."""
    return MetaverseParallelEnv(scenario, **arguments)


def env(scenario: str | Scenario = "multi_zone", **arguments: Any) -> AECEnv[str, Array, Any]:
    """Make the PettingZoo AEC environment: the same world, one agent after the other."""
    return wrappers.OrderEnforcingWrapper(parallel_to_aec(parallel_env(scenario, **arguments)))
