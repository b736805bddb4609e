"""What somebody who watches does to a running world: a flash crowd, the failure of a node, its return.

An injection changes the state between two ticks and leaves the rest to the physics, which so has nothing to ask for in
every tick and takes as long as without it. Its draws are under the keys of the world's noise, at the tick in which it
happens: the same seed, commands and injections give the same world.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from metaverse_env.compiling import entry_point
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.simulator import streams
from metaverse_env.simulator.events import NO_EVENT, begin_event
from metaverse_env.simulator.rng import between, draw, place_key, tick_key

Kind = Literal["flash_crowd", "node_failure", "node_recovery"]

DETECTION_S: Final = 40.0
"""How long nobody knows that a node has failed, and its zones serve nobody: the default of kube-controller-manager's
node-monitor-grace-period [V]; newer versions wait 50 s."""


@dataclass(frozen=True, slots=True)
class Injection:
    """Something done to a simulated world.

    Attributes:
        kind: ``"flash_crowd"`` in a zone; ``"node_failure"`` or ``"node_recovery"`` of a node.
        place: Index of the zone or of the node.
        tick: How many ticks of the episode were over when it was done; it acts in the next.
        world: Which world of the batch.
    """

    kind: Kind
    place: int
    tick: int = 0
    world: int = 0


def inject(injection: Injection, state: Any, constants: Any) -> bool:
    """Do to a world's state what an injection says.

    Args:
        injection: What; its ``tick`` is not looked at.
        state: A :class:`~metaverse_env.simulator.kernel.State`; changed in place.
        constants: The scenario, packed.

    Returns:
        Whether it changed anything: a crowd that is there already, or a node that failed already, is left alone.

    Raises:
        UnknownNameError: No such kind.
        ConfigurationError: No such world, zone or node.
    """
    if injection.kind not in _DO:
        raise UnknownNameError("injection", injection.kind, _DO)
    _check(injection, state)
    return _DO[injection.kind](injection, state, constants)


def _check(injection: Injection, state: Any) -> None:
    what, most = ("zone", state.zones.shape[1]) if injection.kind == "flash_crowd" else ("node", state.nodes.shape[1])
    for name, index, count in (("world", injection.world, len(state.worlds)), (what, injection.place, most)):
        if not 0 <= index < count:
            raise ConfigurationError(f"{injection.kind}: there is no {name} {index}; give 0 to {count - 1}")


@entry_point
def begin_flash_crowd(w: int, z: int, worlds: Any, zones: Any, rules: Any) -> None:
    """Let a flash crowd begin in a zone, as those that begin by chance."""
    key = place_key(tick_key(worlds[w].noise_key, worlds[w].tick + 1), z)
    begin_event(zones[w, z], key, rules[0].flash_crowd_peak, rules[0].flash_crowd_doubling_s, rules[0])


@entry_point
def replacement_s(w: int, n: int, worlds: Any, rules: Any) -> float:
    """Return how long it will take until another node stands in for one that is lost."""
    key = place_key(tick_key(worlds[w].noise_key, worlds[w].tick + 1), streams.WORLD_PLACE + n)
    low, high = rules[0].node_replacement_s
    return between(draw(key, streams.LOSS_TIME), low, high)


def _flash_crowd(injection: Injection, state: Any, constants: Any) -> bool:
    if state.zones[injection.world, injection.place]["event_stage"] != NO_EVENT:
        return False
    begin_flash_crowd(injection.world, injection.place, state.worlds, state.zones, constants.rules)
    return True


def _node_failure(injection: Injection, state: Any, constants: Any) -> bool:
    """Lose a node: its zones are down until that is noticed and they have restarted elsewhere, squeezed there.

    The tick to come counts itself down from these times, as it does not from those that begin in it.
    """
    node, rules = state.nodes[injection.world, injection.place], constants.rules[0]
    if node["lost_s"] > 0.0:
        return False
    unnoticed_s = float(rules["tick_s"]) + DETECTION_S
    node["lost_s"] = unnoticed_s + replacement_s(injection.world, injection.place, state.worlds, constants.rules)
    down_s = state.zones[injection.world]["down_s"]
    hosted = _hosted(injection, constants)
    down_s[hosted] = np.maximum(down_s[hosted], unnoticed_s + rules["restart_s"][1])
    return True


def _node_recovery(injection: Injection, state: Any, constants: Any) -> bool:
    """Give a lost node back; zones that were not placed elsewhere yet are there again."""
    node = state.nodes[injection.world, injection.place]
    if node["lost_s"] <= 0.0:
        return False
    node["lost_s"] = 0.0
    state.zones[injection.world]["down_s"][_hosted(injection, constants)] = 0.0
    return True


def _hosted(injection: Injection, constants: Any) -> Any:
    return constants.zones["node"] == injection.place


_DO: Final = {"flash_crowd": _flash_crowd, "node_failure": _node_failure, "node_recovery": _node_recovery}
KINDS: Final = tuple(_DO)
"""What can be injected."""
