"""What forecasts, intents and shared rewards are worth to a learned policy: trained with and without, then compared.

Every variant is trained with the same budget and seed, aims at the same share of violated user-seconds, and is run on
the same held-out seeds of the physics, each with the forecasts it learned with.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import torch
import typer
from rich import box
from rich.table import Table

from agents.learning.card import load_policy
from agents.learning.run import train
from agents.learning.runtime import LearnedPolicy
from agents.learning.settings import DEFAULTS, Settings
from benchmarks import options
from benchmarks.conditions import Conditions, conditions
from benchmarks.progress import Bar
from benchmarks.scores import Scores
from benchmarks.statistics import mean_interval, paired_difference
from benchmarks.suite import run_policy
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.terminal import console, show

REFERENCE: Final = "ST-GNN with intents, mixed reward"
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    REFERENCE: {},
    "no forecast": {"forecaster": "none"},
    "persistence": {"forecaster": "persistence"},
    "ST-GNN without intents": {"forecaster": "stgnn_without_intents"},
    "perfect forecast": {"forecaster": "perfect"},
    "local reward": {"global_weight": 0.0},
    "global reward": {"global_weight": 1.0},
    "local reward without central critic": {"global_weight": 0.0, "central": False, "algorithm": "ippo"},
}
"""What each variant changes."""
METRICS: Final = ("cost_eur_per_h", "violated_percent", "reward")


COMMAND: Final = "metaverse benchmark ablation"


class Plan(NamedTuple):
    """A variant: how it is trained, where that is kept, and the worlds that judge it."""

    name: str
    folder: Path
    settings: Settings
    terms: Conditions


class Found(NamedTuple):
    """How a variant did: every metric by seed, and what its training took."""

    scores: Scores
    minutes: float


def ablation(
    out: options.Out = Path("runs/ablation"),
    scenario: options.ScenarioName = "multi_zone",
    variants: Annotated[str, typer.Option(help="Which, by commas; default: all.", show_default="all")] = "",
    agent_steps: Annotated[int, typer.Option(min=1000, help="Each variant learns from.")] = 10_000_000,
    worlds: Annotated[int, typer.Option(min=1, help="Side by side while learning.")] = 128,
    seeds: options.Seeds = 48,
    seed: options.Seed = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    as_json: options.AsJson = False,
) -> None:
    """Train policies without forecasts, intents or shared rewards, and tell what each is worth on held-out seeds.

    Variants whose policy is in the folder already are not trained again, so that an interrupted ablation goes on.
    Writes ablation.json and, for each variant, what metaverse train mappo writes.
    """
    folder = writable(out)
    base = replace(
        DEFAULTS["mappo"],
        scenario=scenario,
        agent_steps=agent_steps,
        worlds=worlds,
        validation_worlds=min(16, worlds),
    )
    names = _named(variants)
    plans = [_plan(name, folder, base, seeds, seed) for name in names]
    torch.set_num_threads(threads)
    found = {plan.name: _found(plan, threads) for plan in plans}
    summary = {"scenario": scenario, "agent_steps": agent_steps, "seeds": [seed, seed + seeds - 1]}
    summary["variants"] = {name: _row(name, found) for name in names}
    (folder / "ablation.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(summary, indent=1))
    else:
        show(console(), _table(summary))
        typer.echo("± and brackets: 95 % intervals over seeds; the last two columns are paired with the first row.")


def _named(variants: str) -> tuple[str, ...]:
    """Return the variants asked for, the reference first.

    Raises:
        ConfigurationError: One that there is not.
    """
    asked = [part.strip() for part in variants.split(",") if part.strip()] or list(VARIANTS)
    unknown = [name for name in asked if name not in VARIANTS]
    if unknown:
        raise ConfigurationError(f"no variant {', '.join(unknown)}; there are: {', '.join(VARIANTS)}")
    return (REFERENCE, *(name for name in asked if name != REFERENCE))


def _plan(name: str, folder: Path, base: Settings, seeds: int, seed: int) -> Plan:
    """Check what a variant needs, before anything is trained."""
    settings = replace(base, **VARIANTS[name])
    terms = conditions(settings.scenario, dynamics="physics", forecaster=settings.forecaster, seeds=seeds, seed=seed)
    return Plan(name, folder / name.replace(" ", "_").replace(",", ""), settings, terms)


def _found(plan: Plan, threads: int) -> Found:
    """Train a variant, unless it is there, and run it."""
    card = writable(plan.folder) / f"{plan.settings.algorithm}.json"
    if not card.exists():
        typer.echo(f"{plan.name}:", err=True)
        train(plan.folder, plan.settings, command=COMMAND, minutes=None, threads=threads, resume=_begun(plan.folder))
    policy, terms = LearnedPolicy(*load_policy(card)), plan.terms
    with Bar(terms.ticks, text=plan.name) as bar:
        shell = terms.shell(len(terms.seeds))
        scores = run_policy(shell, policy, terms.seeds, terms.ticks, lambda: bar.advance(plan.name))
    return Found(scores, float(policy.card.metrics["minutes"]))


def _begun(folder: Path) -> bool:
    return (folder / "checkpoint.safetensors").exists()


def _row(name: str, found: dict[str, Found]) -> dict[str, Any]:
    scores, reference = found[name].scores, found[REFERENCE].scores
    return {
        **{metric: mean_interval(scores[metric])._asdict() for metric in METRICS},
        "cost_over_reference": paired_difference(scores["cost_eur_per_h"], reference["cost_eur_per_h"])._asdict(),
        "violated_over_reference": paired_difference(
            scores["violated_percent"], reference["violated_percent"]
        )._asdict(),
        "training_minutes": found[name].minutes,
    }


def _table(summary: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("variant", "cost\nEUR/h", "violated\n% user-s", "cost over\nfirst row", "violated over\nfirst row"):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    for name, row in summary["variants"].items():
        cost, violated = row["cost_eur_per_h"], row["violated_percent"]
        more, worse = row["cost_over_reference"], row["violated_over_reference"]
        table.add_row(
            name,
            f"{cost['mean']:.3f} ±{(cost['high'] - cost['low']) / 2:.2f}",
            f"{violated['mean']:.3f} ±{(violated['high'] - violated['low']) / 2:.2f}",
            f"{more['mean']:+.3f} [{more['low']:+.3f}, {more['high']:+.3f}]",
            f"{worse['mean']:+.3f} [{worse['low']:+.3f}, {worse['high']:+.3f}]",
        )
    return table
