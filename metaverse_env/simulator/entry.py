"""The compiled functions that Python calls: a whole tick, or the two halves around a learned network, and reset.

Arrays come one by one, because a tuple costs microseconds at the border of compiled code, and are grouped by name
inside. The functions release the interpreter lock, so that blocks of worlds can be stepped on several threads.
"""

from typing import Any

from metaverse_env.compiling import entry_point, stage
from metaverse_env.simulator import handover, kernel
from metaverse_env.simulator.constants import Constants
from metaverse_env.simulator.kernel import Output, Replay, State
from metaverse_env.simulator.provisioning import provision
from metaverse_env.simulator.reset import reset_world
from metaverse_env.simulator.rng import tick_key
from metaverse_env.simulator.vectors import copy


@stage
def _people_and_provision(w: int, state: Any, commands: Any, out: Any, replay: Any, constants: Any) -> None:
    """Run the first half of a world's tick."""
    user_key = kernel.advance_world(state.worlds[w], replay, constants.rules[0])
    noise_key = tick_key(state.worlds[w].noise_key, state.worlds[w].tick)
    kernel.advance_people(w, user_key, state, out, replay, constants)
    provision(w, noise_key, state, commands, out, constants)


@entry_point
def step_physics(*arrays: Any) -> None:
    """Advance all worlds by one tick.

    Args:
        *arrays: The fields of :class:`~.kernel.State` (changed in place), the commands (record ``[W, Z]`` COMMAND), the
            last tick's telemetry (held where a metric is missing), then the fields of :class:`~.kernel.Output` (zeroed;
            written), :class:`~.kernel.Replay` and :class:`~.constants.Constants`.
    """
    state, out, replay = State(*arrays[:5]), Output(*arrays[7:11]), Replay(*arrays[11:13])
    constants = Constants(*arrays[13:])
    for w in range(len(state.worlds)):
        _people_and_provision(w, state, arrays[5], out, replay, constants)
        kernel.demand_by_physics(w, state, out, replay, constants)
        handover.served_demand(state.zones[w], out.outcome[w], state.remote[w], constants.edges, constants.rules[0])
        kernel.serve_by_physics(w, state, out, replay, constants)
        kernel.conclude(w, state, arrays[6], out, constants)


@entry_point
def step_people(*arrays: Any) -> None:
    """Run the half of a tick before a learned network: who is where, and what they are given.

    Args:
        *arrays: The fields of :class:`~.kernel.State`, the commands, then the fields of :class:`~.kernel.Output`,
            :class:`~.kernel.Replay` and :class:`~.constants.Constants`.
    """
    state, out, replay = State(*arrays[:5]), Output(*arrays[6:10]), Replay(*arrays[10:12])
    constants = Constants(*arrays[12:])
    for w in range(len(state.worlds)):
        _people_and_provision(w, state, arrays[5], out, replay, constants)


@entry_point
def step_learned(*arrays: Any) -> None:
    """Run the half of a tick after a learned network.

    Args:
        *arrays: The fields of :class:`~.kernel.State`; the targets, ``float32 [W, Z, 8]``, which are the sampled demand
            of each zone's users, p50, p95 and p99 of its latency above the round trip, and the share of the way to its
            goal that memory goes in the tick, up and down; the last tick's telemetry; then the fields of
            :class:`~.kernel.Output` with what :func:`step_people` wrote, and of :class:`~.constants.Constants`.
    """
    state, targets, before, out = State(*arrays[:5]), arrays[5], arrays[6], Output(*arrays[7:11])
    constants = Constants(*arrays[11:])
    for w in range(len(state.worlds)):
        for z in range(state.zones.shape[1]):
            copy(out.outcome[w, z].demand, targets[w, z, :3])
        handover.served_demand(state.zones[w], out.outcome[w], state.remote[w], constants.edges, constants.rules[0])
        kernel.serve_by_network(w, targets[w, :, 3:], state, out, constants)
        kernel.conclude(w, state, before, out, constants)


@entry_point
def reset_worlds(mask: Any, *arrays: Any) -> None:
    """Start anew the worlds that ``mask [W]`` names, from their seeds and episodes, and write their first telemetry.

    Args:
        mask: ``bool [W]``.
        *arrays: The fields of :class:`~.kernel.State` and :class:`~.kernel.Output`; the rows of the trace at which an
            episode can start, ``int64 [M]``, none without a trace; then the fields of :class:`~.kernel.Replay` and
            :class:`~.constants.Constants`.
    """
    state, out, starts = State(*arrays[:5]), Output(*arrays[5:9]), arrays[9]
    replay, constants = Replay(*arrays[10:12]), Constants(*arrays[12:])
    for w in range(len(mask)):
        if mask[w]:
            reset_world(w, state, replay, starts, constants)
            kernel.look_around(w, state, out, replay, constants)
