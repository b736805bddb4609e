"""Scenarios by name and from files: what comes out of good files, and what is said about bad ones.

Cases: the catalogue; ``extends``; round trips through both formats; every kind of bad file, with its whole message;
the lines that messages name, held against a second way to find them.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import ScenarioError, UnknownNameError
from metaverse_env.scenario import SCENARIOS, Scenario, load_scenario
from metaverse_env.scenario.lines import toml_line, toml_lines
from metaverse_env.scenario.loading import MAX_BYTES, extended
from metaverse_env.scenario.problems import KeyPath


def problem(path: Path) -> str:
    """Return the message of loading a file, with the file's folder left out."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "")


def toml(values: Mapping[str, Any], table: str = "") -> str:
    """Write a scenario's values as TOML: plain values, then lists of tables, then tables."""
    plain, rest = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            rest.append(f"[{table}{key}]\n{toml(value, f'{table}{key}.')}")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            rest += [f"[[{table}{key}]]\n{toml(item)}" for item in value]
        else:
            plain.append(f"{key} = {_toml_value(value)}")
    return "\n".join([*plain, *rest])


def _toml_value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml_value, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


# ---------------------------------------------------------------------------------------------------- the catalogue


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_catalogue_loads_once(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    assert load_scenario(name) is scenario
    assert load_scenario(scenario) is scenario


def test_single_zone() -> None:
    scenario = load_scenario("single_zone")
    assert (scenario.layout.zones, scenario.layout.topology, scenario.layout.zones_per_node) == (1, "ring", 1)
    assert scenario.workload.migration_per_h == 0.0
    assert scenario.actuation.handover_shares == (0.0,)


def test_multi_zone_is_the_defaults() -> None:
    scenario = load_scenario("multi_zone")
    assert scenario == Scenario(name="multi_zone", description=scenario.description)
    assert scenario.layout.zones == 30


def test_complex_is_multi_zone_and_disturbances() -> None:
    scenario = load_scenario("complex")
    found = scenario.disturbances.model_dump(exclude_defaults=True)
    assert found == {
        "flash_crowd_per_day": 1.0,
        "node_loss_per_day": 2.0,
        "outage_per_day": 1.0,
        "degradation_per_day": 3.0,
        "price_sigma": 0.15,
        "drift_sigma": 0.05,
    }
    assert (scenario.monitoring.missing_per_h, scenario.intents.false_rate) == (0.5, 0.25)
    changed = {"name", "description", "disturbances", "monitoring", "intents"}
    base = load_scenario("multi_zone")
    assert scenario.model_dump(exclude=changed) == base.model_dump(exclude=changed)


@pytest.mark.parametrize("name", ["multi_zoen", "", "scenarios/mine", {"name": "x"}, None, 3])
def test_an_unknown_name(name: object) -> None:
    with pytest.raises(UnknownNameError, match="Known: complex, multi_zone, single_zone"):
        load_scenario(name)  # type: ignore[arg-type]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown scenario 'multi_zoen'\. Did you mean 'multi_zone'\?"):
        load_scenario("multi_zoen")


# ---------------------------------------------------------------------------------------------------------- extends


@pytest.mark.parametrize("ending", [".toml", ".yaml", ".yml", ".YML"])
def test_a_file_extends_the_catalogue(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine{ending}"
    values = {"extends": "complex", "name": "mine", "disturbances": {"outage_per_day": 5}, "layout": {"seed": 4}}
    path.write_text(toml(values) if ending == ".toml" else yaml.safe_dump(values))
    scenario, base = load_scenario(str(path)), load_scenario("complex")
    assert scenario.name == "mine"
    assert scenario.description == ""
    assert (scenario.disturbances.outage_per_day, scenario.disturbances.node_loss_per_day) == (5.0, 2.0)
    assert (scenario.layout.seed, scenario.layout.zones) == (4, 30)
    assert scenario.intents == base.intents


def test_lists_are_replaced_and_not_merged() -> None:
    base = {"name": "base", "a": {"pair": [1, 2], "deep": {"x": 1, "y": 2}}, "b": 1}
    own = {"name": "own", "a": {"pair": [3], "deep": {"y": 3}}, "c": 2}
    assert extended(base, own) == {"name": "own", "a": {"pair": [3], "deep": {"x": 1, "y": 3}}, "b": 1, "c": 2}
    assert base["a"] == {"pair": [1, 2], "deep": {"x": 1, "y": 2}}


def test_a_scenario_that_extends_another_needs_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "multi_zone"')
    assert problem(path) == "mine.toml: name is missing, expected a text (not empty)"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"multi_zoen"', "extends = 'multi_zoen', expected one of complex, multi_zone, single_zone. Did you mean 'multi_zone'?"),
        ('"mine.toml"', "extends = 'mine.toml', expected one of complex, multi_zone, single_zone."),
        ("[]", "extends = [], expected one of complex, multi_zone, single_zone."),
    ],
)  # fmt: skip
def test_a_base_that_is_not_in_the_catalogue(tmp_path: Path, value: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nextends = {value}\n')
    assert problem(path) == f"mine.toml:2: {message}"


# ------------------------------------------------------------------------------------------------------ round trips


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw scenarios that differ in values of every type."""
    zones = draw(st.integers(1, 5))
    low, high = sorted(draw(st.tuples(st.floats(61, 1e3), st.floats(61, 1e3))))
    values = {
        "name": draw(st.text("aZ 7-_äµ", min_size=1)),
        "tick_s": draw(st.floats(15, 60)),
        "scaling": draw(st.sampled_from(["vertical", "horizontal"])),
        "layout": {"zones": zones, "names": [f"zone {index}" for index in range(zones)] if draw(st.booleans()) else []},
        "workload": {"travel_s": (low, high), "session_mean_s": draw(st.floats(1e-9, 1e12))},
        "actuation": {"factors": [1.0, *draw(st.lists(st.floats(0.01, 9), max_size=3))]},
        "intents": {"activities": [{"name": name, "cpu": draw(st.floats(0.1, 20))} for name in ("idle", "play")]},
    }
    return Scenario.model_validate(values)


@given(scenario=scenarios(), ending=st.sampled_from([".toml", ".yaml"]))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, scenario: Scenario, ending: str) -> None:
    path = tmp_path_factory.mktemp("round") / f"trip{ending}"
    values = scenario.model_dump(mode="json")
    path.write_text(toml(values) if ending == ".toml" else yaml.safe_dump(values), encoding="utf-8")
    assert load_scenario(path) == scenario


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_catalogue_survives_a_round_trip(tmp_path: Path, name: str) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(toml(load_scenario(name).model_dump()), encoding="utf-8")
    assert load_scenario(path) == load_scenario(name)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbfname = "x"\r\n[layout]\r\nzones = 2\r\n')
    assert load_scenario(path).layout.zones == 2


# -------------------------------------------------------------------------------------------------------- bad files


def test_every_problem_of_a_toml_file_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        """\
# [layout]
tick_s = "15s"  # zones = 3
description = '''
[workload]
zipf_exponent = 9
'''
scaling = "vertcal"

[workload]
zipf_exponent = 4.5
zipf_exponnt = 1
travel_s = [
  60,  # ]
  "75",
]

[[intents.activities]]
name = "a"

[[intents.activities]]
name = "b"
cpu = -1

[layout]
zones = true

[ layout . extra ]
"""
    )
    assert problem(path).splitlines() == [
        "9 problems:",
        "  bad.toml: name is missing, expected a text (not empty)",
        "  bad.toml:2: tick_s = '15s', expected a number in s (>= 1, <= 60)",
        "  bad.toml:7: scaling = 'vertcal', expected one of these names (vertical, horizontal)",
        "  bad.toml:10: workload.zipf_exponent = 4.5, expected a number (>= 0, <= 3)",
        "  bad.toml:11: workload.zipf_exponnt is no key of a scenario. Did you mean 'zipf_exponent'?",
        "  bad.toml:12: workload.travel_s[1] = '75', expected a number in s",
        "  bad.toml:22: intents.activities[1].cpu = -1, expected a number (> 0, <= 20)",
        "  bad.toml:25: layout.zones = True, expected a whole number in zones (>= 1, <= 10000)",
        "  bad.toml:27: layout.extra is no key of a scenario.",
    ]


def test_every_problem_of_a_yaml_file_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        """\
# a world
name: bad
tick_s: 15s
workload: {zipf_exponent: 4.5,
  zipf_exponnt: 1}
intents:
  activities:
    - name: a
    - cpu: 1e3
layout:
service:
  backoff_s:
    - 10
    - yes
"on": 3
"""
    )
    assert problem(path).splitlines() == [
        "8 problems:",
        "  bad.yaml:3: tick_s = '15s', expected a number in s (>= 1, <= 60)",
        "  bad.yaml:4: workload.zipf_exponent = 4.5, expected a number (>= 0, <= 3)",
        "  bad.yaml:5: workload.zipf_exponnt is no key of a scenario. Did you mean 'zipf_exponent'?",
        "  bad.yaml:9: intents.activities[1].name is missing, expected a text (not empty)",
        "  bad.yaml:9: intents.activities[1].cpu = '1e3', expected a number (> 0, <= 20)",
        "  bad.yaml:10: layout = None, expected a table of keys",
        "  bad.yaml:14: service.backoff_s[1] = True, expected a number in s",
        "  bad.yaml:15: on is no key of a scenario.",
    ]


def test_a_value_of_the_base_has_no_line_but_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "multi_zone"\nname = "mine"\ntick_s = 40')
    assert problem(path) == "mine.toml: workload.travel_s (30.0, 75.0) s must exceed one tick of 40.0 s"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.toml", b"", "a.toml: is empty; it needs at least a name"),
        ("a.toml", b"# nothing\n", "a.toml: is empty; it needs at least a name"),
        ("a.yaml", b"", "a.yaml: is empty; it needs at least a name"),
        ("a.yaml", b"---\n", "a.yaml: is empty; it needs at least a name"),
        ("a.yaml", b"- name\n", "a.yaml: must hold keys and values at its top, but holds a list"),
        ("a.yaml", b"multi_zone", "a.yaml: must hold keys and values at its top, but holds a str"),
        ("a.yaml", b"3", "a.yaml: must hold keys and values at its top, but holds a int"),
        ("a.toml", b'name = "x"\ntick_s = 15 s\n', "a.toml: is not valid TOML: Expected newline or end of document after a statement (at line 2,"),
        ("a.toml", b'name = "x"\nname = "y"', "a.toml: is not valid TOML: Cannot overwrite a value"),
        ("a.yaml", b"name: x\nlayout: [", "a.yaml:2: is not valid YAML: expected the node content, but found '<stream end>'"),
        ("a.yaml", b"name: x\n\tlayout: 3", "a.yaml:2: is not valid YAML: found character '\\t' that cannot start any token"),
        ("a.yaml", b"name: x\nlayout:\n  seed: 1\n  zones: 2\n  seed: 3\n", "a.yaml:5: seed stands in line 3 already"),
        ("a.yaml", b"name: x\n---\nname: y\n", "a.yaml:2: is not valid YAML: but found another document"),
        ("a.yaml", b"name: !!python/object/apply:os.getcwd []", "a.yaml:1: is not valid YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'"),
        ("a.toml", b'name = "\xff"', "a.toml: is not UTF-8 text, at byte 8"),
        ("a.toml", b"#" * (MAX_BYTES + 1), "a.toml: is larger than 1048576 bytes, the limit for a scenario"),
        ("a.toml", b"x = " + b"[" * 20_000, "a.toml: is nested too deeply"),
        ("a.yaml", b"x: " + b"[" * 20_000, "a.yaml: is nested too deeply"),
        ("a.json", b"{}", "a.json: a scenario file ends in .toml, .yaml, .yml"),
        ("a", b"", "a: a scenario file ends in .toml, .yaml, .yml"),
    ],
)  # fmt: skip
def test_a_bad_file(tmp_path: Path, file: str, content: bytes, message: str) -> None:
    path = tmp_path / file
    path.write_bytes(content)
    assert problem(path).startswith(message)  # the parsers' own words end differently from version to version


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    assert problem(tmp_path / "gone.toml") == "gone.toml: cannot be read: No such file or directory"
    (tmp_path / "folder.toml").mkdir()
    assert problem(tmp_path / "folder.toml") == "folder.toml: cannot be read: Is a directory"


@pytest.mark.parametrize(
    "text", ["a: !!int ''", "a: !!timestamp x", "a: !!bool x", "a: 2024-13-45", "a: 1" + "0" * 5000]
)
def test_what_makes_the_yaml_parser_stumble_is_an_error_of_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert problem(path).startswith("a.yaml: is not valid YAML: ")


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(["name: x", *levels, "layout: {names: *l29}"]))
    assert len(problem(path)) < 10_000


# ------------------------------------------------------------------------------------------------------------- lines


def test_lines_of_every_toml_construct() -> None:
    text = '''\
"quoted key" = "a # b"
dotted.key = { inline = [1, { x = 2 }] }
text = """ "" \\"""
[no.table]
""""
literal = \'\'\'
x = 1\'\'\'\'
[a."b.c"]  # [d]
list = [  # ]
  "]", [
    1,
  ],
]
[[a.many]]
x = 1
[a.many.inner]
y = 1
[[a.many]]
[a.many.inner]
y = 2
'''
    tomllib.loads(text)
    assert {".".join(map(str, path)): line for path, line in toml_lines(text).items()} == {
        "quoted key": 1,
        "dotted": 2,
        "dotted.key": 2,
        "dotted.key.inline": 2,
        "dotted.key.inline.0": 2,
        "dotted.key.inline.1": 2,
        "dotted.key.inline.1.x": 2,
        "text": 3,
        "literal": 6,
        "a.b.c": 8,
        "a.b.c.list": 9,
        "a.b.c.list.0": 9,
        "a.b.c.list.1": 9,
        "a.b.c.list.1.0": 9,
        "a.many.0": 14,
        "a.many.0.x": 15,
        "a.many.0.inner": 16,
        "a.many.0.inner.y": 17,
        "a.many.1": 18,
        "a.many.1.inner": 19,
        "a.many.1.inner.y": 20,
    }


VALUES = st.sampled_from(
    ["1", '"#"', "'[x]'", '"\\""', '""', "[]", "[\n 1, # ]\n '[',\n]", "{a = '}'}", '"""\n[x]\n"""', "'''\n'y = 1\n'''"]
)


@given(st.lists(st.tuples(st.sampled_from(["plain", "blank", "table"]), VALUES), max_size=12))
def test_the_line_of_a_key_is_where_it_was_written(statements: list[tuple[str, str]]) -> None:
    text, table = "", ""
    expected: dict[KeyPath, int] = {}
    for number, (kind, value) in enumerate(statements):
        line = text.count("\n") + 1
        if kind == "table":
            table = f"t{number}"
            expected[(table,)] = line
            text += f"[{table}] # {number}\n"
        elif kind == "plain":
            expected[(table, f"k{number}") if table else (f"k{number}",)] = line
            text += f"k{number} = {value}\n"
        else:
            text += "\n"
    tomllib.loads(text)
    assert {path: toml_line(text, path) for path in expected} == expected


@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_a_bank_is_sought_beside_the_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "worlds" / f"own{suffix}"
    path.parent.mkdir()
    for said, found in (
        ("own.npz", tmp_path / "worlds" / "own.npz"),
        ("../own.npz", tmp_path / "worlds" / ".." / "own.npz"),
        ("/data/own.npz", Path("/data/own.npz")),
        ("~/own.npz", tmp_path / "home" / "own.npz"),
        ("samples", "samples"),
    ):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        values = {"extends": "single_zone", "name": "own", "intents": {"bank": said}}
        path.write_text(toml(values) if suffix == ".toml" else yaml.safe_dump(values))
        assert load_scenario(path).intents.bank == str(found)
