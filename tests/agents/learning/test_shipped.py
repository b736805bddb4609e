"""The policies that come with the package, on seeds that neither training, nor validation, nor tuning has seen."""

from pathlib import Path

import numpy as np
import pytest

import agents
from agents.learning.card import SHIPPED, load_policy
from benchmarks.conditions import conditions
from benchmarks.scores import Scores
from benchmarks.suite import run_policy
from metaverse_env.testing import check_policy

STEMS = sorted(path.stem for path in SHIPPED.glob("*.json"))
SEEDS = 8


def run(name: str, scenario: str) -> Scores:
    terms = conditions(scenario, dynamics="physics", seeds=SEEDS, seed=500)
    return run_policy(terms.shell(SEEDS), agents.load(name), terms.seeds, terms.ticks)


def test_there_is_one_for_many_zones() -> None:
    assert "mappo_multi_zone" in STEMS


@pytest.mark.parametrize("stem", STEMS)
def test_each_tells_how_it_was_made_and_is_small(stem: str) -> None:
    card, weights = load_policy(SHIPPED / f"{stem}.json")
    assert stem == f"{card.algorithm}_{card.scenario}"
    assert card.command.startswith(f"metaverse train {card.algorithm}")
    assert card.metrics["validation"]["violated_percent"] < 1.0
    assert sum(array.nbytes for array in weights.values()) < 200_000
    assert sum((SHIPPED / f"{stem}{suffix}").stat().st_size for suffix in (".json", ".safetensors")) < 250_000
    assert (Path(__file__).parents[3] / "docs" / "figures" / f"{stem}.png").exists()


@pytest.mark.parametrize("stem", STEMS)
def test_each_keeps_the_contract(stem: str) -> None:
    algorithm, scenario = stem.split("_", 1)
    check_policy(agents.load(f"{algorithm}@{scenario}"), scenario, forecaster="stgnn")


def test_the_team_costs_less_and_violates_less_than_the_tuned_autoscaler() -> None:
    ours, theirs = run("mappo", "multi_zone"), run("hpa@multi_zone", "multi_zone")
    cheaper = ours["cost_eur_per_h"] / theirs["cost_eur_per_h"]
    assert cheaper.mean() < 0.93
    assert (cheaper < 1.0).mean() >= 0.8
    assert ours["violated_percent"].mean() < 0.8 * theirs["violated_percent"].mean()
    assert np.isfinite(ours["reward"]).all()
