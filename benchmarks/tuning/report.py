"""What a tuning found: parameters for programs, trials for plots, a table for people."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.asking import Asked
from benchmarks.tuning.search import Trial
from benchmarks.tuning.tuning import Budget, Tuned, Tuning
from metaverse_env.terminal import show

TUNED: Final = "tuned.json"
TRIALS: Final = "trials.csv"


def command_of(asked: Asked, budget: Budget) -> str:
    """Return the command that makes the same, with everything that matters said."""
    terms = asked.terms
    options = {
        "policies": ",".join(asked.names),
        "scenario": terms.scenario.name,
        "dynamics": terms.dynamics,
        "forecaster": terms.forecaster,
        "scaling": terms.scenario.scaling,
        "trace": None if terms.trace is None else terms.trace.source,
        "seeds": len(terms.seeds),
        "seed": terms.seeds[0],
        "ticks": terms.ticks,
        "trials": budget.trials,
        "violated-percent": f"{budget.limit_percent:g}",
    }
    said = [f"--{name} {value}" for name, value in options.items() if value is not None]
    return f"metaverse benchmark tune {' '.join(said)}"


def tuned(tuning: Tuning, command: str) -> dict[str, Any]:
    """Return what ``tuned.json`` holds; :func:`agents.load` reads the parameters from it."""
    found = tuning.found
    return {
        "command": command,
        **tuning.facts(),
        "trials": tuning.budget.trials,
        "controllers": {one.policy: _entry(one, tuning.budget.limit_percent) for one in found},
    }


def _entry(one: Tuned, limit_percent: float) -> dict[str, Any]:
    return {
        "parameters": one.best.parameters,
        "training": _figures(one.best),
        "defaults": _figures(one.trials[0]),
        "within_limit": one.best.violated_percent <= limit_percent,
        "trials": len(one.trials),
        "forecaster": one.forecaster,
    }


def _figures(trial: Trial) -> dict[str, float]:
    return {"cost_eur_per_h": trial.cost_eur_per_h, "violated_percent": trial.violated_percent}


def write(folder: Path, tuning: Tuning, command: str) -> None:
    """Write ``tuned.json`` and ``trials.csv``, each in one go: never half a file."""
    _replace(folder / TUNED, json.dumps(tuned(tuning, command), indent=2) + "\n")
    partial = folder / f"{TRIALS}.part"
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["policy", "trial", "cost_eur_per_h", "violated_percent", "parameters"])
        for one in tuning.found:
            for number, trial in enumerate(one.trials):
                figures = repr(trial.cost_eur_per_h), repr(trial.violated_percent)
                writer.writerow([one.policy, number, *figures, json.dumps(trial.parameters)])
    partial.replace(folder / TRIALS)


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def table(found: Sequence[Tuned], limit_percent: float) -> Table:
    """Return cost and violations of the defaults and of what was found, by controller."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("controller", no_wrap=True)
    for heading in ("defaults\nEUR/h", "defaults\nviolated, %", "tuned\nEUR/h", "tuned\nviolated, %", "trials"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for one in found:
        first, best = one.trials[0], one.best
        mark = "" if best.violated_percent <= limit_percent else " [bold red]above[/]"
        costs = f"{first.cost_eur_per_h:.3f}", f"{best.cost_eur_per_h:.3f}"
        violated = f"{first.violated_percent:.3f}", f"{best.violated_percent:.3f}{mark}"
        cells = costs[0], violated[0], costs[1], violated[1], str(len(one.trials))
        shown.add_row(one.policy.replace("[", r"\["), *cells)
    return shown


def print_tuned(console: Console, tuning: Tuning, folder: Path) -> None:
    """Print the conditions, the table, and what it does not tell."""
    for sentence in tuning.terms.sentences():
        console.print(sentence, highlight=False, markup=False)
    limit = tuning.budget.limit_percent
    show(console, table(tuning.found, limit))
    console.print(
        f"Lowest cost with at most {limit:g} % of user-seconds violated, on training seeds; judge it on others: "
        f"metaverse benchmark run --policies {tuning.found[0].policy}@{folder / TUNED}",
        highlight=False,
        soft_wrap=True,
    )
