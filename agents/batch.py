"""What environments that step as one batch have in common behind Stable-Baselines3's interface."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices

from metaverse_env.errors import ConfigurationError, LifecycleError

Array = np.ndarray


class Batch(VecEnv):
    """Environments that are one object: what is asked of one is asked of all."""

    _actions: Array | None = None

    @property
    def shared(self) -> Any:
        """Who answers for all of them."""
        return self

    def step_async(self, actions: Array) -> None:
        """Take the actions of the next step, a row for each environment."""
        self._actions = actions

    def taken(self) -> Array:
        """Return the actions of the next step.

        Raises:
            LifecycleError: Without actions before.
        """
        if self._actions is None:
            raise LifecycleError("step_wait before step_async; call step(actions)")
        return self._actions

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of the shared object, once for every environment asked for."""
        return [getattr(self.shared, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuse: the environments share one object.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(f"{attr_name} cannot be set for some of a batch; set it on the whole, for all")

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """Call a method of the shared object once; return its result for every environment asked for.

        Of ``action_masks``, which has a row for each, these rows.
        """
        result, asked = getattr(self.shared, method_name)(*args, **kwargs), list(self._get_indices(indices))
        return [result[world] for world in asked] if method_name == "action_masks" else [result] * len(asked)

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Tell that none is wrapped."""
        return [False] * len(list(self._get_indices(indices)))

    def get_images(self) -> Sequence[Array | None]:
        """Return no pictures; render a single environment of the same seed."""
        return [None] * self.num_envs
