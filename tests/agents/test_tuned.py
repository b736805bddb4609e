"""Tuned parameters: those that are shipped load everywhere they are promised, and a user's file is checked."""

import json
from pathlib import Path
from typing import Any

import pytest

import agents
from agents.baselines.parameters import parameters_of
from agents.reference import page
from agents.tuned import shipped, tuned_controllers, tuned_parameters
from metaverse_env.errors import ConfigurationError, UnknownNameError

PAGE = Path(__file__).parents[2] / "docs" / "controller-parameters.md"
TRAINING_SEEDS = 1_000_000


def write(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def file_of(folder: Path, **parameters: Any) -> str:
    return write(folder / "tuned.json", {"controllers": {"threshold": {"parameters": parameters}}})


@pytest.mark.parametrize("scenario", shipped())
def test_what_is_shipped_was_tuned_elsewhere_and_lies_in_the_ranges(scenario: str) -> None:
    facts = json.loads((Path(agents.__file__).parent / "tuned" / f"{scenario}.json").read_text(encoding="utf-8"))
    assert facts["scenario"] == scenario
    assert facts["first_seed"] >= TRAINING_SEEDS
    assert facts["command"].startswith(f"metaverse benchmark tune --policies {','.join(facts['controllers'])} ")
    assert set(facts["controllers"]) >= set(agents.CLASSICAL) - {"hold", "random"}
    for name, entry in tuned_controllers(scenario).items():
        policy = agents.load(f"{name}@{scenario}")
        searched = {one.name: one.range for one in parameters_of(policy) if one.range.search is not None}
        assert entry["parameters"].keys() == searched.keys()
        for parameter, value in entry["parameters"].items():
            low, high = searched[parameter].search or (0.0, 0.0)
            assert low <= value <= high
            assert getattr(policy, parameter) == value
        assert entry["within_limit"] == (entry["training"]["violated_percent"] <= facts["violated_percent_limit"])
        assert entry["trials"] == facts["trials"]
        if entry["within_limit"] and entry["defaults"]["violated_percent"] <= facts["violated_percent_limit"]:
            assert entry["training"]["cost_eur_per_h"] <= entry["defaults"]["cost_eur_per_h"]


def test_the_catalogue_of_scenarios_is_covered() -> None:
    assert shipped() == ("complex", "multi_zone", "single_zone")


def test_a_file_of_the_users_is_read_and_can_be_overridden(tmp_path: Path) -> None:
    path = file_of(tmp_path, cpu_target=0.66, tolerance=0.02)
    policy: Any = agents.load(f"threshold@{path}")
    assert (policy.cpu_target, policy.tolerance, policy.memory_target) == (0.66, 0.02, 0.8)
    policy = agents.load(f"threshold@{path}", tolerance=0.3)
    assert (policy.cpu_target, policy.tolerance) == (0.66, 0.3)


def test_unknown_names_are_asked_back(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'multi_zone'"):
        agents.load("hpa@mulit_zone")
    with pytest.raises(UnknownNameError, match="unknown controller in the tuned parameters of multi_zone 'hold'"):
        agents.load("hold@multi_zone")
    with pytest.raises(UnknownNameError, match="Did you mean 'threshold'"):
        agents.load(f"treshold@{file_of(tmp_path)}")
    with pytest.raises(UnknownNameError, match="'hpa'"):
        tuned_parameters("hpa", file_of(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nothing", "no JSON object"),
        ([1], "no JSON object"),
        ({"policies": {}}, "no JSON object"),
        ({"controllers": [1]}, "is no table"),
        ({"controllers": {"threshold": {}}}, "has no table of parameters"),
        ({"controllers": {"threshold": {"parameters": [0.5]}}}, "has no table of parameters"),
        ({"controllers": {"threshold": {"parameters": {"cpu_target": 1.5}}}}, r"cpu_target = 1.5; must be a number in"),
        ({"controllers": {"threshold": {"parameters": {"cpu_target": "0.5"}}}}, "cpu_target = '0.5'"),
        ({"controllers": {"threshold": {"parameters": {"cpu_targett": 0.5}}}}, "cpu_targett.*its parameters are"),
    ],
)
def test_a_broken_file_is_explained(content: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tuned.json", content)
    with pytest.raises(ConfigurationError, match=message):
        agents.load(f"threshold@{path}")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read: No such file"):
        agents.load(f"threshold@{tmp_path / 'nowhere.json'}")


def test_a_policy_that_is_made_already_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ready_made.py").write_text(
        "from agents.baselines.hold import Hold\n\nready = Hold()\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="is made already and takes no parameters, but got share"):
        agents.load("ready_made:ready", share=0.5)


def test_the_page_of_parameters_is_what_the_command_prints() -> None:
    remedy = "run: python -m agents.reference > docs/controller-parameters.md"
    assert PAGE.read_text(encoding="utf-8") == page(), remedy
