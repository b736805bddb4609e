"""The encoder with the shipped weights, and weights that are refused."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from metaverse_env.errors import CheckpointError, SampleError
from metaverse_env.testing import check_encoder
from predictors.encoders import load_encoders
from predictors.encoders.cache import EncodingCache
from predictors.encoders.motion.clips import clip_captions, held_out, read_clips
from predictors.encoders.motion.encoder import KanEncoder
from predictors.encoders.motion.judging import evaluate
from predictors.encoders.motion.sources import TEST
from predictors.encoders.motion.synthesis import synthesise
from predictors.encoders.motion.weights import LEARNT_FROM, SHIPPED


@pytest.fixture(scope="module")
def strangers() -> list:
    """Return what two performers do of whom the shipped weights know nothing."""
    return list(synthesise(range(TEST, TEST + 2)))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with a copy of the shipped weights, as a training writes it."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path / f"model{suffix}")
    return tmp_path


def test_it_keeps_the_contract(shipped: KanEncoder, strangers: list) -> None:
    check_encoder(shipped, [sample.motion for sample in strangers[:5]])
    assert (shipped.modality, shipped.backend, shipped.dimension) == ("motion", "kan", 128)


def test_every_layout_is_read(shipped: KanEncoder, assets: Path) -> None:
    samples = assets / "samples"
    paths = [
        samples / "kitml_few" / "00001_mmm.xml",
        str(samples / "humanml3d_few" / "new_joint_vecs_012314.npy"),
        samples / "deepmimic_humanoid" / "humanoid3d_jog.txt",
        np.load(samples / "humanml3d_few" / "new_joints_012314.npy"),
    ]
    encoded = shipped.encode(paths)
    np.testing.assert_allclose(np.linalg.norm(encoded.embeddings, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(encoded.embeddings[1], encoded.embeddings[3], atol=1e-4)
    assert "walk" in encoded.texts[0]
    assert "jog" in encoded.texts[2] or "run" in encoded.texts[2]
    assert set(encoded.texts) <= set(shipped.captions)


def test_bad_motions_leave_their_mates_unharmed(shipped: KanEncoder, strangers: list, tmp_path: Path) -> None:
    good = strangers[0].motion
    bomb = tmp_path / "bomb_mmm.xml"
    bomb.write_text('<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><MMM>&b;</MMM>')
    bad = np.zeros((4, 22, 3))
    bad[2, 3] = np.nan
    encoded = shipped.encode([good, bad, np.zeros((0, 263)), bomb, tmp_path / "none.npy", good], strict=False)
    assert encoded.mask.tolist() == [True, False, False, False, False, True]
    assert "NaN" in str(encoded.problems[1])
    assert "0 frames" in str(encoded.problems[2])
    assert "refused" in str(encoded.problems[3])
    alone = shipped.encode([good])
    np.testing.assert_allclose(encoded.embeddings[[0, 5]], alone.embeddings[[0, 0]], atol=1e-6)
    with pytest.raises(SampleError, match=r"sample 1: .* NaN"):
        shipped.encode([good, bad])


def test_strangers_find_their_sentences(shipped: KanEncoder, strangers: list) -> None:
    """Held-out performers: far above chance, in a gallery of all sentences."""
    pools, gallery = evaluate(shipped, strangers)
    assert pools["protocol"] == "pools of 32"
    assert pools["r_precision"][2] > 5.0 * pools["chance"][2]
    assert gallery["r_precision"][2] > 0.9
    assert gallery["median_rank"] == 1.0


def test_real_clips_that_were_held_out_find_their_sentences(shipped: KanEncoder, assets: Path) -> None:
    clips = [clip for clip in read_clips(assets / "samples" / "deepmimic_humanoid") if clip.name in held_out(0)]
    assert all(name in shipped.card["data"] for name in held_out(0))
    assert not {caption for clip in clips for caption in clip.captions} <= set(shipped.captions)
    pools, _ = evaluate(shipped, clips)
    assert pools["motions"] == 4
    assert pools["r_precision"][2] > 3.0 * pools["chance"][2]


def test_new_sentences_are_read_by_the_language_model(shipped: KanEncoder, strangers: list) -> None:
    walk = next(sample for sample in strangers if sample.name.startswith("walk/"))
    known = shipped.captions[3]
    rows = shipped.embed_texts(["a human being strolls along", known, "somebody is playing the drums"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(rows[1], shipped.embed_texts([known])[0], atol=1e-6)
    near = shipped.encode([walk.motion]).embeddings[0] @ rows.T
    assert near[0] > near[2]


def test_a_motion_is_encoded_once_where_there_is_a_cache(strangers: list, tmp_path: Path) -> None:
    first = KanEncoder.from_pretrained(device="cpu", cache=EncodingCache(tmp_path))
    made = first.encode([strangers[0].motion])
    again = load_encoders("kan", device="cpu", cache=EncodingCache(tmp_path))["motion"]
    again.run = None  # type: ignore[attr-defined]  # it must not run
    np.testing.assert_array_equal(again.encode([strangers[0].motion]).embeddings, made.embeddings)


def test_a_folder_of_ones_own_is_loaded(own: Path, shipped: KanEncoder, strangers: list) -> None:
    encoder = KanEncoder.from_pretrained(own, device="cpu", batch_size=3)
    made = encoder.encode([sample.motion for sample in strangers[:7]])
    np.testing.assert_allclose(made.embeddings, shipped.encode([s.motion for s in strangers[:7]]).embeddings, atol=1e-6)
    assert encoder.version == shipped.version


def test_what_is_shipped_is_small_and_tells_where_it_comes_from(shipped: KanEncoder) -> None:
    assert SHIPPED.with_suffix(".safetensors").stat().st_size < 1e6
    assert shipped.card["command"].startswith("metaverse train motion-encoder")
    assert "/work" not in json.dumps(shipped.card)
    assert "MIT" in shipped.card["licence"]
    assert {"seed", "data", "features", "sentence_model"} <= set(shipped.card)


def edit(folder: Path, **changes: object) -> None:
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | changes))


def refused(folder: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        KanEncoder.from_pretrained(folder, device="cpu")
    assert "metaverse train motion-encoder" in str(caught.value)


def test_another_architecture_is_refused(own: Path) -> None:
    edit(own, shape={"layers": "kan", "hidden": 32, "centres": 6, "sentence": 384})
    refused(own, "another architecture's: .*size mismatch")
    edit(own, shape={"layers": "transformer"})
    refused(own, "unknown kind of layers 'transformer'")
    edit(own, shape={"layers": "kan"}, rate_hz=20.0)
    refused(own, "rate_hz are not what this version computes")
    edit(own, kind="stgnn")
    refused(own, "describes 'stgnn', not 'motion-encoder'")


def test_an_mlp_is_no_kan(own: Path) -> None:
    edit(own, shape={"layers": "mlp", "hidden": 48, "centres": 6, "sentence": 384})
    refused(own, "another architecture's")


def test_damaged_weights_are_refused(own: Path) -> None:
    path = own / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(own, "cannot be read as safetensors")
    path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    refused(own, "cannot be read as safetensors")
    path.unlink()
    refused(own, "cannot be read as safetensors")


def test_numbers_that_are_none_are_refused(own: Path) -> None:
    tensors = load_file(own / "model.safetensors")
    tensors["telling.bias"] = torch.tensor([float("nan")])
    save_file(tensors, own / "model.safetensors")
    refused(own, "not finite")


def test_a_missing_or_damaged_card_is_refused(own: Path) -> None:
    edit(own, captions=["only one"])
    refused(own, "the table of captions has the shape")
    (own / "model.json").write_text("{")
    refused(own, "is no JSON")
    (own / "model.json").unlink()
    refused(own, "there is no motion encoder in")


def test_the_folder_of_a_run_is_told_from_the_weights_in_it(own: Path, tmp_path: Path) -> None:
    shutil.copytree(own, tmp_path / "run" / "model")
    refused(tmp_path / "run", "it is the folder of a run, whose weights are in .*run/model")


def test_the_card_lists_the_clips_that_were_learnt_from(shipped: KanEncoder) -> None:
    listed = {name.removeprefix("clip ") for name in shipped.card[LEARNT_FROM]}
    assert listed == set(clip_captions()) - set(held_out(0))
