"""KAN beside MLP over seeds, on a tiny budget."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console
from typer.testing import CliRunner, Result

from benchmarks import motion_lines
from benchmarks.motion import RESULT, SETTINGS
from benchmarks.motion_lines import Line, _errors, draw, tables_of
from metaverse_env.cli import app
from metaverse_env.terminal import parts
from predictors.encoders.motion.network import LAYERS

TINY = ["--seeds", "1", "--performers", "1", "--testers", "1", "--steps", "1", "--json"]


def test_both_are_trained_judged_and_drawn_and_a_second_call_trains_nothing(tmp_path: Path, assets: Path) -> None:
    clips = str(assets / "samples" / "deepmimic_humanoid")

    def benchmark(*more: str) -> Result:
        return CliRunner().invoke(app, ["benchmark", "motion", "--out", str(tmp_path), "--data", clips, *TINY, *more])

    def lines() -> list[dict]:
        result = benchmark()
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    made = lines()
    assert [line["sources"] for line in made[::2]] == [1, 1, 4]
    assert [(line["test"], line["motions"]) for line in made[::2]] == [
        ("synthetic, new performers", 106), ("synthetic, unlike performers", 106), ("DeepMimic, held-out clips", 4)
    ]  # fmt: skip
    assert [line["protocol"] for line in made[:2]] == ["pools of 32", "gallery of 358"]
    for line in made:
        assert set(line["means"]) == set(LAYERS)
        assert line["gain"][0] == pytest.approx(line["means"]["kan"][2] - line["means"]["mlp"][2])
        assert line["gain"][1] - 1e-9 <= line["gain"][0] <= line["gain"][2] + 1e-9
    assert (tmp_path / "retrieval.png").stat().st_size > 10_000
    for layers in LAYERS:
        assert (tmp_path / f"{layers}-0" / RESULT).exists()
        (tmp_path / f"{layers}-0" / "model" / "model.safetensors").unlink()
    assert lines() == made
    for option, then, now in (("steps", 1, 2), ("performers", 1, 3), ("testers", 1, 2)):
        refused = benchmark(f"--{option}", str(now))
        assert refused.exit_code == 2
        assert f"holds a run with --{option} {then}, not {now}" in refused.stderr
    (tmp_path / SETTINGS).unlink()
    assert "holds a run with --performers unknown, not 1" in benchmark().stderr
    again = benchmark("--overwrite", "--steps", "2", "--json")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "kan-0" / RESULT).exists()
    assert json.loads((tmp_path / SETTINGS).read_text())["steps"] == 2


def test_what_is_interrupted_is_said_to_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*some: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.motion.gather", interrupt)
    result = CliRunner().invoke(app, ["benchmark", "motion", "--out", str(tmp_path), *TINY])
    assert result.exit_code == 130
    assert f"what is finished stays in {tmp_path}, and the same command goes on" in result.stderr


def line(sources: int) -> Line:
    """Return a line whose figures differ by layers."""
    means = {layers: np.array([0.3, 0.4, 0.5]) - 0.1 * place for place, layers in enumerate(LAYERS)}
    ends = {layers: (mean - 0.1, mean + 0.1) for layers, mean in means.items()}
    seeds = {layers: mean[np.newaxis] for layers, mean in means.items()}
    ranks, gain = dict.fromkeys(LAYERS, 2.0), (0.1, 0.05, 0.15)
    return Line("walks", "pools of 32", 40, sources, means, ends, seeds, ranks, (0.03, 0.06, 0.1), gain)


def test_the_plot_says_what_its_dots_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(motion_lines, "Figure", lambda **more: drawn.append(Figure(**more)) or drawn[-1])
    draw([line(1), line(2)], 1, tmp_path / "retrieval.png")
    (legend,) = drawn[0].legends
    said = [text.get_text() for text in legend.get_texts()]
    assert {"KAN: one seed", "MLP: mean, 95 % over performers or clips", "chance"} <= set(said)
    assert legend.get_window_extent().y1 <= min(axis.get_window_extent().y0 for axis in drawn[0].axes)


def test_one_performer_has_no_interval_and_tables_fit_into_80_columns() -> None:
    alone, several = tables_of([line(1), line(2)], seeds=1)
    assert list(alone.columns[4].cells) == ["one source"] * 3
    assert list(several.columns[4].cells) == ["40.0 to 60.0", "30.0 to 50.0", "+5.0 to +15.0"]
    screen = Console(width=80)
    assert len(list(parts(several, screen))) == 1
    assert _errors(line(1), "kan", 50.0) is None
    assert _errors(line(2), "kan", 50.0) == [[pytest.approx(10.0)], [pytest.approx(10.0)]]
