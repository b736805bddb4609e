"""What the network sees: the same wherever a body stands, whichever way it looks and however tall it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.encoders.motion.frames import FEATURES, RATE_HZ, SEEN, WINDOW, features_of, windows_of
from predictors.encoders.motion.skeleton import JOINT, Motion
from predictors.encoders.motion.synthesis import synthesise

WALK = next(sample.motion for sample in synthesise(range(1)) if sample.name == "walk/0")


@settings(max_examples=25)
@given(st.floats(-3.0, 3.0), st.floats(-50.0, 50.0), st.floats(0.6, 1.6))
def test_place_heading_and_size_make_no_difference(angle: float, away: float, size: float) -> None:
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    elsewhere = (WALK.positions @ matrix.T + [away, 0.3, -away]) * size
    seen, _ = features_of(replace(WALK, positions=elsewhere.astype(np.float32)))
    np.testing.assert_allclose(seen, features_of(WALK)[0], atol=5e-3)


def test_a_walk_is_ahead_and_upright() -> None:
    rows, present = features_of(WALK)
    mean = dict(zip(FEATURES, rows.mean(axis=0), strict=True))
    assert present.all()
    assert 0.7 < mean["height"] < 1.1
    assert mean["speed_ahead"] > 0.6 > abs(mean["speed_aside"])
    assert mean["neck_y"] > 0.3
    assert mean["left_ankle_y"] < -0.5
    assert mean["left_hip_x"] > 0.0 > mean["right_hip_x"]
    assert abs(mean["turning"]) < 0.05


def test_it_is_sampled_at_one_rate() -> None:
    assert len(features_of(WALK)[0]) == pytest.approx(WALK.seconds * RATE_HZ, abs=1)


def test_absent_joints_are_told(walking: Motion) -> None:
    present = walking.present.copy()
    present[JOINT["left_wrist"]] = False
    positions = walking.positions.copy()
    positions[:, JOINT["left_wrist"]] = 0.0
    _, seen = features_of(replace(walking, positions=positions, present=present))
    absent = [name for name, there in zip(FEATURES, seen, strict=True) if not there]
    assert absent == [f"left_wrist_{axis}" for axis in ("x", "y", "z", "vx", "vy", "vz")]
    assert "left_wrist" in SEEN


@given(st.integers(1, 300))
def test_windows_hold_every_frame_once_and_are_of_one_length(frames: int) -> None:
    parts = list(windows_of(np.arange(frames)[:, np.newaxis]))
    np.testing.assert_array_equal(np.concatenate(parts)[:, 0], np.arange(frames))
    lengths = {len(part) for part in parts}
    assert max(lengths) <= WINDOW
    assert max(lengths) - min(lengths) <= 1
