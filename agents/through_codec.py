"""Classical controllers through the eye of the needle that learned ones pass: coded actions.

A learned policy cannot ask for 3.7 cores, only for one of a few factors times what is pending. :class:`ThroughCodec`
binds a classical controller to the same choices, so that a benchmark can show what the coding alone costs.
"""

import numpy as np

from metaverse_env.action import ActionCodec
from metaverse_env.contracts import Policy, View, World, reveal
from metaverse_env.errors import ActionError, LifecycleError
from metaverse_env.scenario import Scenario
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

_SAME = 1e-4
"""Relative surplus over whole pods that is rounding; the world's own tolerance."""


def whole_pods(allocation: Array, pod_size: Array) -> Array:
    """Round an allocation ``[..., 3]`` up to what a world with ``scaling="horizontal"`` makes of it.

    >>> whole_pods(np.array([0.6, 512.0, 20.0]), np.array([0.5, 1024.0, 100.0]))
    array([1.000e+00, 2.048e+03, 2.000e+02])
    """
    pods = np.ceil(allocation / pod_size - _SAME).max(axis=-1, keepdims=True)
    rounded: Array = np.maximum(pods, 1.0) * pod_size
    return rounded


class Encoder:
    """Finds the discrete action whose command is nearest to a wanted one: the inverse of the codec's decoding.

    Nearest is the least ``|log(coded / wanted)|``, resource by resource, and the least difference in hand-over. The
    codec itself says what each choice gives, limits and whole pods included.

    Args:
        scenario: Gives the factors, shares and the scaling.
        names: The zones that one action steers.
    """

    def __init__(self, scenario: Scenario, names: tuple[str, ...]) -> None:
        actuation = scenario.actuation
        self.codec = ActionCodec(scenario, names)
        self._pod_size = np.array(actuation.pod_size) if scenario.scaling == "horizontal" else None
        self._factors, self._shares = len(actuation.factors), np.array(actuation.handover_shares, dtype=np.float32)
        self._scales = 3 if self._pod_size is None else 1

    def encode(self, command: Command, pending: Command) -> Array:
        """Return actions as :meth:`~metaverse_env.action.ActionCodec.decode` takes them.

        Args:
            command: What is wanted, ``[W, Z]``.
            pending: The command given last, which an action scales.

        Returns:
            ``int64 [W]`` for one zone, else ``int64 [W, Z x choices]``.

        Raises:
            ActionError: An allocation that is wanted is not positive.
        """
        if not (command.allocation > 0.0).all():
            raise ActionError("a command through the codec needs positive allocations: a factor never reaches zero")
        chosen = [self._nearest_factors(command.allocation, pending)]
        if len(self.codec.choices) > self._scales:
            chosen.append(np.abs(command.handover[..., None] - self._shares).argmin(axis=-1)[..., None])
        return self._coded(np.concatenate(chosen, axis=-1))

    def _nearest_factors(self, wanted: Array, pending: Command) -> Array:
        """Return the index of the nearest factor, ``[W, Z, scales]``."""
        wanted = wanted if self._pod_size is None else whole_pods(wanted, self._pod_size)
        offered = np.stack([self._offered(factor, pending) for factor in range(self._factors)])
        nearest: Array = np.abs(np.log(offered / wanted)).argmin(axis=0)
        return nearest[..., : self._scales]

    def _offered(self, factor: int, pending: Command) -> Array:
        """Return what one factor for everything gives, ``[W, Z, 3]``."""
        choices = np.zeros((*pending.zones.shape, len(self.codec.choices)), dtype=np.int64)
        choices[..., : self._scales] = factor
        return self.codec.decode(self._coded(choices), pending).allocation

    def _coded(self, choices: Array) -> Array:
        """Turn choices ``[W, Z, choices]`` into actions."""
        if self.codec.single:
            indices = tuple(np.moveaxis(choices[:, 0], -1, 0))
            numbers: Array = np.ravel_multi_index(indices, tuple(self.codec.choices))
            return numbers
        return choices.reshape(len(choices), -1)


class ThroughCodec:
    """A policy whose commands are replaced by the nearest that a coded action can give.

    Args:
        policy: Decides what is wanted.
        scenario: Of the world that is commanded.
    """

    def __init__(self, policy: Policy, scenario: Scenario) -> None:
        self.policy, self.scenario = policy, scenario
        self.clairvoyant = bool(getattr(policy, "clairvoyant", False))
        self._encoder: Encoder | None = None

    def bind(self, world: World) -> None:
        """Hand a clairvoyant policy its world."""
        reveal(self.policy, world)

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Start the policy anew."""
        self._encoder = Encoder(self.scenario, zones.names)
        self.policy.reset(zones, worlds)

    def act(self, view: View) -> Command:
        """Return the nearest coded command.

        Raises:
            LifecycleError: Before reset.
        """
        if self._encoder is None:
            raise LifecycleError("act before reset; call reset(zones, worlds) first")
        actions = self._encoder.encode(self.policy.act(view), view.pending)
        return self._encoder.codec.decode(actions, view.pending)
