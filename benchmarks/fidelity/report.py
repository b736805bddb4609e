"""The whole comparison of a learned world with the physics, for people and for programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from rich import box
from rich.table import Table

import agents
from benchmarks.fidelity.counterfactual import effects
from benchmarks.fidelity.ranking import rank
from benchmarks.fidelity.rollouts import OTHER_NOISE, Rollout, roll_out
from benchmarks.fidelity.series import FIGURES, LAGS, distances
from metaverse_env.contracts import Policy
from metaverse_env.scenario import Scenario

WATCHED: Final[Mapping[str, Callable[[], Policy]]] = {
    name: partial(agents.load, name) for name in ("hold", "threshold", "static")
}
"""Policies under which the worlds are looked at: nothing done, much done, one thing done."""


Comparison = dict[str, Any]


def compare_worlds(
    scenario: str | Scenario, dynamics: Any, seeds: Sequence[int], ticks: int, done: Callable[[], object] = lambda: None
) -> Comparison:
    """Compare a learned dynamics with the physics.

    Args:
        scenario: A name, a file or a scenario.
        dynamics: A name or an object.
        seeds: One world each.
        ticks: Length of every run.
        done: Called after every part.

    Returns:
        ``distances`` and ``chance`` by policy, target and figure; ``effects``, a list; ``ranking``. ``chance`` is the
        distance between two runs of the physics that differ in their noise.
    """
    found: Comparison = {"distances": {}, "chance": {}}
    for name, make in WATCHED.items():
        physics = roll_out(scenario, "physics", make(), seeds, ticks)
        found["distances"][name] = _apart(roll_out(scenario, dynamics, make(), seeds, ticks), physics)
        noisy = roll_out(scenario, "physics", make(), seeds, ticks, seeds[0] + OTHER_NOISE)
        found["chance"][name] = _apart(noisy, physics)
        done()
    found["effects"] = [effect._asdict() for effect in effects(scenario, dynamics, seeds)]
    done()
    found["ranking"] = rank(scenario, dynamics, seeds, ticks)._asdict()
    done()
    return found


def _apart(ours: Rollout, theirs: Rollout) -> dict[str, dict[str, float]]:
    theirs_by_target = theirs.figures()
    return {target: distances(figures, theirs_by_target[target]) for target, figures in ours.figures().items()}


def tables(found: Comparison) -> Iterator[Table]:
    """Lay out a comparison."""
    yield _distance_table(found)
    yield _effect_table(found["effects"])
    yield _ranking_table(found["ranking"])


def _distance_table(found: Comparison) -> Table:
    table = Table("policy", "target", title="Learned less physics (in brackets: one run of the physics less another)")
    table.box = box.SIMPLE
    for name in FIGURES:
        table.add_column(name if name in LAGS else f"{name}, %", justify="right")
    for policy, targets in found["distances"].items():
        for target, ours in targets.items():
            chance = found["chance"][policy][target]
            table.add_row(policy, target, *(_pair(name, ours[name], chance[name]) for name in FIGURES))
    return table


def _pair(name: str, ours: float, chance: float) -> str:
    """Write a distance and that of chance, in percent where they are relative.

    >>> _pair("mean", 0.021, -0.004), _pair("acf1", -0.02, 0.0)
    ('+2.1 (-0.4)', '-0.02 (+0.00)')
    """
    return f"{ours:+.2f} ({chance:+.2f})" if name in LAGS else f"{100 * ours:+.1f} ({100 * chance:+.1f})"


def _effect_table(found: Sequence[Mapping[str, float]]) -> Table:
    table = Table("given, x demand", "instead", "physics", "learned", "error per zone", "wrong sign, %")
    table.title, table.box = "What less does to p95 latency, in doublings", box.SIMPLE
    for effect in found:
        numbers = (effect["physics"], effect["learned"], effect["error"])
        table.add_row(
            f"{effect['more']:g}", f"{effect['less']:g}", *(f"{x:.2f}" for x in numbers), f"{100 * effect['wrong']:.2g}"
        )
    return table


def _ranking_table(found: Mapping[str, Any]) -> Table:
    table = Table("controller", "physics", "learned", box=box.SIMPLE)
    table.title = f"Mean reward per tick; Kendall's tau {found['tau']:g}"
    for name, reward in sorted(found["physics"].items(), key=lambda pair: -pair[1]):
        table.add_row(name, f"{reward:.2f}", f"{found['learned'][name]:.2f}")
    return table
