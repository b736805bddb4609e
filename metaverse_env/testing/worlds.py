"""The rules of a world, simulated or real, and of the dynamics inside a simulated one."""

from typing import Final

import numpy as np

from metaverse_env.contracts import World
from metaverse_env.errors import ActionError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.dynamics import Dynamics
from metaverse_env.simulator.records import OUTCOME, TELEMETRY, WEATHER
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Telemetry, Tick
from metaverse_env.testing.rules import (
    check,
    pending_command,
    require,
    require_array,
    require_finite,
    require_within,
)
from metaverse_env.units import MEMORY
from metaverse_env.zones import ZoneGraph

TICKS: Final = 12
_HELD: Final = ("users", "usage", "latency_p50_ms", "latency_ms", "latency_p99_ms")


def check_world(world: World, *, deterministic: bool = True) -> None:
    """Hold a world against :data:`WORLD_RULES`; it is reset and stepped some dozens of times.

    Args:
        world: A simulation, or a cluster that may be commanded.
        deterministic: Whether the same seeds must give the same bytes; ``False`` for a cluster.

    Raises:
        ContractError: The first rule that it breaks.
    """
    check(world, WORLD_RULES, world)
    if deterministic:
        check(world, (repeats_itself,), world)


def check_dynamics(dynamics: str | Dynamics, scenario: str | Scenario = "multi_zone") -> None:
    """Hold a dynamics against :data:`DYNAMICS_RULES`, and two worlds that follow it against :data:`WORLD_RULES`.

    Raises:
        ContractError: The first rule that it breaks.
    """
    world = SimulatedWorld(scenario, 2, dynamics)
    check_world(world)
    check(world.dynamics, DYNAMICS_RULES, world)


def _start(world: World) -> Telemetry:
    return world.reset(seeds=list(range(world.worlds)))


def _run(world: World, command: Command, ticks: int = TICKS) -> list[Tick]:
    return [world.step(command) for _ in range(ticks)]


def has_zones_and_time(world: World) -> None:
    """A world has a graph of zones, at least one copy of them, and ticks of positive length."""
    require(isinstance(world.zones, ZoneGraph) and len(world.zones) > 0, f"zones is {world.zones!r}")
    require(world.worlds >= 1, f"worlds is {world.worlds}")
    require(0.0 < world.tick_s < np.inf, f"tick_s is {world.tick_s} s")


def tells_everything(world: World) -> None:
    """Reset and step return telemetry with every field, of every zone of every world."""
    first = _start(world)
    _require_telemetry(world, first, first.intents.shape[-1])
    _require_telemetry(world, world.step(pending_command(first)).telemetry, first.intents.shape[-1])


def _require_telemetry(world: World, telemetry: Telemetry, embedding: int) -> None:
    shape = (world.worlds, len(world.zones))
    require_array("telemetry.zones", telemetry.zones, shape, TELEMETRY)
    require_array("telemetry.weather", telemetry.weather, shape[:1], WEATHER)
    require_array("telemetry.intents", telemetry.intents, (*shape, embedding), np.float32)


def tells_what_happened(world: World) -> None:
    """A step returns the outcome of every zone and the length of its tick."""
    outcome = world.step(pending_command(_start(world))).outcome
    require_array("outcome.zones", outcome.zones, (world.worlds, len(world.zones)), OUTCOME)
    require(outcome.tick_s == world.tick_s, f"outcome.tick_s is {outcome.tick_s} s, the world's {world.tick_s} s")


def is_plausible(world: World) -> None:
    """Telemetry is finite; counts, usage, latency and ages are not negative; flags are 0 or 1."""
    first = _start(world)
    for telemetry in (first, *(tick.telemetry for tick in _run(world, pending_command(first)))):
        zones = telemetry.zones
        require_finite("telemetry.zones", zones)
        require_finite("telemetry.intents", telemetry.intents)
        for name in (*_HELD, "age_s", "allocation", "pending", "restarts", "signals"):
            require_within(name, zones[name], 0.0)
        require_within("handover", zones["handover"], 0.0, 1.0)
        for name in ("observed", "ready"):
            require(np.isin(zones[name], (0.0, 1.0)).all(), f"{name} is neither 0 nor 1")


def hands_out_new_arrays(world: World) -> None:
    """What a world has handed out it never writes to again."""
    first = _start(world)
    tick = world.step(pending_command(first))
    handed_out = (first.zones, first.intents, tick.telemetry.zones, tick.telemetry.intents, tick.outcome.zones)
    copies = [array.tobytes() for array in handed_out]
    _run(world, pending_command(first))
    _start(world)
    require([array.tobytes() for array in handed_out] == copies, "an array of an earlier tick has changed")


def holds_what_is_missing(world: World) -> None:
    """Where no new sample arrived the last one is held, and it is older than before."""
    before = _start(world)
    for tick in _run(world, pending_command(before), 4 * TICKS):
        now, missing = tick.telemetry, ~tick.telemetry.observed
        for name in _HELD:
            require((now.zones[name] == before.zones[name])[missing].all(), f"{name} changed without a new sample")
        younger = (now.zones["age_s"] <= before.zones["age_s"])[missing]
        require(not younger.any(), "age_s did not grow without a new sample")
        before = now


def restarts_some(world: World) -> None:
    """A reset of some worlds leaves the others as they are."""
    start = _start(world)
    last = world.step(pending_command(start)).telemetry
    mask = np.arange(world.worlds) == 0
    again = world.reset(seeds=[0] * world.worlds, worlds=mask)
    require((again.zones[~mask] == last.zones[~mask]).all(), "the telemetry of a world changed that was not named")


def refuses_nonsense(world: World) -> None:
    """A command that is negative, not finite, hands over more than everything, or has another shape is refused."""
    good = pending_command(_start(world)).zones
    for field, value in (("allocation", -1.0), ("allocation", np.nan), ("allocation", np.inf), ("handover", 1.5)):
        bad = good.copy()
        bad[field][0, -1] = value
        _require_refusal(world, Command(bad), f"{field} = {value}")
    _require_refusal(world, Command(good[:, :-1]), "a command without the last zone")


def _require_refusal(world: World, command: Command, what: str) -> None:
    try:
        world.step(command)
    except ActionError:
        return
    require(False, f"{what} was accepted")


def repeats_itself(world: World) -> None:
    """The same seeds and commands give the same bytes; another seed gives others."""
    episodes = []
    for seed in (0, 0, 1):
        start = world.reset(seeds=[seed] * world.worlds)
        ticks = _run(world, pending_command(start))
        episodes.append([tick.telemetry.zones.tobytes() + tick.outcome.zones.tobytes() for tick in ticks])
    require(episodes[0] == episodes[1], "two episodes of one seed differ")
    require(episodes[0] != episodes[2], "the episodes of two seeds are equal")


def needs_and_takes_time(world: SimulatedWorld) -> None:
    """Demand is positive; latency is positive and never more than that of a zone that is down."""
    for tick in _run(world, pending_command(_start(world))):
        require_finite("outcome", tick.outcome.zones)
        require_within("demand", tick.outcome.zones["demand"], 0.0)
        require_within("latency_ms", tick.outcome.zones["latency_ms"], 0.1, world.scenario.service.down_latency_ms)


def keeps_account_of_users(world: SimulatedWorld) -> None:
    """Users are whole; they change only by arrivals, departures, moves and dropped sessions."""
    command = pending_command(_start(world))
    before = world.state.zones["users"].sum(axis=2)
    for _ in range(4 * TICKS):
        zones = world.step(command).outcome.zones
        gained = zones["arrivals"] + zones["moved_in"]
        lost = zones["departures"] + zones["moved_out"] + zones["dropped"]
        now = world.state.zones["users"].sum(axis=2)
        require((now == before + gained - lost).all(), "users came from nowhere, or went there")
        before = now


def punishes_starving(world: SimulatedWorld) -> None:
    """Users with a tenth of the CPU and the bandwidth that they need wait longer than with thrice as much."""
    latency_ms = []
    for factor in (3.0, 0.1):
        demand = world.step(pending_command(_start(world))).outcome.zones["demand"]
        allocation = factor * demand
        if world.scenario.scaling == "vertical":  # a pod with memory enough would bring CPU enough
            allocation[..., MEMORY] = 3.0 * demand[..., MEMORY]
        latency_ms.append(np.mean([tick.outcome.zones["latency_ms"] for tick in _run(world, Command.of(allocation))]))
    plenty, starved = latency_ms
    require(starved > plenty, f"p95 was {starved:.1f} ms starved and {plenty:.1f} ms with plenty")


WORLD_RULES: Final = (
    has_zones_and_time,
    tells_everything,
    tells_what_happened,
    is_plausible,
    hands_out_new_arrays,
    holds_what_is_missing,
    restarts_some,
    refuses_nonsense,
)
DYNAMICS_RULES: Final = (needs_and_takes_time, keeps_account_of_users, punishes_starving)
