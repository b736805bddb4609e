"""Motions of all layouts against what is known of them otherwise, and what is refused."""

import io
import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from metaverse_env.errors import SampleError
from predictors.encoders.motion import mmm
from predictors.encoders.motion.invariant import KIT_JOINTS, LEG_M, joints_of
from predictors.encoders.motion.reading import read_motion
from predictors.encoders.motion.rotations import about, chained
from predictors.encoders.motion.skeleton import JOINT, Motion, headings, leg_length_m

Array = np.ndarray


@pytest.fixture(scope="session")
def kit(assets: Path) -> Path:
    return assets / "samples" / "kitml_few"


@pytest.fixture(scope="session")
def humanml3d(assets: Path) -> Path:
    return assets / "samples" / "humanml3d_few"


@pytest.fixture(scope="session")
def deepmimic(assets: Path) -> Path:
    return assets / "samples" / "deepmimic_humanoid"


def test_humanml3d_features_give_the_joints_of_its_authors(humanml3d: Path) -> None:
    recovered = read_motion(humanml3d / "new_joint_vecs_012314.npy")
    theirs = np.load(humanml3d / "new_joints_012314.npy")
    np.testing.assert_allclose(recovered.positions, theirs, atol=1e-5)
    assert recovered.rate_hz == 20.0
    np.testing.assert_array_equal(read_motion(humanml3d / "new_joints_012314.npy").positions, theirs)


def walked_through(model: Path, recording: mmm.Recording, frame: int) -> dict[str, Array]:
    """Return where the nodes of the model are, m, x y z of MMM: every node in turn, as its XML says."""
    root = ElementTree.parse(model).getroot()
    nodes = {node.get("name"): node for node in root.findall("RobotNode")}
    row = recording.rows[frame]
    angles = dict(zip(recording.joints, row[7:], strict=True))
    start = np.eye(4)
    start[:3, :3] = chained([(axis, row[5 + at : 6 + at]) for axis, at in (("z", 1), ("y", 0), ("x", -1))])[0]
    start[:3, 3] = row[1:4] / 1000.0
    places, waiting = {}, [(str(root.get("RootNode")), start)]
    while waiting:
        name, frame_of = waiting.pop()
        node = nodes[name]
        frame_of = frame_of @ _own(node, angles.get(name.removesuffix("_joint"), 0.0), recording.height_m)
        places[name.removesuffix("_joint")] = frame_of[:3, 3]
        waiting += [(str(child.get("name")), frame_of) for child in node.findall("Child")]
    return places


def _own(node: ElementTree.Element, angle: float, height_m: float) -> Array:
    """Return a node's own transformation; a bone is as long as the limit of its sliding joint says."""
    own, joint, matrix = np.eye(4), node.find("Joint"), node.find("Transform/Matrix4x4")
    assert joint is not None
    if joint.get("type") == "prismatic":
        direction, limits = joint.find("translationdirection"), joint.find("limits")
        own[:3, 3] = [float(direction.get(axis)) * float(limits.get("hi")) for axis in "xyz"]
    elif matrix is not None:
        own[:3] = [[float(row.get(f"c{column}")) for column in range(1, 5)] for row in list(matrix)[:3]]
    own[:3, 3] *= height_m / 1000.0
    if joint.get("type") == "revolute":
        axis = next(name for name in "xyz" if float(joint.find("axis").get(name)) == 1.0)
        own[:3, :3] = own[:3, :3] @ about(axis, np.array([angle]))[0]
    return own


@pytest.mark.parametrize(
    ("name", "frames", "height_m"), [("00001_mmm.xml", 378, 1.82), ("subject314_test_mmm.xml", 265, 1.67)]
)
def test_mmm_kinematics_are_those_of_its_model(kit: Path, name: str, frames: int, height_m: float) -> None:
    """But for 0.02 mm: the model's right foot is no exact mirror image of its left one."""
    recording = mmm.parse(kit / name)
    motion = mmm.kinematics(recording)
    assert (len(motion.positions), recording.height_m) == (frames, height_m)
    assert motion.rate_hz == pytest.approx(100.0)
    for frame in (0, 100, frames - 1):
        places = walked_through(kit / "mmm_model.xml", recording, frame)
        for theirs, ours in mmm.NAMES.items():
            x, y, z = places["root" if theirs == "root" else f"{theirs}x"]
            np.testing.assert_allclose(motion.positions[frame, JOINT[ours]], [-x, z, y], atol=2e-5, err_msg=theirs)


def test_a_kit_person_walks_where_it_looks(kit: Path) -> None:
    motion = read_motion(kit / "00001_mmm.xml")
    ahead = motion.positions[-1, 0] - motion.positions[0, 0]
    heading = headings(motion)[0]
    assert ahead @ [np.sin(heading), 0.0, np.cos(heading)] == pytest.approx(1.36, abs=0.02)
    assert motion.positions[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 1].min() == pytest.approx(0.08, abs=0.02)
    assert leg_length_m(motion) == pytest.approx(0.491 * 1.82, abs=1e-4)
    assert not motion.present[[JOINT["spine3"], JOINT["left_collar"]]].any()


def test_unrecorded_angles_leave_the_joints_below_absent(kit: Path, tmp_path: Path) -> None:
    text = (kit / "00001_mmm.xml").read_text()
    path = tmp_path / "one_mmm.xml"
    path.write_text(text.replace("LKx_joint", "unknown_joint"))
    motion = read_motion(path)
    absent = [name for name in JOINT if not motion.present[JOINT[name]]]
    assert absent == ["left_ankle", "spine3", "left_foot", "left_collar", "right_collar"]


def as_kit_features(joints: Array) -> Array:
    """Return features of joints ``[frames, 21, 3]`` whose heading is +z all the time, as Guo et al. define them."""
    rows = np.zeros((len(joints), 251))
    rows[:-1, 1:3] = np.diff(joints[:, 0, [0, 2]], axis=0)
    rows[:, 3] = joints[:, 0, 1]
    local = joints[:, 1:] - joints[:, :1] * [1.0, 0.0, 1.0]
    rows[:, 4:64] = local.reshape(len(joints), -1)
    return rows


def test_kit_features_give_the_joints_by_their_names_and_size(walking: object, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    joints = np.cumsum(random.normal(0.0, 8.0, (30, 1, 3)), axis=0) + random.normal(0.0, 300.0, (1, 21, 3))
    joints -= joints[0, 0] * [1.0, 0.0, 1.0]
    np.testing.assert_allclose(joints_of(as_kit_features(joints), 21), joints, atol=1e-6)
    path = tmp_path / "00001.npy"
    np.save(path, as_kit_features(joints).astype(np.float32))
    motion = read_motion(path)
    assert motion.rate_hz == 12.5
    assert leg_length_m(motion) == pytest.approx(LEG_M, rel=1e-4)
    scale = motion.positions[3, JOINT["right_hip"], 1] / joints[3, KIT_JOINTS.index("right_hip"), 1]
    np.testing.assert_allclose(motion.positions[:, JOINT["left_wrist"]], joints[:, 10] * scale, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(read_motion(joints).positions, motion.positions, rtol=1e-3, atol=1e-3)


def test_features_turn_with_the_heading() -> None:
    rows = np.zeros((5, 263))
    rows[:, 0], rows[:, 2] = np.pi / 8, 1.0  # a quarter turn each frame, a metre ahead each
    rows[:, 4 : 4 + 63] = np.tile([0.0, 0.0, 0.5], 21)
    joints = joints_of(rows, 22)
    np.testing.assert_allclose(joints[1, 0], [-np.sin(np.pi / 4), 0.0, np.cos(np.pi / 4)], atol=1e-9)
    np.testing.assert_allclose(joints[2, 0] - joints[1, 0], [-1.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(joints[2, 1] - joints[2, 0], [-0.5, 0.0, 0.0], atol=1e-9)


def test_all_deepmimic_clips_are_bodies_on_a_floor(deepmimic: Path) -> None:
    for path in sorted(deepmimic.glob("humanoid3d_*.txt")):
        motion = read_motion(path)
        assert motion.present.sum() == 15
        assert round(motion.rate_hz) in {16, 24, 30, 60, 120}, path.name
        assert leg_length_m(motion) == pytest.approx(0.421546 + 0.409870, abs=1e-4)
        assert -0.1 < motion.positions[:, motion.present, 1].min() < 0.3, path.name


def test_a_deepmimic_pose_by_hand(tmp_path: Path) -> None:
    row = np.zeros(44)
    row[[0, 2]] = 0.1, 1.0
    row[[4, 8, 12, 16, 21, 25, 30, 35, 39]] = 1.0  # no rotation: w = 1
    row[20] = -np.pi / 2  # the right shin points back
    path = tmp_path / "clip.json"
    path.write_text(json.dumps({"Loop": "none", "Frames": [row.tolist()] * 2}))
    motion = read_motion(path)
    assert motion.rate_hz == pytest.approx(10.0)
    np.testing.assert_allclose(motion.positions[0, JOINT["neck"]], [0.0, 1.0 + 0.236151 + 0.223894, 0.0], atol=1e-6)
    np.testing.assert_allclose(motion.positions[0, JOINT["left_knee"]], [0.084887, 1.0 - 0.421546, 0.0], atol=1e-6)
    np.testing.assert_allclose(
        motion.positions[0, JOINT["right_ankle"]], [-0.084887, 1.0 - 0.421546, -0.409870], atol=1e-6
    )


BILLION = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


def test_entity_expansion_is_refused(kit: Path, tmp_path: Path) -> None:
    path = tmp_path / "bomb_mmm.xml"
    path.write_text((kit / "00001_mmm.xml").read_text().replace("<MMM>", f"{BILLION}<MMM>&b;", 1))
    with pytest.raises(SampleError, match=r"declares XML entities or a DTD .* refused"):
        read_motion(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", b"<MMM><Motion>", "no complete XML"),
        ("a.xml", b"<MMM><Motion></Motion></MMM>", "no MMM motion: 0 joints and 0 frames"),
        ("a.txt", b"{]", "is no JSON"),
        ("a.json", b'{"Frames": []}', "it has 0 \"Frames\""),
        ("a.json", b"[1, 2]", "it has no \"Frames\""),
        ("a.json", b'{"Frames": [[1, 2], [3]]}', "not all 44 numbers long"),
        ("a.json", b'{"Frames": [[1, 2]]}', r"shape \[1, 2\], not \[frames, 44\]"),
        ("a.npy", b"\x93NUMPY", "is no whole array"),
        ("a.npy", b"", "is no whole array"),
        ("a.bvh", b"HIERARCHY", "no layout has the suffix '.bvh'. Known: KIT-ML, MMM"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SampleError, match=message):
        read_motion(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 263)), "0 frames"),
        (np.zeros((5, 77)), r"shape \[5, 77\], which is no known layout\. Known: KIT-ML"),
        (np.full((5, 22, 3), np.nan), "330 numbers are NaN or infinite, the first in frame 0"),
        (np.full((5, 251), np.inf), "numbers are NaN or infinite"),
        (np.zeros((5, 251)), "legs of length 0; give them as they are, not standardised"),
        (np.array(["walk"]), "not numbers"),
        (np.array(3.0), "no known layout"),
    ],
)
def test_arrays_that_are_no_motion_are_refused(array: Array, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        read_motion(array)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SampleError, match="pickled objects, which may run code"):
        read_motion(path)
    path.write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(SampleError, match="pickled objects"):
        read_motion(path)


def test_archives_of_arrays_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    path = tmp_path / "a.npy"
    path.write_bytes(buffer.getvalue())
    assert zipfile.is_zipfile(path)
    with pytest.raises(SampleError, match="several arrays"):
        read_motion(path)


def test_a_zero_quaternion_and_frames_without_duration_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.json"
    path.write_text(json.dumps({"Frames": [[0.1] + [0.0] * 43]}))
    with pytest.raises(SampleError, match="quaternion of root in frame 0 has no length"):
        read_motion(path)
    row = [0.0] * 44
    for place in (4, 8, 12, 16, 21, 25, 30, 35, 39):
        row[place] = 1.0
    path.write_text(json.dumps({"Frames": [row]}))
    with pytest.raises(SampleError, match="frames last 0 s"):
        read_motion(path)


def test_a_missing_file_and_a_foreign_sample_are_told(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="cannot be read: No such file"):
        read_motion(tmp_path / "none.npy")
    with pytest.raises(SampleError, match="a path, an array or a Motion, not int"):
        read_motion(7)


def test_joints_that_are_all_in_one_point_are_no_body(tmp_path: Path, walking: Motion) -> None:
    for motion in (np.zeros((50, 22, 3)), np.ones((5, 22, 3)), replace(walking, positions=0.0 * walking.positions)):
        with pytest.raises(SampleError, match=r"all joints lie within 0 m in every frame.*give positions in metres"):
            read_motion(motion)
    np.save(tmp_path / "still.npy", np.zeros((50, 22, 3)))
    with pytest.raises(SampleError, match=r"still\.npy: all joints"):
        read_motion(tmp_path / "still.npy")
    late = np.zeros((50, 22, 3))
    late[-1] = walking.positions[0]
    assert len(read_motion(late).positions) == 50
