"""The network: batches, windows, memory, and the loss."""

import tracemalloc

import numpy as np
import pytest
import torch

from metaverse_env.errors import UnknownNameError
from predictors.encoders.motion.contrast import alike_pairs, contrast
from predictors.encoders.motion.frames import FEATURES
from predictors.encoders.motion.learning import altered
from predictors.encoders.motion.network import LAYERS, TOGETHER, MotionNetwork, Shape, padded

WIDTH = len(FEATURES)


@pytest.fixture(params=LAYERS)
def net(request: pytest.FixtureRequest) -> MotionNetwork:
    torch.manual_seed(0)
    return MotionNetwork(Shape(request.param)).eval()


def rows(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, WIDTH)).astype(np.float32)


def test_a_motion_does_not_feel_its_mates(net: MotionNetwork) -> None:
    motions = [rows(frames, frames) for frames in (1, 7, 32, 33, 200)]
    with torch.inference_mode():
        together = net(motions)
        alone = torch.cat([net([motion]) for motion in motions])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(5))


def test_padding_is_not_seen(net: MotionNetwork) -> None:
    windows, mask = padded([rows(5), rows(9, 1)])
    with torch.inference_mode():
        clean, _ = net.embed_windows(windows, mask)
        windows[0, 5:] = 1e3
        dirty, _ = net.embed_windows(windows, mask)
    torch.testing.assert_close(dirty, clean)


def test_both_kinds_have_as_many_parameters() -> None:
    counts = [sum(p.numel() for p in MotionNetwork(Shape(layers)).parameters()) for layers in LAYERS]
    assert counts[0] == pytest.approx(counts[1], rel=0.001)


def test_long_motions_take_no_more_memory_than_two_blocks_of_windows() -> None:
    net = MotionNetwork(Shape()).eval()
    seen = []
    net.frame_layer.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0].shape[0]))
    peaks = []
    for frames in (20_000, 60_000):
        long = rows(frames)
        tracemalloc.start()
        with torch.inference_mode():
            assert torch.isfinite(net([long])).all()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(seen) <= TOGETHER < sum(seen)
    assert peaks[1] < 1.3 * peaks[0]


def test_absent_features_are_average_and_strange_ones_are_cut() -> None:
    net = MotionNetwork(Shape())
    net.standardise([10.0 + 2.0 * rows(500)])
    present = np.ones(WIDTH, dtype=bool)
    present[3] = False
    ready = net.ready(np.full((2, WIDTH), 1e6, dtype=np.float32), present)
    assert (ready[:, 3] == 0.0).all()
    assert (np.delete(ready, 3, axis=1) == 6.0).all()


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown kind of layers 'can'\. Did you mean 'kan'"):
        Shape("can")


def test_the_loss_by_hand_with_one_false_negative() -> None:
    motions = torch.eye(3)
    alike = torch.zeros(3, 3, dtype=torch.bool)
    alike[0, 1] = True  # the second sentence fits the first motion too
    e = float(np.e)
    rows_ = [np.log(e / (e + 1)), np.log(e / (e + 2)), np.log(e / (e + 2))]
    columns = [np.log(e / (e + 2)), np.log(e / (e + 1)), np.log(e / (e + 2))]
    expected = -0.5 * (np.mean(rows_) + np.mean(columns))
    assert float(contrast(motions, torch.eye(3), torch.tensor(1.0), alike)) == pytest.approx(expected, rel=1e-5)


def test_shared_captions_and_alike_sentences_are_no_negatives() -> None:
    captions = [frozenset({"walks", "goes"}), frozenset({"runs"}), frozenset({"goes"})]
    embeddings = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]]), dim=1)
    alike = alike_pairs(captions, ["walks", "runs", "goes"], embeddings)
    assert alike.tolist() == [[True, False, True], [False, True, True], [False, True, True]]


def test_what_is_learnt_from_is_a_part_with_noise() -> None:
    random = np.random.default_rng(0)
    whole = rows(100)
    lengths = {len(altered(whole, random)) for _ in range(40)}
    assert 10 <= min(lengths) <= max(lengths) <= 48
    assert len(altered(whole[:1], random)) == 1
