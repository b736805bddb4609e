"""What a grid found, by hand; and as text and picture."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.conditions import Conditions, conditions
from benchmarks.grid.findings import (
    CHANCE,
    MORE_COST,
    MORE_VIOLATED,
    OVERALL_UNITS,
    VIOLATED,
    WON,
    WORST,
    Cell,
    Findings,
    find,
)
from benchmarks.grid.picture import draw
from benchmarks.grid.tables import as_csv, as_json, markdown, print_findings, write
from benchmarks.scores import METRICS, Result

SEEDS = 8


def terms(scenario: str = "multi_zone") -> Conditions:
    return conditions(scenario, dynamics="physics", forecaster="none", seeds=SEEDS, ticks=4)


def made_up(policy: str, cost: float, violated: float, reward: float) -> Result:
    """Every seed is a little other than the one before, in the same way for every policy."""
    seeds = np.arange(SEEDS, dtype=np.float64)
    scores = {metric.name: seeds + 1.0 for metric in METRICS}
    own = {"cost_eur_per_h": cost * (seeds + 1.0), "violated_percent": violated + seeds, "reward": reward + seeds}
    return Result(policy, {**scores, **own})


RESULTS = [
    made_up("hpa", 1.0, 1.0, -10.0),
    made_up("cheap", 0.5, 5.0, -20.0),
    made_up("worse", 1.1, 2.0, -9.0),
    made_up("seer", 0.4, 0.0, 0.0),
]


@pytest.fixture(scope="module")
def findings() -> Findings:
    cells = [Cell(terms(), RESULTS), Cell(terms("complex"), RESULTS[:3], {"seer": "it saw nothing"})]
    return find(cells, "hpa", frozenset({"seer"}))


def test_relative_to_the_reference_by_hand(findings: Findings) -> None:
    rows = {row.policy: row.figures for row in findings.cells[0][1]}
    assert rows["cheap"][MORE_COST] == pytest.approx((-50.0, -50.0, -50.0))  # in every seed, and so without doubt
    assert rows["cheap"][MORE_VIOLATED] == pytest.approx((4.0, 4.0, 4.0))
    assert rows["hpa"][MORE_COST] == pytest.approx((0.0, 0.0, 0.0))
    assert rows["hpa"][CHANCE].value == 0.5
    # Rewards -10 to -3 and -9 to -2: of 64 pairs 36 are won, 7 drawn.
    assert rows["worse"][CHANCE].value == pytest.approx(1.0 - (21 + 7 / 2) / 64)
    assert rows["seer"][CHANCE].value == pytest.approx(1.0)
    assert {policy: figures[WON].value for policy, figures in rows.items()} == {
        "hpa": 0.5,
        "cheap": 0.0,
        "worse": 1.0,
        "seer": 1.0,
    }
    assert rows["hpa"][VIOLATED].value == pytest.approx(4.5)  # the middle four of 1 to 8
    assert rows["hpa"][WORST].value == 8.0  # of eight seeds, one


def test_the_front_is_of_competitors_alone(findings: Findings) -> None:
    assert {row.policy for row in findings.cells[0][1] if row.best} == {"hpa", "cheap"}
    assert [row.policy for row in findings.cells[0][1] if row.bound] == ["seer"]


def test_over_all_are_those_who_finished_everywhere(findings: Findings) -> None:
    assert [row.policy for row in findings.overall] == ["hpa", "cheap", "worse"]
    figures = findings.overall[1].figures
    assert figures[MORE_COST] == pytest.approx((-50.0, -50.0, -50.0))
    assert figures[WON] == pytest.approx((0.0, 0.0, 0.0))
    assert figures[WORST].value == 12.0  # of eight, one, and both conditions have the same worst
    assert {row.policy for row in findings.overall if row.best} == {"hpa", "cheap"}


def test_over_all_is_the_mean_of_the_conditions() -> None:
    uneven = Result("cheap", RESULTS[1].scores | {"cost_eur_per_h": np.array([1.0, 9, 9, 9, 9, 9, 9, 9])})
    cells = [Cell(terms(), RESULTS[:2]), Cell(terms("complex"), [RESULTS[0], uneven])]
    found = find(cells, "hpa", frozenset())
    each = [rows[1].figures for _, rows in found.cells]
    for name in OVERALL_UNITS:
        assert found.overall[1].figures[name].value == pytest.approx(np.mean([row[name].value for row in each])), name


def test_where_the_reference_failed_nothing_is_relative() -> None:
    found = find([Cell(terms(), RESULTS[1:], {"hpa": "it hung"})], "hpa", frozenset())
    assert found.overall == []
    assert all(MORE_COST not in row.figures for row in found.cells[0][1])
    assert "hpa failed: it hung" in markdown(found)


def test_json_csv_and_markdown_say_the_same(findings: Findings, tmp_path: Path) -> None:
    write(tmp_path, findings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite.csv", "suite.json", "suite.md"]
    found = json.loads((tmp_path / "suite.json").read_text(encoding="utf-8"))
    assert found == as_json(findings)
    lines = list(csv.DictReader(io.StringIO(as_csv(findings))))
    (line,) = [
        line
        for line in lines
        if (line["condition"], line["policy"], line["figure"]) == ("complex-physics", "cheap", VIOLATED)
    ]
    cell = found["conditions"]["complex-physics"]
    assert float(line["value"]) == cell["policies"]["cheap"]["figures"][VIOLATED]["value"] == pytest.approx(8.5)
    assert cell["failures"] == {"seer": "it saw nothing"}
    text = (tmp_path / "suite.md").read_text(encoding="utf-8")
    assert "| cheap° | " in text
    assert "| seer* | " in text
    assert "seer failed: it saw nothing" in text
    assert all(line.count("|") in {0, 8, 17} for line in text.splitlines())


def test_one_seed_has_figures_without_intervals() -> None:
    alone = Result("hpa", {metric.name: np.array([2.0]) for metric in METRICS})
    one = conditions(dynamics="physics", forecaster="none", seeds=1, ticks=4)
    found = as_json(find([Cell(one, [alone])], "hpa", frozenset()))
    figure = found["conditions"]["multi_zone-physics"]["policies"]["hpa"]["figures"]["reward"]
    assert figure == {"value": 2.0, "low": None, "high": None}
    json.dumps(found, allow_nan=False)


def test_the_tables_fit_a_terminal_of_80_columns(findings: Findings, capsys: pytest.CaptureFixture[str]) -> None:
    print_findings(Console(width=80), findings)
    text = capsys.readouterr().out
    assert "…" not in text
    assert "cheap°" in text
    assert "seer*" in text


@pytest.mark.parametrize("count", [1, 4])
def test_the_picture_has_a_panel_per_condition(findings: Findings, count: int, tmp_path: Path) -> None:
    cells = [findings.cells[0]] * count
    path = draw(tmp_path / "pareto.png", Findings("hpa", cells, ()))
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
