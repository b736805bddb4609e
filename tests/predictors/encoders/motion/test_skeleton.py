"""One form for all motions, and what is done with it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import SampleError
from predictors.encoders.motion.skeleton import (
    JOINT,
    JOINTS,
    Motion,
    heading_aligned,
    headings,
    leg_length_m,
    mirrored,
    motion_of,
    resampled,
    velocities,
)


def turned(motion: Motion, angle: float) -> Motion:
    """Return the motion turned about the vertical, from +z towards +x."""
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    return replace(motion, positions=(motion.positions @ matrix.T).astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "rate", "message"),
    [
        ((0, 22, 3), 20.0, "0 frames; give 1 to"),
        ((5, 21, 3), 20.0, r"needs positions \[frames, 22, 3\], not \[5, 21, 3\]"),
        ((5, 22, 3), 0.0, "rate is 0 Hz; it must be above 0"),
        ((5, 22, 3), float("nan"), "rate is nan Hz"),
    ],
)
def test_what_is_no_motion_is_refused(shape: tuple[int, ...], rate: float, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        Motion(np.zeros(shape, np.float32), rate, np.ones(22, dtype=bool))


def test_a_gap_is_named_with_its_joint_and_frame(walking: Motion) -> None:
    positions = walking.positions.copy()
    positions[7, JOINT["left_knee"], 1] = np.nan
    with pytest.raises(SampleError, match="1 coordinates are NaN or infinite, first left_knee in frame 7"):
        replace(walking, positions=positions)


def test_millimetres_are_no_metres(walking: Motion) -> None:
    with pytest.raises(SampleError, match="metres are expected"):
        replace(walking, positions=walking.positions * np.float32(1e5))


def test_hips_are_needed(walking: Motion) -> None:
    present = walking.present.copy()
    present[JOINT["left_hip"]] = False
    with pytest.raises(SampleError, match="has no left_hip"):
        replace(walking, present=present)


@given(angle=st.floats(-3.0, 3.0))
def test_the_heading_is_the_angle_by_which_a_body_is_turned(angle: float) -> None:
    across = {"pelvis": np.zeros((3, 3)), "left_hip": np.full((3, 3), [0.1, 0.0, 0.0]), "right_hip": np.full((3, 3), [-0.1, 0.0, 0.0])}  # fmt: skip
    still = turned(motion_of(across, 20.0), angle)
    np.testing.assert_allclose(headings(still), angle, atol=1e-5)
    aligned = heading_aligned(still.positions, headings(still))
    np.testing.assert_allclose(aligned[:, JOINT["left_hip"]], [[0.1, 0.0, 0.0]] * 3, atol=1e-6)


def test_a_turn_of_many_rounds_has_no_jumps(walking: Motion) -> None:
    frames = [turned(walking, angle).positions[:1] for angle in np.arange(0.0, 20.0, 0.5)]
    heading = headings(replace(walking, positions=np.concatenate(frames)))
    np.testing.assert_allclose(np.diff(heading), 0.5, atol=1e-4)


def test_another_rate_is_the_same_motion(walking: Motion) -> None:
    slower = resampled(walking, 12.5)
    assert len(slower.positions) == 26  # two seconds
    np.testing.assert_allclose(slower.positions[:, 0, 2], np.arange(26) / 12.5, atol=1e-5)
    np.testing.assert_allclose(resampled(walking, 20.0).positions, walking.positions)
    assert len(resampled(replace(walking, positions=walking.positions[:1]), 12.5).positions) == 1


def test_speed_is_in_metres_a_second(walking: Motion) -> None:
    np.testing.assert_allclose(velocities(walking.positions[:, 0], 20.0), [[0.0, 0.0, 1.0]] * 41, atol=1e-4)
    assert not velocities(walking.positions[:1], 20.0).any()


def test_a_mirror_swaps_the_sides_and_is_its_own_inverse(walking: Motion) -> None:
    seen = mirrored(walking)
    np.testing.assert_allclose(
        seen.positions[:, JOINT["left_wrist"]] * [-1, 1, 1], walking.positions[:, JOINT["right_wrist"]]
    )
    np.testing.assert_allclose(mirrored(seen).positions, walking.positions)
    assert {JOINTS[place] for place in (JOINT["spine1"], JOINT["head"])} == {"spine1", "head"}


def test_legs_are_measured_or_told_to_be_missing(walking: Motion) -> None:
    joints = {"pelvis": 1.0, "left_hip": 0.9, "right_hip": 0.9, "left_knee": 0.5, "right_knee": 0.5, "left_ankle": 0.1, "right_ankle": 0.1}  # fmt: skip
    upright = motion_of({name: np.full((4, 3), [0.0, height, 0.0]) for name, height in joints.items()}, 20.0)
    assert leg_length_m(upright) == pytest.approx(0.8)
    present = walking.present.copy()
    present[JOINT["left_ankle"]] = False
    assert leg_length_m(replace(walking, present=present)) is None
