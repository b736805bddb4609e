"""Synthetic motions: what the sentences say is what the bodies do."""

import numpy as np
import pytest

from predictors.encoders.motion.clips import clip_captions, held_out, variants
from predictors.encoders.motion.moves import MOVES
from predictors.encoders.motion.samples import Labelled
from predictors.encoders.motion.skeleton import JOINT, headings, mirrored
from predictors.encoders.motion.synthesis import scenes, synthesise

Array = np.ndarray


@pytest.fixture(scope="module")
def performed() -> dict[str, list[Labelled]]:
    by_scene: dict[str, list[Labelled]] = {}
    for sample in synthesise(range(3), seed=4):
        by_scene.setdefault(sample.name.partition("/")[0], []).append(sample)
    return by_scene


def path(sample: Labelled, joint: str) -> Array:
    return sample.motion.positions[:, JOINT[joint]]


def test_every_scene_is_performed_by_everyone_and_said_in_three_ways(performed: dict[str, list[Labelled]]) -> None:
    assert len(performed) == len(scenes()) >= 100
    assert {scene.move for scene in scenes()} == set(MOVES)
    said = [caption for scene in scenes() for caption in scene.captions]
    assert len(set(said)) == len(said)
    assert all(len(scene.captions) >= 3 for scene in scenes())
    assert {sample.source for samples in performed.values() for sample in samples} == {
        f"performer {n}" for n in range(3)
    }


def test_walkers_walk_where_it_is_said(performed: dict[str, list[Labelled]]) -> None:
    for name, ahead, aside in (
        ("walk", 1, 0),
        ("walk_backward", -1, 0),
        ("walk_aside_left", 0, 1),
        ("walk_aside_right", 0, -1),
    ):
        for sample in performed[name]:
            x, _, z = path(sample, "pelvis")[-1] - path(sample, "pelvis")[0]
            assert np.sign(round(z, 1)) == ahead, name
            assert np.sign(round(x, 1)) == aside, name


def test_turns_jumps_and_seats_are_what_they_are_called(performed: dict[str, list[Labelled]]) -> None:
    for number in range(3):
        turn = headings(performed["turn_left"][number].motion)
        assert turn[-1] - turn[0] == pytest.approx(np.pi / 2, abs=0.35)
        feet = performed["jump"][number].motion.positions[:, [JOINT["left_foot"], JOINT["right_foot"]], 1]
        assert feet.min(axis=1).max() > 0.1
        seat = path(performed["sit_down"][number], "pelvis")[:, 1]
        assert seat[-1] < 0.75 * seat[0]
        hand = path(performed["raise_left"][number], "left_wrist")[-1, 1]
        assert hand > path(performed["raise_left"][number], "head")[-1, 1]
        assert path(performed["lie"][number], "head")[:, 1].max() < 0.5


def test_the_floor_carries_everyone(performed: dict[str, list[Labelled]]) -> None:
    for name, samples in performed.items():
        lowest = samples[0].motion.positions[:, :, 1].min()
        assert -0.02 < lowest < 0.05, name


def test_left_and_right_are_mirror_images_in_kind(performed: dict[str, list[Labelled]]) -> None:
    for name in ("wave", "kick", "punch", "point"):
        for left in performed[f"{name}_left"]:
            moved = mirrored(left.motion).positions.std(axis=0).sum(axis=1)
            limb = "ankle" if name == "kick" else "wrist"
            assert moved[JOINT[f"right_{limb}"]] > 1.5 * moved[JOINT[f"left_{limb}"]], name


def test_a_performer_is_the_same_whoever_else_performs() -> None:
    alone = next(iter(synthesise(range(7, 8), seed=1)))
    among = next(sample for sample in synthesise(range(6, 8), seed=1) if sample.source == "performer 7")
    np.testing.assert_array_equal(alone.motion.positions, among.motion.positions)
    other = next(iter(synthesise(range(7, 8), seed=2)))
    assert other.motion.positions.shape != alone.motion.positions.shape or not np.allclose(
        other.motion.positions, alone.motion.positions
    )


def test_the_folds_hold_every_clip_out_once() -> None:
    held = [name for fold in range(5) for name in held_out(fold)]
    assert sorted(held) == sorted(clip_captions())
    assert len(held) == 20


def test_variants_differ_in_speed_and_side(performed: dict[str, list[Labelled]]) -> None:
    made = list(variants(performed["wave_left"][0]))
    assert len(made) == 10
    assert {round(variant.motion.rate_hz, 2) for variant in made} == {20.0, 22.5, 25.0, 27.5, 31.25}
    assert {variant.source for variant in made} == {"performer 0"}
