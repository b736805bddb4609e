"""Tuning in small worlds: what it measures is what a benchmark measures, and its files are what controllers take."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import agents
from agents.baselines.parameters import parameters_of
from benchmarks.conditions import Conditions, conditions
from benchmarks.scores import CLOCKED
from benchmarks.suite import compare, load_policy, run_policy
from benchmarks.tuning.tuning import Budget, Tuning, forecaster_for
from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError, UnknownNameError

TINY = ("--scenario", "single_zone", "--forecaster", "none", "--seeds", "2", "--ticks", "8", "--trials", "3")
SEEDS = (1_000_000, 1_000_001)
MINE = """
import numpy as np

from agents.baselines.parameters import controller, parameter
from metaverse_env import Command


@controller("mine")
class Mine:
    share: float = parameter(0.5, 0.1, 1.0, "Of the allocation, to be used.", search=(0.2, 0.9))

    def reset(self, zones, worlds):
        pass

    def act(self, view):
        return Command.of(np.clip(view.telemetry.usage / self.share, *view.limits))
"""


def metaverse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="metaverse")


def small(**changes: Any) -> Conditions:
    terms = {"dynamics": "physics", "forecaster": "none", "seeds": 2, "seed": SEEDS[0], "ticks": 8, **changes}
    return conditions("single_zone", **terms)


def tuned_in(folder: Path, *arguments: str) -> dict[str, Any]:
    found = metaverse("benchmark", "tune", *TINY, "--out", folder, "--json", *arguments)
    assert found.exit_code == 0, found.output
    result: dict[str, Any] = json.loads(found.stdout)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tuned")
    tuned_in(made, "--policies", "threshold,oracle")
    return made


def test_writes_parameters_trials_and_a_picture(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["trials.csv", "trials.journal", "trials.png", "tuned.json"]
    with Image.open(folder / "trials.png") as picture:
        assert picture.width > 700
    with (folder / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["policy"], row["trial"]) for row in rows] == [(n, t) for n in ("threshold", "oracle") for t in "012"]


def test_the_first_trial_is_what_a_benchmark_of_the_defaults_measures(folder: Path) -> None:
    entry = json.loads((folder / "tuned.json").read_text(encoding="utf-8"))["controllers"]["threshold"]
    (result,) = compare(small(), ("threshold",), codec=False)
    assert entry["defaults"] == {
        name: pytest.approx(result.scores[name].mean()) for name in ("cost_eur_per_h", "violated_percent")
    }


def test_a_benchmark_of_the_tuned_file_measures_what_was_found(folder: Path) -> None:
    path = folder / "tuned.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    for name, entry in found["controllers"].items():
        (result,) = compare(small(), (f"{name}@{path}",), codec=False)
        measured = {metric: pytest.approx(result.scores[metric].mean()) for metric in entry["training"]}
        assert entry["training"] == measured
    assert found["seeds"] == 2
    assert found["first_seed"] == SEEDS[0]
    assert "--trials 3 --violated-percent 0.5" in found["command"]


def test_tuned_policies_run_beside_others_and_through_the_codec(folder: Path) -> None:
    name = f"threshold@{folder / 'tuned.json'}"
    results = [result.policy for result in compare(small(), (name, "hold"))]
    assert results[:2] == [name, "hold"]
    assert results[2] in (f"{name}+codec", "hold+codec")
    assert load_policy(f"{name}+codec", small().scenario) is not None


def test_goes_on_with_more_trials_and_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    arguments = ("--policies", "threshold")
    tuned_in(tmp_path / "halves", *arguments)
    more = tuned_in(tmp_path / "halves", *arguments, "--trials", "5", "--resume")
    assert more == tuned_in(tmp_path / "whole", *arguments, "--trials", "5")
    assert more["controllers"]["threshold"]["trials"] == 5
    other = metaverse(
        "benchmark", "tune", *TINY, *arguments, "--out", tmp_path / "halves", "--violated-percent", "1", "--resume"
    )
    assert other.exit_code == 2
    assert "violated_percent_limit was 0.5, and now it is 1.0" in other.stderr


def test_without_resume_it_starts_anew(tmp_path: Path) -> None:
    once = tuned_in(tmp_path, "--policies", "static")
    assert tuned_in(tmp_path, "--policies", "static") == once
    assert once["controllers"]["static"]["trials"] == 3


def test_an_interruption_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(10))

    def interrupt(*arguments: Any) -> Any:
        if next(count) == 4:
            raise KeyboardInterrupt
        return run_policy(*arguments)

    with monkeypatch.context() as during:
        during.setattr("benchmarks.tuning.tuning.run_policy", interrupt)
        found = metaverse("benchmark", "tune", *TINY, "--policies", "static,threshold", "--out", tmp_path)
    assert found.exit_code == 130
    assert "trials in" in found.stderr
    kept = json.loads((tmp_path / "tuned.json").read_text(encoding="utf-8"))["controllers"]
    assert {name: entry["trials"] for name, entry in kept.items()} == {"static": 3, "threshold": 1}
    again = tuned_in(tmp_path, "--policies", "static,threshold", "--resume")
    assert again["controllers"] == tuned_in(tmp_path / "whole", "--policies", "static,threshold")["controllers"]


def test_a_controller_of_the_users_is_tuned_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_tunable.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = tuned_in(tmp_path / "out", "--policies", "my_tunable:Mine")["controllers"]["my_tunable:Mine"]
    assert list(found["parameters"]) == ["share"]
    policy: Any = agents.load(f"my_tunable:Mine@{tmp_path / 'out' / 'tuned.json'}")
    assert policy.share == found["parameters"]["share"]


@pytest.mark.parametrize("name", ["hold", "random"])
def test_a_controller_without_parameters_is_refused_before_anything_runs(name: str, tmp_path: Path) -> None:
    found = metaverse("benchmark", "tune", *TINY, "--policies", f"threshold,{name}", "--out", tmp_path)
    assert found.exit_code == 2
    assert f"policy '{name}' has no parameters worth searching" in found.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("trials", "limit"), [(0, 0.5), (1, -0.1), (1, 101.0), (1, float("nan"))])
def test_a_budget_that_cannot_be(trials: int, limit: float) -> None:
    with pytest.raises(ConfigurationError, match="must be at least 1 trial"):
        Budget(trials, limit)


def test_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'hpa'"):
        Tuning(small(), Budget(1, 0.5), ["hpaa"], tmp_path, resume=False)


@pytest.mark.parametrize("name", [*agents.CLASSICAL, *agents.CLAIRVOYANT])
def test_who_says_that_no_forecast_is_read_decides_the_same_without(name: str) -> None:
    policy = agents.load(name)
    reads = getattr(policy, "reads_forecast", True)
    assert reads == (name in ("forecast", "mpc"))
    assert forecaster_for(policy, "persistence") == ("persistence" if reads else "none")
    if not reads:
        without, with_one = (
            run_policy(small(forecaster=forecaster).shell(2), agents.load(name), SEEDS, 8)
            for forecaster in ("none", "persistence")
        )
        for metric in without.keys() - set(CLOCKED):
            np.testing.assert_array_equal(without[metric], with_one[metric])


def test_every_classical_controller_with_parameters_has_something_to_search_for() -> None:
    names = (*agents.CLASSICAL, *agents.CLAIRVOYANT)
    searched = {name: [one for one in parameters_of(agents.load(name)) if one.range.search] for name in names}
    assert {name for name, found in searched.items() if not found} == {"hold", "random"}
