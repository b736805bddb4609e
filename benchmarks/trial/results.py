"""What a trial found, to keep and to show: a table, JSON and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from benchmarks.trial.arms import CONTROLLED, Arm
from benchmarks.trial.load import Answer
from benchmarks.trial.plan import Plan
from benchmarks.trial.scoring import Sample, Score, core_seconds, p95_by_window, recovered_s, score

COLOURS = {"fixed-300m": "#D55E00", "fixed-1000m": "#999999", CONTROLLED: "#0072B2"}


class Results(NamedTuple):
    """A trial that is over.

    Attributes:
        plan: What was done.
        answers: Of every zone, by the Deployment's name.
        samples: What zones might use, from the start of the load.
    """

    plan: Plan
    answers: Mapping[str, Sequence[Answer]]
    samples: Sequence[Sample]

    def scores(self) -> dict[str, Score]:
        """Return how every arm did."""
        return {arm.name: self._score(arm) for arm in self.plan.arms}

    def _score(self, arm: Arm) -> Score:
        names = [arm.zone(number) for number in range(1, self.plan.zones + 1)]
        answers = [answer for name in names for answer in self.answers[name]]
        return score(answers, sum(core_seconds(self.samples, name) for name in names), self.plan.objective_ms)

    def recoveries_s(self) -> list[float | None]:
        """Return for each zone of the controlled arm when after its step the p95 was back under the objective."""
        controlled, found = self.plan.arms[-1], []
        for number in range(1, self.plan.zones + 1):
            rate = self.plan.rate(number)
            inside = [answer for answer in self.answers[controlled.zone(number)] if answer.due_s < rate.to_s]
            found.append(recovered_s(inside, rate.from_s, rate.to_s, self.plan.objective_ms))
        return found

    def facts(self) -> dict[str, Any]:
        """Return the figures, ready for JSON."""
        scores = self.scores()
        least, most, controlled = (scores[arm.name] for arm in self.plan.arms)
        return {
            "seconds": self.plan.seconds,
            "objective_ms": self.plan.objective_ms,
            "arms": {name: figures._asdict() for name, figures in scores.items()},
            "recovered_s": self.recoveries_s(),
            "fewer_violated_percent": fewer(controlled.violated, least.violated),
            "fewer_violated_request_s_percent": fewer(controlled.violated_request_s, least.violated_request_s),
            "less_cpu_time_percent": fewer(controlled.core_s, most.core_s),
            "given_back": self.given_back(),
        }

    def given_back(self) -> bool:
        """Return whether every controlled zone had less at the end than at its most."""
        zones = [self.plan.arms[-1].zone(number) for number in range(1, self.plan.zones + 1)]
        last = self.samples[-1].cores
        return all(last[zone] < max(sample.cores.get(zone, 0.0) for sample in self.samples) for zone in zones)


def fewer(ours: float, theirs: float) -> float | None:
    """Return by how many per cent ours is less; ``None`` where there is nothing to compare with.

    >>> fewer(1.0, 4.0)
    75.0
    """
    return None if not theirs else 100.0 * (1.0 - ours / theirs)


def table(results: Results) -> Table:
    """Return the figures as a table."""
    shown = Table("zones", box=box.SIMPLE_HEAD)
    for heading in ("sent", "failed", "too slow", "s too slow", "p50, ms", "p95, ms", "core s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for name, figures in results.scores().items():
        share = 100.0 * figures.violated / max(figures.requests, 1)
        shown.add_row(
            name,
            str(figures.requests),
            str(figures.failed),
            f"{share:.1f} %",
            f"{figures.violated_request_s:.1f}",
            f"{figures.p50_ms:.0f}",
            f"{figures.p95_ms:.0f}",
            f"{figures.core_s:.0f}",
        )
    return shown


def draw(results: Results, path: Path) -> None:
    """Draw load, latency and CPU of every zone into a PNG."""
    plan = results.plan
    figure = Figure(figsize=(4.2 * plan.zones, 7.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, plan.zones, squeeze=False, sharex=True, sharey="row")
    for number in range(1, plan.zones + 1):
        _draw_zone(results, number, axes[:, number - 1])
    for row, title in zip(axes[:, 0], ("requests/s", "p95 latency [ms]", "CPU limit [cores]"), strict=True):
        row.set_ylabel(title)
    axes[1, 0].set_yscale("log")
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle("The same load on zones that stay as they are and on zones that the bridge controls", fontsize=11)
    figure.savefig(path)


def _draw_zone(results: Results, number: int, axes: Any) -> None:
    plan, rate = results.plan, results.plan.rate(number)
    load, latency, cores = axes
    load.set_title(f"zone {number}", fontsize=10)
    edges = [0.0, rate.from_s, rate.from_s, rate.to_s, rate.to_s, plan.seconds]
    usual, high = rate.usual_per_s, rate.high_per_s
    load.plot(edges, [usual, usual, high, high, usual, usual], color="#333333")
    for arm in plan.arms:
        colour, name = COLOURS.get(arm.name, "#009E73"), arm.zone(number)
        latency.plot(*p95_by_window(results.answers[name], plan.seconds), color=colour, label=arm.name)
        moments = [sample.at_s for sample in results.samples]
        cores.plot(moments, [sample.cores.get(name, 0.0) for sample in results.samples], color=colour)
    latency.axhline(plan.objective_ms, color="#333333", linestyle="--", linewidth=1.0, label="objective")
    cores.set_xlabel("time [s]")
    for each in axes:
        each.grid(alpha=0.3)
