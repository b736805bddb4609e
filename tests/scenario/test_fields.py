"""Every constant is declared with unit, mark and meaning, and refuses what it must, whoever constructs it.

Cases: the declarations (walked, so that a new field cannot be forgotten); types that pass and types that do not;
messages of direct construction; frozen values; copies.
"""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from metaverse_env.errors import ConfigurationError, ScenarioError
from metaverse_env.scenario import Scenario
from metaverse_env.scenario.describing import group, mark, unit
from metaverse_env.scenario.fields import Mark
from metaverse_env.scenario.reference import page
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.scenario.workload import Activity, WorkloadSpec


def constants(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        inner = group(field.annotation)
        if inner is None:
            yield prefix + name, field
        else:
            yield from constants(inner, f"{prefix}{name}.")


CONSTANTS = dict(constants(Scenario))
NUMBERS = {key: field for key, field in CONSTANTS.items() if field.annotation in (float, int)}
NUMBER_TUPLES = {key: field for key, field in CONSTANTS.items() if get_args(field.annotation)[:1] == (float,)}


def made(**values: Any) -> Scenario:
    """Build a scenario of whatever values, which a type checker would refuse."""
    return Scenario(**{"name": "x", **values})


def scenario_with(key: str, value: object) -> Scenario:
    """Build a scenario in which one constant, by its dotted key, is another value."""
    *tables, name = key.split(".")
    if tables == ["intents", "activities"]:
        return made(intents={"activities": [{"name": "a", name: value}, {"name": "b"}]})
    return made(**({tables[0]: {name: value}} if tables else {name: value}))


def test_the_walk_reaches_every_group() -> None:
    assert {key.split(".")[0] for key in CONSTANTS} == set(Scenario.model_fields)
    assert "intents.activities.duration_s" in CONSTANTS
    assert len(NUMBERS) > 60
    assert len(NUMBER_TUPLES) > 20


@pytest.mark.parametrize("key", CONSTANTS)
def test_every_constant_has_unit_mark_and_meaning(key: str) -> None:
    field = CONSTANTS[key]
    assert field.description
    assert mark(field) in get_args(Mark)
    if field.annotation is str:
        assert unit(field) in ("name", "text")
    else:
        assert isinstance(field.json_schema_extra, dict), "declare it with quantity(), interval() or choice()"
        assert field.json_schema_extra["unit"], "a pure number has the unit '1'"


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_declares_at_least_one_limit(key: str) -> None:
    assert any(hasattr(item, limit) for item in NUMBERS[key].metadata for limit in ("gt", "ge", "lt", "le"))


@pytest.mark.parametrize("wrong", [True, "1", None, float("nan"), float("-inf"), 1j, [1.0]], ids=repr)
@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_refuses_what_is_no_number(key: str, wrong: object) -> None:
    with pytest.raises(ScenarioError, match=r"expected a (whole )?number"):
        scenario_with(key, wrong)


@pytest.mark.parametrize("wrong", [True, "1", None, float("nan")], ids=repr)
@pytest.mark.parametrize("key", NUMBER_TUPLES)
def test_a_tuple_of_numbers_refuses_what_is_no_number(key: str, wrong: object) -> None:
    with pytest.raises(ScenarioError, match=r"\[0\] = .*, expected a number"):
        scenario_with(key, [wrong, *NUMBER_TUPLES[key].default[1:]])


def test_a_whole_number_is_a_real_number_but_not_the_reverse() -> None:
    assert made(tick_s=20).tick_s == 20.0
    with pytest.raises(ScenarioError, match=r"layout.zones = 3.0, expected a whole number"):
        made(layout={"zones": 3.0})


def test_lists_and_numpy_values_are_understood() -> None:
    workload = made(workload={"travel_s": np.array([30, 60]), "zipf_exponent": np.float32(1.5)}).workload
    assert workload.travel_s == (30.0, 60.0)
    assert type(workload.zipf_exponent) is float
    assert made(layout={"zones": np.int64(4)}).layout.zones == 4
    assert made(layout={"zones": 2, "names": ["a", "b"]}).layout.names == ("a", "b")
    with pytest.raises(ScenarioError, match="expected a whole number"):
        made(layout={"zones": np.bool_(True)})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tick_s", -1, "Scenario: tick_s = -1, expected a number in s (>= 1, <= 60)"),
        ("scaling", "diagonal", "Scenario: scaling = 'diagonal', expected one of these names (vertical, horizontal)"),
        ("workload.zipf_exponent", 3.5, "Scenario: workload.zipf_exponent = 3.5, expected a number (>= 0, <= 3)"),
        ("workload.peak_hour", 24, "Scenario: workload.peak_hour = 24, expected a number in h (>= 0, < 24)"),
        ("workload.travel_s", [60, 40], "Scenario: workload.travel_s: an interval (low, high) needs 0 <= low <= high, got (60.0, 40.0) s"),
        ("workload.travel_s", [60], "Scenario: workload.travel_s = [60], expected a list of 2 numbers in s"),
        ("workload.travel_s", 60, "Scenario: workload.travel_s = 60, expected a list of 2 numbers in s"),
        ("demand.noise_cv", [0.1] * 4, "Scenario: demand.noise_cv = [0.1, 0.1, 0.1, 0.1], expected a list of 3 numbers"),
        ("layout.names", "plaza", "Scenario: layout.names = 'plaza', expected a list of texts"),
        ("intents.activities.cpu", 0, "Scenario: intents.activities[0].cpu = 0, expected a number (> 0, <= 20)"),
        ("service", None, "Scenario: service = None, expected a table of keys"),
        ("name", "", "Scenario: name = '', expected a text (not empty)"),
        ("workload.zipf_exponnt", 1, "Scenario: workload.zipf_exponnt is no key of a scenario. Did you mean 'zipf_exponent'?"),
        ("zipf_exponent", 1, "Scenario: zipf_exponent is no key of a scenario. Did you mean 'workload.zipf_exponent'?"),
        ("workload.qqq", 1, "Scenario: workload.qqq is no key of a scenario."),
    ],
)  # fmt: skip
def test_construction_says_what_is_wrong(key: str, value: object, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario_with(key, value)
    assert str(caught.value) == message
    assert isinstance(caught.value.__cause__, ValidationError)


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        made(tick_s="15s", layout={"zones": 0}, cost={"fairness_weight": -0.5})
    assert str(caught.value).splitlines() == [
        "3 problems:",
        "  Scenario: tick_s = '15s', expected a number in s (>= 1, <= 60)",
        "  Scenario: layout.zones = 0, expected a whole number in zones (>= 1, <= 10000)",
        "  Scenario: cost.fairness_weight = -0.5, expected a number (>= 0)",
    ]


def test_a_flood_of_problems_is_counted_and_a_long_value_shortened() -> None:
    with pytest.raises(ScenarioError) as caught:
        made(layout={"names": list(range(5000))})
    assert len(caught.value.args[0].splitlines()) == 52
    assert caught.value.args[0].startswith("5000 problems:\n")
    assert caught.value.args[0].endswith("and 4950 more")
    with pytest.raises(ScenarioError) as caught:
        made(tick_s="9" * 100_000)
    assert len(str(caught.value)) < 200


def test_a_missing_name_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"^Scenario: name is missing, expected a text"):
        Scenario()  # type: ignore[call-arg]
    with pytest.raises(ScenarioError, match=r"^Activity: name is missing"):
        Activity()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("group_name", "values", "rule"),
    [
        ("actuation", {"factors": [0.5, 2.0]}, "actuation: factors must be positive and contain 1.0"),
        ("actuation", {"handover_shares": [0.1]}, "actuation: handover_shares must start with 0.0"),
        ("actuation", {"allocation_min": [1.0, 256.0, 2.0]}, "actuation: needs 0 < allocation_min <= pod_size"),
        ("layout", {"zones": 2, "names": ["a", "a"]}, "layout: names must hold 2 different names"),
        ("intents", {"activities": [{"name": "a"}, {"name": "a"}]}, "intents: activities need at least two different"),
        ("workload", {"travel_s": [15.0, 30.0]}, r"workload.travel_s \(15.0, 30.0\) s must exceed one tick of 15.0 s"),
    ],
)
def test_rules_over_several_values(group_name: str, values: dict[str, Any], rule: str) -> None:
    with pytest.raises(ScenarioError, match=f"^Scenario: {rule}"):
        made(**{group_name: values})


def test_every_door_raises_our_error() -> None:
    scenario = made()
    for construct in (
        lambda: made(tick_s=0),
        lambda: Scenario.model_validate({"name": "x", "tick_s": 0}),
        lambda: scenario.with_changes(tick_s=0),
        lambda: scenario.with_changes(layout={"zones": 0}),
        lambda: LayoutSpec(zones=0),
        lambda: Scenario.model_validate([]),
        lambda: Scenario.model_validate({"name": "x", 1: 2}),
    ):
        with pytest.raises(ScenarioError):
            construct()
    assert issubclass(ScenarioError, ConfigurationError)
    assert issubclass(ScenarioError, ValueError)


def test_with_changes_keeps_the_rest() -> None:
    scenario = made(tick_s=20.0, layout=LayoutSpec(zones=4))
    changed = scenario.with_changes(name="y", workload=WorkloadSpec(migration_per_h=0.0))
    assert (changed.name, changed.tick_s, changed.layout.zones, changed.workload.migration_per_h) == ("y", 20.0, 4, 0.0)
    assert scenario.workload.migration_per_h > 0


@pytest.mark.parametrize("key", list(Scenario.model_fields))
def test_frozen(key: str) -> None:
    scenario = made()
    with pytest.raises(ValueError, match="frozen"):
        setattr(scenario, key, getattr(scenario, key))
    inner = getattr(scenario, key)
    if isinstance(inner, BaseModel):
        name = next(iter(type(inner).model_fields))
        with pytest.raises(ValueError, match="frozen"):
            setattr(inner, name, getattr(inner, name))


def test_equal_scenarios_hash_alike_and_survive_copies() -> None:
    scenario = made(layout={"zones": 7})
    assert hash(scenario) == hash(made(layout=LayoutSpec(zones=7)))
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    assert copy.deepcopy(scenario) == scenario


def test_the_reference_page_is_what_the_command_prints() -> None:
    committed = Path(__file__).parents[2] / "docs" / "scenario-reference.md"
    remedy = "run: python -m metaverse_env.scenario.reference > docs/scenario-reference.md"
    assert committed.read_text(encoding="utf-8") == page(), remedy


def test_the_reference_page_names_every_constant() -> None:
    keys = {key.replace("activities.", "activities[].") for key in CONSTANTS}
    listed = {line.split("`")[1] for line in page().splitlines() if line.startswith("| `")}
    assert listed == keys | {"intents.activities"}
