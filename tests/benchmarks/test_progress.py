"""How far a benchmark is, where there is no terminal."""

import pytest

from benchmarks import progress
from benchmarks.progress import Bar


def test_a_line_for_each_stage_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Bar(300) as bar:
        for policy in ("hpa", "mpc"):
            for _ in range(100):
                now += 0.5
                bar.advance(policy)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "60 of 300 ticks: hpa",
        "101 of 300 ticks: mpc",
        "161 of 300 ticks: mpc",
    ]


def test_lines_come_as_often_as_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Bar(30, unit="pictures", text="filming", every_s=5.0) as bar:
        for _ in range(24):
            now += 0.5
            bar.advance("filming")
    assert capsys.readouterr().err.splitlines() == ["10 of 30 pictures: filming", "20 of 30 pictures: filming"]


def test_what_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(2) as bar:
        bar.advance("one")
        bar.advance("two")
    assert capsys.readouterr().err == ""
