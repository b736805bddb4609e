"""The benchmark of pictures measures what it says, and says what it did not measure."""

import json
import sys
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import rendering
from metaverse_env.cli import app


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure one picture, once, after few ticks."""
    for name in ("ROUNDS", "PICTURES"):
        monkeypatch.setattr(rendering, name, 1)
    monkeypatch.setattr(rendering, "WARM_TICKS", 2)


@pytest.mark.usefixtures("quick")
def test_worlds_have_the_users_that_are_asked_for() -> None:
    ours = rendering.Ours(30, 1_500.0)
    assert 1_350 < ours.users < 1_650
    assert ours.size == (1280, 720)
    assert ours() > 0.0


@pytest.mark.usefixtures("quick")
def test_between_two_ticks_no_tick_passes() -> None:
    still, moving = rendering.Ours(3, 60.0, still=True), rendering.Ours(3, 60.0)
    before = still.step, moving.step
    still(), moving()
    assert still.step is before[0]
    assert moving.step is not before[1]


class Blank(gym.Env):  # type: ignore[type-arg]
    """An environment whose pictures are small."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Discrete(2)
    pictures = 0

    def __init__(self, render_mode: str = "rgb_array") -> None:
        self.render_mode = render_mode

    def reset(self, **_: object) -> tuple[int, dict[str, object]]:
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, object]]:
        return 0, 0.0, True, False, {}

    def render(self) -> np.ndarray:
        self.pictures += 1
        return np.zeros((20, 30, 3), np.uint8)


@pytest.mark.usefixtures("quick")
def test_others_are_measured_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    gym.register("Blank-v0", Blank)
    monkeypatch.setitem(sys.modules, "blank_env", SimpleNamespace(__spec__=object()))  # type: ignore[arg-type]
    monkeypatch.setattr(rendering, "THEIRS", {"blank_env": "Blank-v0", "no_such_env": "None-v0"})
    monkeypatch.setattr(rendering, "OURS", {})
    done = CliRunner().invoke(app, ["benchmark", "rendering", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [row["name"] for row in told["rows"]] == [rendering.THIRTY, "blank_env: Blank-v0"]
    assert told["rows"][1]["size"] == [30, 20]
    assert told["rows"][1]["ratio"] < 1.0
    assert told["rows"][1]["reached"] is False
    assert told["not_installed"] == ["no_such_env"]
    del gym.registry["Blank-v0"]


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (rendering.Row(rendering.THIRTY, (1, 1), 60.0), True),
        (rendering.Row(rendering.THIRTY, (1, 1), 59.9), False),
        (rendering.Row("theirs", (1, 1), 9.0, 5.0), True),
        (rendering.Row("theirs", (1, 1), 9.0, 4.9), False),
        (rendering.Row("another", (1, 1), 9.0), None),
    ],
)
def test_targets_are_judged(row: rendering.Row, reached: bool | None) -> None:
    assert row.reached is reached
