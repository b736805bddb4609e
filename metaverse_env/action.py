"""From actions to commands and back: the only place that knows how an action is coded.

An action scales what is pending, resource by resource, and sets the share of new sessions that is handed over:

* ``"discrete"``: one index per choice. With one zone a single number (``Discrete``), with several a ``MultiDiscrete``.
* ``"continuous"``: a symmetric ``Box``; a in [-1, 1] multiplies by 2^a, and handover is (a + 1) / 2 of the largest
  share.

With ``scaling="horizontal"`` one choice scales the number of replicas instead of three.
"""

from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.errors import ActionError, UnknownNameError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.actuation import bounded, most_replicas, replicas_for
from metaverse_env.simulator.records import COMMAND
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Command
from metaverse_env.units import RESOURCES

Array = np.ndarray
ActionType = Literal["discrete", "continuous"]
_ROUNDING = 1e-4
"""Five pods times a float32 of 1.2 are six, not a little more."""


@compiled
def _scale_pods(before: Any, factor: float, most: Any, pod_size: Any, new: Any) -> None:
    """Write the pending pods times a factor; one above or below 1 moves at least one pod, within limits."""
    pods = replicas_for(before.allocation, pod_size)
    goal = pods
    if factor > 1.0:
        goal = min(max(np.ceil(pods * factor - _ROUNDING), pods + 1.0), most_replicas(most, pod_size))
    elif factor < 1.0:
        goal = max(min(np.floor(pods * factor + _ROUNDING), pods - 1.0), 1.0)
    for resource in range(3):
        new.allocation[resource] = goal * pod_size[resource]


@compiled
def _scale(scales: int, choice: int, before: Any, factor: float, limits: Any, pod_size: Any, new: Any) -> None:
    """Write the pending pods times a factor, where one ``scales`` them all, or the resource of that ``choice``."""
    if scales == 1:
        _scale_pods(before, factor, limits[1], pod_size, new)
    else:
        new.allocation[choice] = bounded(before.allocation[choice] * factor, limits[0, choice], limits[1, choice])


@entry_point
def _decode_choices(
    actions: Any, before: Any, out: Any, scales: int, factors: Any, shares: Any, limits: Any, pod_size: Any
) -> int:
    """Decode ``int64 [W, Z x choices]``; return the flat index of the first choice out of range, or -1."""
    width = actions.shape[1] // before.shape[1]
    for w in range(before.shape[0]):
        for z in range(before.shape[1]):
            out[w, z].handover = 0.0
            for c in range(width):
                choice = actions[w, z * width + c]
                if choice < 0 or choice >= (len(factors) if c < scales else len(shares)):
                    bad: int = w * actions.shape[1] + z * width + c
                    return bad
                if c < scales:
                    _scale(scales, c, before[w, z], factors[choice], limits, pod_size, out[w, z])
                else:
                    out[w, z].handover = shares[choice]
    return -1


@entry_point
def _decode_box(
    actions: Any, before: Any, out: Any, scales: int, _factors: Any, shares: Any, limits: Any, pod_size: Any
) -> int:
    """Decode ``float32 [W, Z x choices]`` in [-1, 1]; return the flat index of the first value outside, or -1."""
    width = actions.shape[1] // before.shape[1]
    for w in range(before.shape[0]):
        for z in range(before.shape[1]):
            out[w, z].handover = 0.0
            for c in range(width):
                value = actions[w, z * width + c]
                if not -1.0 <= value <= 1.0:
                    bad: int = w * actions.shape[1] + z * width + c
                    return bad
                if c < scales:
                    _scale(scales, c, before[w, z], float(np.float32(2.0**value)), limits, pod_size, out[w, z])
                else:
                    out[w, z].handover = 0.5 * (value + 1.0) * shares[-1]
    return -1


def _array(actions: Any) -> Array:
    """Return actions as an array; one without a shape is an :class:`~metaverse_env.errors.ActionError`."""
    try:
        return np.asarray(actions)
    except ValueError as error:  # NumPy's word for lists of different lengths
        raise ActionError(f"an action needs one length for every zone: {error}") from error


class ActionCodec:
    """Codes commands as actions for a scenario.

    Args:
        scenario: Gives the factors, shares and limits.
        names: The zones that one action steers.
        action_type: ``"discrete"`` or ``"continuous"``.

    Raises:
        UnknownNameError: Another action type.
    """

    def __init__(self, scenario: Scenario, names: tuple[str, ...], action_type: ActionType = "discrete") -> None:
        if action_type not in ("discrete", "continuous"):
            raise UnknownNameError("action type", action_type, ("discrete", "continuous"))
        actuation = scenario.actuation
        self.scenario, self.names, self.action_type = scenario, names, action_type
        self.limits: Array = np.array([actuation.allocation_min, actuation.allocation_max], dtype=np.float32)
        self._factors = np.array(actuation.factors, dtype=np.float32)
        shares = np.array(actuation.handover_shares, dtype=np.float32)
        pod_size = np.array(actuation.pod_size, dtype=np.float32)
        self._labels = ("replicas",) if scenario.scaling == "horizontal" else RESOURCES
        self._dtype = np.dtype(np.float32 if action_type == "continuous" else np.int64)
        self._scales = len(self._labels)
        self.choices = [len(self._factors)] * self._scales
        if len(shares) > 1:
            self.choices, self._labels = [*self.choices, len(shares)], (*self._labels, "handover")
        self.single = len(names) == 1 and action_type == "discrete"
        self._commands = Stock((2, COMMAND))
        self._combinations = np.stack(np.unravel_index(np.arange(np.prod(self.choices)), self.choices), axis=-1)
        self._decode = _decode_box if action_type == "continuous" else _decode_choices
        self._fixed = (self._scales, self._factors, shares, self.limits, pod_size)
        self.space = self._space(len(names))

    def of_type(self, action_type: ActionType) -> "ActionCodec":
        """Return a codec of the same zones for another type of action; this one, if it is of that type."""
        return self if action_type == self.action_type else ActionCodec(self.scenario, self.names, action_type)

    def _space(self, zones: int) -> spaces.Space[Any]:
        if self.action_type == "continuous":
            return spaces.Box(-1.0, 1.0, (zones * len(self.choices),), np.float32)
        if self.single:
            return spaces.Discrete(int(np.prod(self.choices)))
        return spaces.MultiDiscrete(self.choices * zones)

    def zone_space(self) -> spaces.Space[Any]:
        """Return a new space of one zone's part of an action: what an agent of a team chooses from."""
        if self.action_type == "continuous":
            return spaces.Box(-1.0, 1.0, (len(self.choices),), np.float32)
        return spaces.MultiDiscrete(self.choices)

    @property
    def hold(self) -> Any:
        """The action that changes nothing and hands nothing over."""
        scales, rest = self._scales, len(self.choices) - self._scales
        if self.action_type == "continuous":
            return np.tile(np.array([0.0] * scales + [-1.0] * rest, dtype=np.float32), len(self.names))
        one = [int(np.flatnonzero(self._factors == 1.0)[0])] * scales + [0] * rest
        if self.single:
            return int(np.ravel_multi_index(tuple(one), tuple(self.choices)))
        return np.tile(np.array(one), len(self.names))

    def masks(self, pending: Command) -> Array:
        """Return which choices do something of their own, in the order in which :attr:`space` counts them.

        Near a limit several factors ask for the same; only the one nearest to 1 is True then. Holding always is, and
        so is every share to hand over.

        Args:
            pending: The command given last, which is scaled.

        Returns:
            ``bool [W, n]`` for a ``Discrete(n)``, ``bool [W, sum(nvec)]`` for a ``MultiDiscrete``.

        Raises:
            ActionError: Continuous actions, which cannot be counted.
        """
        if self.action_type == "continuous":
            raise ActionError("action_type='continuous' has no masks; make the environment with 'discrete'")
        apart = self._apart(pending)
        if self.single:
            each = np.take_along_axis(apart[:, 0], self._combinations.T[None, : self._scales], axis=-1)
            joint: Array = np.logical_and.reduce(each, axis=1)
            return joint
        rest = np.ones((*apart.shape[:2], sum(self.choices[self._scales :])), dtype=np.bool_)
        return np.concatenate([apart.reshape(*apart.shape[:2], -1), rest], axis=-1).reshape(len(apart), -1)

    def _apart(self, pending: Command) -> Array:
        """Return ``bool [W, Z, scales, factors]``: whether a factor asks for other than the next one towards 1."""
        order = np.argsort(self._factors, kind="stable")
        actions = np.zeros((*pending.zones.shape, len(self.choices)), dtype=np.int64)
        asked = []
        for factor in order:
            actions[..., : self._scales] = factor
            asked.append(self.decode(actions, pending).allocation[..., : self._scales].copy())
        reached, places = np.stack(asked, axis=-1), np.arange(len(order))
        hold = int(np.searchsorted(self._factors[order], 1.0))
        apart: Array = reached != reached[..., places - np.sign(places - hold)]
        apart[..., hold] = True
        unsorted: Array = apart[..., np.argsort(order)]
        return unsorted

    def decode(self, actions: Any, pending: Command) -> Command:
        """Turn actions into a command.

        Args:
            actions: ``[W]`` numbers (one zone, discrete), else ``[W, zones x choices]``; or ``[W, zones, choices]``.
            pending: The command given last, which is scaled.

        Raises:
            ActionError: Wrong shape or type, or a value that is out of range or not a number.
        """
        before = pending.zones
        parts = self._parts(_array(actions), before.shape)
        (out,) = self._commands.take(before.shape)
        bad = self._decode(parts, before, out, *self._fixed)
        if bad >= 0:
            self._refuse(parts, bad)
        return Command(out)

    def _parts(self, actions: Array, shape: tuple[int, ...]) -> Array:
        """Check shape and type; return ``[W, Z x choices]``."""
        together = (shape[0], shape[1] * len(self.choices))
        if actions.dtype == self._dtype and actions.shape == together and not self.single:
            return actions  # what learners send; the rest is for everyone else
        kinds, wanted = ("iu", np.int64) if self.action_type == "discrete" else ("fiu", np.float32)
        if actions.dtype.kind not in kinds:
            raise ActionError(f"{self.action_type} actions need dtype {np.dtype(wanted)}, got {actions.dtype}")
        apart, flat = (*shape, len(self.choices)), (shape[0], *(self.space.shape or ()))
        if actions.shape not in (apart, flat):
            if shape[0] == 1 and len(actions) == 1:
                given = f"an action needs shape {flat[1:]} or {apart[1:]}, got {actions.shape[1:]}"
                raise ActionError(given if flat[1:] else f"an action needs a number of {self.space}, got {actions[0]}")
            raise ActionError(f"actions of {shape[0]} worlds need shape {flat} or {apart}, got {actions.shape}")
        if actions.ndim > 1:
            return actions.reshape(together).astype(wanted, copy=False)
        if actions.min() < 0 or actions.max() >= len(self._combinations):
            bad = actions[(actions < 0) | (actions >= len(self._combinations))][0]
            raise ActionError(f"zone {self.names[0]!r}: action {bad} is not in {self.space}")
        decoded: Array = self._combinations[actions]
        return decoded

    def _refuse(self, parts: Array, bad: int) -> None:
        place, choice = divmod(bad, len(self.choices))
        zone, value = self.names[place % len(self.names)], parts.flat[bad]
        limit = "[-1, 1]; clip it" if self.action_type == "continuous" else f"0 to {self.choices[choice] - 1}"
        raise ActionError(f"zone {zone!r}: {self._labels[choice]} = {value}; must be in {limit}")
