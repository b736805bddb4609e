"""What a pipe is told while something takes long."""

import pytest

from predictors.forecasting import progress
from predictors.forecasting.progress import phases


def test_without_a_terminal_every_phase_has_its_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 10.0, 31.0, 40.0, 62.0, 70.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with phases() as steps, steps.phase("ridge") as report:
        for done in (0.1, 0.2, 0.3, 0.4):
            report(done, "fitting")
    assert capsys.readouterr().err.splitlines() == [
        "ridge …", "ridge: 10 %, fitting, 10 s", "ridge: 20 %, fitting, 31 s", "ridge: 40 %, fitting, 62 s", "ridge: done in 70.0 s",
    ]  # fmt: skip
