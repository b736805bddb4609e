"""``metaverse train motion-encoder`` on a tiny budget."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from typer.testing import CliRunner

from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError
from metaverse_env.terminal import parts
from predictors.encoders.motion.clips import clip_captions, held_out
from predictors.encoders.motion.encoder import KanEncoder
from predictors.encoders.motion.evaluation import Row
from predictors.encoders.motion.sources import gather
from predictors.encoders.motion.train import learner_of, tables_of
from predictors.encoders.motion.weights import LEARNT_FROM
from predictors.encoders.training.loop import Run, Settings

TINY = ["--performers", "1", "--testers", "1", "--steps", "4", "--every", "2", "--batch", "8", "--device", "cpu"]


def trained(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["train", "motion-encoder", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_trains_judges_and_writes_what_the_encoder_reads(tmp_path: Path, assets: Path) -> None:
    out, clips = tmp_path / "run", assets / "samples" / "deepmimic_humanoid"
    printed = trained(*TINY, "--out", str(out), "--data", str(clips), "--synthetic", "--json", "--layers", "mlp")
    assert json.loads(printed.splitlines()[0])["steps"] == 4
    tests = json.loads((out / "tests.json").read_text())["tests"]
    assert set(tests) == {"synthetic, new performers", "synthetic, unlike performers", "DeepMimic, held-out clips"}
    assert {row["protocol"] for row in tests["DeepMimic, held-out clips"]} == {"pools of 32", "gallery of 358"}
    names = {path.name for path in out.iterdir()}
    assert {"checkpoint.safetensors", "config.json", "metrics.json", "curves.png", "tests.json", "model"} <= names
    encoder = KanEncoder.from_pretrained(out / "model", device="cpu")
    assert encoder.card["shape"]["layers"] == "mlp"
    assert encoder.encode([clips / "humanoid3d_walk.txt"]).texts[0] in encoder.captions
    assert encoder.card[LEARNT_FROM] == sorted(f"clip {name}" for name in set(clip_captions()) - set(held_out(0)))
    again = CliRunner().invoke(app, ["train", "motion-encoder", *TINY, "--out", str(out)])
    assert again.exit_code == 2
    assert "holds a run; --resume goes on" in again.output
    other = CliRunner().invoke(app, ["train", "motion-encoder", *TINY, "--out", str(out), "--resume", "--seed", "1"])
    assert (other.exit_code, other.stdout) == (2, "")
    assert "with seed 0, not 1" in other.stderr
    assert "motions …" not in other.stderr


def test_tables_tell_a_test_set_each_and_no_interval_of_one_performer() -> None:
    row = Row("pools of 32", 106, 1, (0.5, 0.6, 0.7), (0.5, 0.6, 0.7), (0.5, 0.6, 0.7), (0.03, 0.06, 0.09), 2.0)
    several = replace(row, sources=8, low=(0.4, 0.5, 0.6), protocol="gallery of 358")
    first, second = tables_of({"new": [row, several], "held out": [several]})
    assert first.title == "new: 106 motions"
    assert [next(iter(column.cells)) for column in first.columns] == ["R-precision@1, %", "50.0", "50.0 [40.0, 50.0]"]
    for table in (first, second):
        assert len(list(parts(table, Console(width=80)))) == 1


def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    gathered = gather([], 1, 0, 3, lambda text: None, testers=1)
    random = np.random.default_rng(0)
    sentences = {text: random.normal(size=384).astype(np.float32) / 20.0 for text in gathered.sentences}
    settings = {"seed": 3, "batch_size": 8, "rate": 2e-3, "every": 2, "device": "cpu"}

    def run(folder: str, steps: int, resume: bool = False) -> Run:
        made = Run(learner_of(gathered, sentences, "kan", 3), Settings(steps=6, **settings), tmp_path / folder, resume)
        made.fit(lambda now: _stop(now.step, steps))
        return made

    def _stop(step: int, steps: int) -> None:
        if step == steps:
            raise InterruptedError

    run("whole", 99)
    with pytest.raises(InterruptedError):
        run("parts", 4)
    run("parts", 99, resume=True)
    whole, parts = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=0.0, atol=0.0)


def test_it_learns_from_kit_ml_too(tmp_path: Path, assets: Path) -> None:
    folder = tmp_path / "kit"
    folder.mkdir()
    for part, name, sentence in (("train", "00001", "A person walks."), ("val", "00002", "A human runs.")):
        shutil.copy(assets / "samples" / "kitml_few" / "00001_mmm.xml", folder / f"{name}_mmm.xml")
        (folder / f"{name}_annotations.json").write_text(json.dumps([sentence]))
        (folder / f"{part}.txt").write_text(f"{name}\n12345\n")
    told: list[str] = []
    gathered = gather([folder], 0, 0, 0, told.append)
    assert (len(gathered.training), len(gathered.validation)) == (1, 1)
    assert gathered.sentences == ("A person walks.", "A human runs.")
    assert told == ["kit: 12345 is left out: it has no sentence"]
    assert np.isfinite(gathered.training.rows[0]).all()


def test_there_must_be_something_to_validate_with(assets: Path) -> None:
    with pytest.raises(ConfigurationError, match="160 motions to learn from and 0 to validate with; add --synthetic"):
        gather([assets / "samples" / "deepmimic_humanoid"], 0, 0, 0, lambda text: None)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["train", "motion-encoder", "--out", str(tmp_path / "run"), "--data", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert "holds no motions with sentences" in result.output
