"""Throughput: ratios of neighbours, targets held honestly, and fresh processes that are fresh."""

import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import throughput
from benchmarks.processes import HEAVY, first_step_s, import_s, resident_mb, uncompiled_copy
from benchmarks.speed import calls_per_s, compare_speed, single, team, vector
from benchmarks.throughput import TARGETS, Row, Target, rows_table
from metaverse_env.errors import MetaverseError

PHYSICS = {"dynamics": "physics", "forecaster": "none"}


def test_a_known_pause_is_measured() -> None:
    assert calls_per_s(lambda: time.sleep(0.005), 0.1) == pytest.approx(180.0, rel=0.2)


def test_the_ratio_is_that_of_the_calls() -> None:
    speed = compare_speed(lambda: time.sleep(0.004), lambda: time.sleep(0.001), rounds=3, window_s=0.05)
    assert speed.ratio == pytest.approx(0.25, rel=0.25)
    assert speed.per_s < speed.reference_per_s


def test_every_environment_steps_past_its_end() -> None:
    for stepper in (
        single("CartPole-v1"),
        single("Metaverse/SingleZone-v0", max_episode_steps=3, **PHYSICS),
        vector("Metaverse/SingleZone-v0", 4, max_episode_steps=3, **PHYSICS),
        team(max_episode_steps=3, **PHYSICS),
    ):
        for _ in range(70):
            stepper()


@pytest.mark.parametrize(
    ("target", "value", "ratio", "reached"),
    [
        (Target("ratio", "at least", 0.1), 5.0, 0.1, True),
        (Target("ratio", "at least", 0.1), 5.0, 0.09, False),
        (Target("ratio", "at least", 0.1), 5.0, None, False),
        (Target("value", "at most", 0.7), 0.7, 9.0, True),
        (Target("value", "at most", 0.7), 0.71, 0.1, False),
    ],
)
def test_a_target_is_reached_or_not(target: Target, value: float, ratio: float | None, reached: bool) -> None:
    assert target.reached(value, ratio) is reached


def test_a_row_without_a_target_is_neither() -> None:
    row = Row("something", 3.0, "s")
    assert row.reached is None
    assert row.as_dict()["target"] is None


def test_rows_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row("import", 0.9, "s", 0.15, "import gymnasium", 6.0),
        Row("1 world", 31_234.5, "steps/s", 2e5, "C", 0.156),
    ]
    Console(width=100).print(rows_table(rows))
    text = capsys.readouterr().out
    assert "missed" in text
    assert "31,234 steps/s" in text
    found = json.loads(json.dumps(rows[0].as_dict()))
    assert found["reached"] is False
    assert found["target"] == {"of": "value", "kind": "at most", "limit": 0.7}


def test_importing_is_light() -> None:
    seconds, heavy = import_s("metaverse_env")
    assert heavy == []
    assert 0.0 < seconds < 5.0
    assert "numba" in HEAVY
    assert import_s("numba")[1] == ["numba"]


def test_a_fresh_process_takes_its_first_step_and_says_what_went_wrong() -> None:
    assert 0.1 < first_step_s("CartPole-v1") < 30.0
    with pytest.raises(MetaverseError, match="NoSuch"):
        first_step_s("NoSuch-v0")


def test_the_copy_has_the_packages_and_no_caches() -> None:
    with uncompiled_copy() as root:
        assert (root / "metaverse_env" / "__init__.py").is_file()
        assert not list(root.rglob("__pycache__"))
    assert not root.exists()


def test_memory_grows_with_the_worlds() -> None:
    few, many = (resident_mb("CartPole-v1", worlds) for worlds in (1, 1_000_000))
    assert 10.0 < few < many


def test_targets_name_rows_that_are_measured() -> None:
    text = Path(throughput.__file__).read_text(encoding="utf-8")
    assert all(text.count(f'"{name}"') >= 2 for name in TARGETS)
