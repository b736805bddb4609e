"""What is finished is never lost: block by block on disk, and taken up again under the same conditions only."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import agents
from agents.baselines.hold import Hold
from benchmarks.asking import Asked
from benchmarks.commands import collect
from benchmarks.conditions import Conditions, conditions
from benchmarks.finished import Finished
from benchmarks.scores import CLOCKED, METRICS, Result, Scores
from benchmarks.suite import compare
from metaverse_env.errors import ConfigurationError


def small(**changes: Any) -> Conditions:
    return conditions(**{"dynamics": "physics", "forecaster": "none", "seeds": 20, "ticks": 4, **changes})


def made_up(seeds: Sequence[int], **values: float) -> Scores:
    return {metric.name: np.array([values.get(metric.name, 0.1) + seed for seed in seeds]) for metric in METRICS}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Interrupted(Hold):
    """Presses Ctrl-C in the block that it is told."""

    def __init__(self, block: int) -> None:
        self.left = block

    def reset(self, zones: object, worlds: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def interrupt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt a comparison in the last of the three blocks of its second policy."""
    with monkeypatch.context() as during:
        load = agents.load
        during.setattr(agents, "load", lambda name: Interrupted(2) if name == "static" else load(name))
        with pytest.raises(KeyboardInterrupt):
            collect(Asked(small(), ("hold", "static", "threshold"), folder, resume=False, as_json=False), True)


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    interrupt(tmp_path, monkeypatch)
    return tmp_path


def test_ctrl_c_keeps_every_block_that_is_finished_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt(tmp_path, monkeypatch)
    assert [(row["policy"], int(row["seed"])) for row in rows(tmp_path)] == [
        *(("hold", seed) for seed in range(20)),
        *(("static", seed) for seed in range(16)),
    ]
    assert list(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["policies"]) == ["hold"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.csv", "summary.json"]
    said = capsys.readouterr().err
    assert f"rows (policy and seed) in {tmp_path / 'results.csv'}: 36. The same command with --resume goes on" in said


def test_resuming_runs_only_what_is_missing_and_ends_with_the_same_numbers(interrupted: Path) -> None:
    terms, ticks = small(), []
    finished = Finished.resumed(terms, interrupted)
    names = ("hold", "threshold")
    resumed = list(compare(terms, names, False, ticks.append, finished))
    assert ticks == ["threshold"] * 3 * terms.ticks
    for one, other in zip(resumed, compare(terms, names, False), strict=True):
        for name in one.scores.keys() - set(CLOCKED):
            np.testing.assert_array_equal(one.scores[name], other.scores[name])
    assert {row["policy"] for row in rows(interrupted)} == {"hold", "static", "threshold"}


def test_more_seeds_and_policies_may_be_asked_for_when_resuming(interrupted: Path) -> None:
    finished = Finished.resumed(small(seeds=30), interrupted)
    blocks = small(seeds=30).blocks
    assert [finished.has("hold", seeds) for seeds in blocks] == [True, True, False, False]
    assert not finished.has("random", blocks[0])
    assert Finished.resumed(small(seeds=16), interrupted).result("static").scores["reward"].shape == (16,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ticks": 5}, "scenario_digest is"),
        ({"scenario": "complex"}, "scenario is multi_zone, and now it is complex"),
        ({"seed": 1}, "first_seed is 0, and now it is 1"),
        ({"forecaster": "persistence"}, "forecaster is none, and now it is persistence"),
    ],
)
def test_other_conditions_are_not_mixed(interrupted: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Finished.resumed(small(**changes), interrupted)


def test_what_cannot_be_read_is_named(interrupted: Path) -> None:
    (interrupted / "results.csv").write_text("policy,seed\nhold,0\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"cannot resume in .*Leave --resume out"):
        Finished.resumed(small(), interrupted)
    (interrupted / "summary.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot resume"):
        Finished.resumed(small(), interrupted)


def test_where_nothing_is_finished_resuming_starts(tmp_path: Path) -> None:
    assert Finished.resumed(small(), tmp_path).count == 0


def test_rows_and_summary_say_the_same(tmp_path: Path) -> None:
    finished = Finished(small(seeds=2, seed=5), tmp_path)
    finished.add("hold", (5, 6), {name: np.array([1.0, 3.0]) for name in made_up((5,))})
    finished.add("mine", (5,), {name: np.array([2.0]) for name in made_up((5,))})
    finished.add("mine", (6,), {name: np.array([4.0]) for name in made_up((5,))})
    found = [(row["policy"], row["seed"], float(row["cost_eur_per_h"])) for row in rows(tmp_path)]
    assert found == [("hold", "5", 1.0), ("hold", "6", 3.0), ("mine", "5", 2.0), ("mine", "6", 4.0)]
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    cost = summary["policies"]["hold"]["cost_eur_per_h"]
    # Two values 1 and 3: mean 2, standard error 1, t of one degree 12.7062.
    assert cost == pytest.approx({"mean": 2.0, "low": 2.0 - 12.7062, "high": 2.0 + 12.7062})
    assert summary["policies"]["mine"]["reward_over_hold"] == pytest.approx({"mean": 1.0, "low": 1.0, "high": 1.0})
    assert summary["seeds"] == [5, 6]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.csv", "summary.json"]


def test_rows_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    terms = small(seeds=3)
    finished = Finished(terms, tmp_path)
    finished.add("hold", (0, 1, 2), made_up((0, 1, 2), reward=0.1 + 0.2))
    again = Finished.resumed(terms, tmp_path).result("hold")
    assert isinstance(again, Result)
    for name, values in made_up((0, 1, 2), reward=0.1 + 0.2).items():
        np.testing.assert_array_equal(again.scores[name], values)
