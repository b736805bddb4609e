"""What a grid found: figures of every policy in every condition, relative to a reference, and over all conditions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks import bootstrap
from benchmarks.bootstrap import Estimate, Floats
from benchmarks.conditions import Conditions
from benchmarks.scores import METRICS, Result
from benchmarks.statistics import pareto

COST: Final = "cost_eur_per_h"
VIOLATED: Final = "violated_percent"
WORST: Final = "violated_worst_tenth_percent"
WON: Final = "seeds_won"
CHANCE: Final = "chance_to_be_better"
MORE_COST: Final = "cost_over_reference_percent"
MORE_VIOLATED: Final = "violated_over_reference_points"
UNITS: Final = {
    **{metric.name: metric.unit for metric in METRICS},
    WORST: "% user-s",
    MORE_COST: "%",
    MORE_VIOLATED: "points",
    WON: "0 to 1",
    CHANCE: "0 to 1",
}
"""Of everything that is found in a condition."""
OVERALL_UNITS: Final = {name: UNITS[name] for name in (MORE_COST, VIOLATED, WORST, "reward", WON, CHANCE)}
"""Of everything that is found over all conditions; costs of different worlds are compared as ratios only."""


@dataclass(frozen=True)
class Cell:
    """One condition: what its policies gave, in the order in which they were asked for, and who failed why."""

    terms: Conditions
    results: Sequence[Result]
    failures: dict[str, str] = field(default_factory=dict)

    def result(self, policy: str) -> Result | None:
        """Return what a policy gave, if it finished."""
        return next((result for result in self.results if result.policy == policy), None)


@dataclass(frozen=True)
class Row:
    """One policy in one condition, or over all.

    Attributes:
        policy: Its name.
        figures: By the names of :data:`UNITS` or :data:`OVERALL_UNITS`; without the relative ones where the reference
            failed.
        bound: Whether it knows the future.
        best: Whether no competitor beats it in cost and violations both; a bound is none.
    """

    policy: str
    figures: dict[str, Estimate]
    bound: bool = False
    best: bool = False


@dataclass(frozen=True)
class Findings:
    """Everything: the rows of each cell, and those over all cells of the policies that finished in each."""

    reference: str
    cells: Sequence[tuple[Cell, Sequence[Row]]]
    overall: Sequence[Row]


def find(
    cells: Sequence[Cell],
    reference: str,
    bounds: frozenset[str],
    summed_up: Callable[[str], object] = lambda label: None,
) -> Findings:
    """Sum up.

    Args:
        cells: With the same seeds each.
        reference: The policy that others are compared to.
        bounds: Policies that know the future.
        summed_up: Called after each cell with its label, and once more for what is over all.
    """
    rows = []
    for cell in cells:
        rows.append((cell, _rows(cell, reference, bounds)))
        summed_up(cell.terms.label)
    overall = _overall(cells, reference, bounds)
    summed_up("all conditions")
    return Findings(reference, rows, overall)


def _rows(cell: Cell, reference: str, bounds: frozenset[str]) -> list[Row]:
    if not cell.results:
        return []
    found = _absolute(cell.results)
    if (against := cell.result(reference)) is not None:
        for policy, figures in _relative(cell.results, against).items():
            found[policy] |= figures
    front = _front(found, bounds)
    return [Row(policy, figures, policy in bounds, policy in front) for policy, figures in found.items()]


def _absolute(results: Sequence[Result]) -> dict[str, dict[str, Estimate]]:
    names = [metric.name for metric in METRICS]
    middles = iter(bootstrap.middle_means(_columns(results, *names)))
    found = {result.policy: {name: next(middles) for name in names} for result in results}
    for result, worst in zip(results, bootstrap.worst_tenths(_columns(results, VIOLATED)), strict=True):
        found[result.policy][WORST] = worst
    return found


def _relative(results: Sequence[Result], against: Result) -> dict[str, dict[str, Estimate]]:
    rewards, reference = _columns(results, "reward"), _columns([against] * len(results), "reward")
    won = bootstrap.means(bootstrap.won(rewards, reference))
    return {
        result.policy: {
            MORE_COST: bootstrap.ratio_percent(result.scores[COST], against.scores[COST]),
            MORE_VIOLATED: bootstrap.difference(result.scores[VIOLATED], against.scores[VIOLATED]),
            WON: share,
            CHANCE: chance,
        }
        for result, share, chance in zip(results, won, bootstrap.chances(rewards, reference), strict=True)
    }


def _columns(results: Sequence[Result], *names: str) -> Floats:
    """Return ``[N, K, 1]``: seeds by results and metrics, the metrics of a result beside each other."""
    return np.stack([result.scores[name] for result in results for name in names], axis=1)[..., None]


def _front(found: dict[str, dict[str, Estimate]], bounds: frozenset[str]) -> set[str]:
    competitors = [policy for policy in found if policy not in bounds]
    best = pareto([(cost_of(found[policy]).value, found[policy][VIOLATED].value) for policy in competitors])
    return {policy for policy, is_best in zip(competitors, best, strict=True) if is_best}


def cost_of(figures: dict[str, Estimate]) -> Estimate:
    """Return what a policy costs beside others: relative to the reference, where there is one, by pairs."""
    return figures[MORE_COST] if MORE_COST in figures else figures[COST]


def _overall(cells: Sequence[Cell], reference: str, bounds: frozenset[str]) -> list[Row]:
    """Return who finished everywhere, by the means of the cells' own figures.

    Nothing of one cell, or where the reference did not finish.
    """
    if len(cells) < 2:
        return []
    everywhere = [
        result.policy for result in cells[0].results if all(cell.result(result.policy) is not None for cell in cells)
    ]
    if reference not in everywhere:
        return []
    cost, violated, reward = (_cube(cells, everywhere, name) for name in (COST, VIOLATED, "reward"))
    own = everywhere.index(reference)
    against = np.repeat(reward[:, [own]], len(everywhere), axis=1)
    found = {
        MORE_COST: [bootstrap.mean_ratio_percent(each, cost[:, own]) for each in np.swapaxes(cost, 0, 1)],
        VIOLATED: bootstrap.middle_means(violated),
        WORST: bootstrap.worst_tenths(violated),
        "reward": bootstrap.middle_means(reward),
        WON: bootstrap.means(bootstrap.won(reward, against)),
        CHANCE: bootstrap.chances(reward, against),
    }
    figures = {
        policy: {name: estimates[index] for name, estimates in found.items()} for index, policy in enumerate(everywhere)
    }
    front = _front(figures, bounds)
    return [Row(policy, row, policy in bounds, policy in front) for policy, row in figures.items()]


def _cube(cells: Sequence[Cell], policies: Sequence[str], name: str) -> Floats:
    """Return a metric of policies that finished everywhere, ``[N, P, C]``: seeds by policies by conditions."""
    matrices = [
        np.stack([result.scores[name] for policy in policies if (result := cell.result(policy)) is not None], axis=1)
        for cell in cells
    ]
    return np.stack(matrices, axis=2)
