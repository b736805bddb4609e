"""KAN beside MLP over seeds, on a tiny budget."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.motion import RESULT
from metaverse_env.cli import app
from predictors.encoders.motion.network import LAYERS

TINY = ["--seeds", "1", "--performers", "1", "--testers", "1", "--steps", "1", "--json"]


def test_both_are_trained_judged_and_drawn_and_a_second_call_trains_nothing(tmp_path: Path, assets: Path) -> None:
    clips = str(assets / "samples" / "deepmimic_humanoid")

    def lines() -> list[dict]:
        result = CliRunner().invoke(app, ["benchmark", "motion", "--out", str(tmp_path), "--data", clips, *TINY])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    made = lines()
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
