"""``metaverse train image-encoder``: on VOC's layout, to the end, resumed, and read again."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertTokenizer, BlipForConditionalGeneration
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from predictors.encoders.checkpoints import save_checkpoint
from predictors.encoders.image.blip import BlipEncoder
from predictors.encoders.image.learner import CaptionLearner
from predictors.encoders.image.tiny import new_blip
from tests.predictors.encoders.image.test_captions import make_voc

IMAGES = {
    "2008_000001": ["dog", "dog"],
    "2008_000002": ["car"],
    "2008_000003": ["person", "horse"],
    "2008_000004": ["train"],
}
SPLITS = {"train": "2008_000001\n2008_000002\n2008_000003\n", "val": "2008_000004\n2008_000001\n"}
SMALL = ["--from", "new", "--batch-size", "3", "--threads", "1", "--device", "cpu", "--json"]


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return make_voc(tmp_path, IMAGES, SPLITS)


def train(*arguments: str | Path) -> Result:
    words = ["train", "image-encoder", *SMALL, *map(str, arguments)]
    return CliRunner().invoke(app, words, prog_name="metaverse")


def said(done: Result) -> str:
    return " ".join(done.output.split())


def test_it_learns_voc_by_heart_and_is_read_again(voc: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = train("--data", voc, "--out", out, "--steps", 60, "--every", 20)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["steps"] == 60
    looks = json.loads((out / "metrics.json").read_text())["looks"]
    assert looks[-1]["training"] < 0.5 * looks[0]["training"]
    assert set(looks[0]) == {"step", "training", "loss", "bleu", "rouge_l"}
    assert {path.suffix for path in (out / "model").iterdir()} == {".json", ".safetensors"}
    assert "VOC2012 train" in json.loads((out / "config.json").read_text())["data"]
    assert (out / "curves.png").stat().st_size > 5_000
    encoder = BlipEncoder.from_pretrained(out / "model", device="cpu")
    photograph = voc / "VOC2012" / "JPEGImages" / "2008_000001.jpg"
    assert encoder.encode([photograph]).texts[0].startswith("a photo of")


def test_the_shipped_one_is_made_by_its_command(assets: Path, tmp_path: Path) -> None:
    """Half of its steps is enough to know all nine captions by heart."""
    captions = assets / "samples" / "usgov_photos" / "captions_own.json"
    done = train(
        "--data", captions, "--validation", captions, "--out", tmp_path, "--steps", 75, "--every", 75, "--batch-size", 9
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["bleu"] == pytest.approx(100.0)


def test_fine_tuning_that_is_interrupted_and_resumed_ends_the_same(
    voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ["--data", voc, "--from", "tiny", "--lr", "0.002", "--every", "4", "--steps", 8]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(*begin, "--out", whole).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(CaptionLearner, "loss", pressing_ctrl_c(CaptionLearner.loss, at_call=6))
        stopped = train(*begin, "--out", parts)
    assert stopped.exit_code != 0
    assert "Interrupted after step 6; the same command with --resume goes on" in stopped.output
    assert "holds a run; --resume goes on" in said(train(*begin, "--out", parts))
    assert train(*begin, "--out", parts, "--resume").exit_code == 0
    for name in ("checkpoint.safetensors", "model/model.safetensors"):
        one, other = load_file(whole / name), load_file(parts / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    looks = [json.loads((folder / "metrics.json").read_text())["looks"] for folder in (whole, parts)]
    assert looks[0] == looks[1]


def test_one_set_of_captions_needs_another_to_be_judged_by(assets: Path, tmp_path: Path) -> None:
    captions = assets / "samples" / "usgov_photos" / "captions_own.json"
    assert "is one set of captions; name the one to judge by" in said(train("--data", captions, "--out", tmp_path))


def test_a_first_token_that_the_tokenizer_does_not_know_is_learnt_and_not_said(voc: Path, tmp_path: Path) -> None:
    """The real checkpoint begins captions with a token beyond its vocabulary."""
    plain, processor = new_blip(["a photo of two dogs a car person and horse train"], seed=0)
    processor.tokenizer = BertTokenizer(vocab={**processor.tokenizer.get_vocab()})
    known = len(processor.tokenizer)
    config = plain.config
    config.text_config.vocab_size, config.text_config.bos_token_id = known + 2, known
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "start", BlipForConditionalGeneration(config), processor)
    begin = ["--data", voc, "--from", tmp_path / "start", "--lr", "0.002", "--steps", 60, "--every", 60]
    done = train(*begin, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    encoder = BlipEncoder.from_pretrained(tmp_path / "run" / "model", device="cpu")
    photographs = [voc / "VOC2012" / "JPEGImages" / f"2008_00000{number}.jpg" for number in (1, 2, 3)]
    assert encoder.encode(photographs).texts == (
        "a photo of two dogs", "a photo of a car", "a photo of a horse and a person",
    )  # fmt: skip


def test_there_must_be_something_to_resume(voc: Path, tmp_path: Path) -> None:
    assert "nothing to resume" in said(train("--data", voc, "--out", tmp_path / "run", "--resume"))


def pressing_ctrl_c(loss: Callable[..., torch.Tensor], at_call: int) -> Callable[..., torch.Tensor]:
    calls = 0

    def pressing(*arguments: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == at_call:
            signal.raise_signal(signal.SIGINT)
        return loss(*arguments)

    return pressing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "val"], "--split and --validation-split are both 'val'"),
        (["--split", "none"], "there is no split 'none'"),
        (["--lr", "0"], "the learning rate is 0.0"),
        (["--from", "./nowhere"], "there is no such folder"),
        (["--device", "tpu"], "unknown device 'tpu'"),
    ],
)
def test_what_cannot_be_trained_is_said_at_once(voc: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = train("--data", voc, "--out", tmp_path / "run", *arguments)
    assert done.exit_code != 0
    assert message in said(done)
