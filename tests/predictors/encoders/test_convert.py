"""Pickled weights become safetensors, and a pickle that would run something is not run."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from metaverse_env.errors import CheckpointError
from predictors.encoders.convert import PICKLE, SAFE, convert, main
from predictors.encoders.image.blip import TINY_FOLDER, BlipEncoder

NOISE = [np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)]


class Harm:
    """What a malicious pickle does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    """Return the folder of a checkpoint as transformers 4 wrote it: only a pickle, with weights that go by two names."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(TINY_FOLDER, folder)
    weights = load_file(folder / SAFE)
    weights["text_decoder.cls.predictions.decoder.weight"] = weights[
        "text_decoder.bert.embeddings.word_embeddings.weight"
    ]
    (folder / SAFE).unlink()
    torch.save(weights, folder / PICKLE)
    return folder


def test_what_was_converted_is_read_and_is_the_same(pickled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckpointError, match=r"python -m predictors\.encoders\.convert"):
        BlipEncoder.from_pretrained(pickled, device="cpu")
    assert main([str(pickled)]) == 0
    assert f"{SAFE}: 1," in capsys.readouterr().out
    converted, shipped = (BlipEncoder.from_pretrained(place, device="cpu") for place in (pickled, "tiny"))
    assert converted.encode(NOISE).texts == shipped.encode(NOISE).texts
    np.testing.assert_array_equal(converted.encode(NOISE).embeddings, shipped.encode(NOISE).embeddings)
    with pytest.raises(CheckpointError, match="is there already"):
        convert(pickled)


def test_a_pickle_that_does_something_is_not_run(pickled: Path, tmp_path: Path) -> None:
    for save in (torch.save, lambda harm, path: path.write_bytes(pickle.dumps(harm, protocol=2))):
        save({"weight": Harm(tmp_path / "harm")}, pickled / PICKLE)
        with pytest.raises(CheckpointError, match="something else than weights"):
            convert(pickled)
    assert not (tmp_path / "harm").exists()
    assert not (pickled / SAFE).exists()


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_what_is_no_pickle_is_refused(pickled: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    (pickled / PICKLE).unlink()
    if content is not None:
        (pickled / PICKLE).write_bytes(content)
    assert main([str(pickled)]) == 2
    assert PICKLE in capsys.readouterr().err


def test_a_pickle_of_other_things_is_refused(pickled: Path) -> None:
    torch.save({"epoch": 3}, pickled / PICKLE)
    with pytest.raises(CheckpointError, match="something else than weights by their names"):
        convert(pickled)
