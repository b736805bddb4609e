"""Panels of series: what is read back, what is refused and with which words."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from metaverse_env import panel_file
from metaverse_env.errors import PanelError, UnknownNameError
from metaverse_env.panels import ARRAYS, Panel, load_panel, save_panel

FEATURES = ("users", "cpu_cores", "latency_ms")
NAMES = ("lobby", "arena")


def columns(**changes: Any) -> dict[str, Any]:
    """Return the arrays of a full panel of 4 times, 2 zones and 3 features, some of them changed or left out."""
    full = {
        "values": np.arange(24, dtype=np.float32).reshape(4, 2, 3),
        "feature_names": np.array(FEATURES),
        "names": np.array(NAMES),
        "timestamps": np.array([0.0, 15.0, 30.0, 60.0]),
        "mask": np.array([[1, 1], [1, 0], [1, 1], [1, 1]], dtype=np.bool_),
        "edge_index": np.array([[0, 1], [1, 0]]),
        "edge_weight": np.array([0.5, 1.0], dtype=np.float32),
        "intents": np.ones((4, 2, 5), dtype=np.float32),
    }
    return {name: array for name, array in (full | changes).items() if array is not None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "panel.npz"


def loaded(file: Path, **changes: Any) -> Panel:
    np.savez(file, **columns(**changes))
    return load_panel(file)


def refusal(file: Path, **changes: Any) -> str:
    with pytest.raises(PanelError) as caught:
        loaded(file, **changes)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_every_array_is_read(file: Path) -> None:
    panel, expected = loaded(file), columns()
    assert (panel.feature_names, panel.names, panel.source) == (FEATURES, NAMES, str(file))
    for name in set(ARRAYS) - {"feature_names", "names"}:
        np.testing.assert_array_equal(getattr(panel, name), expected[name])
        assert getattr(panel, name).dtype == expected[name].dtype


def test_only_three_arrays_are_needed(file: Path) -> None:
    panel = loaded(file, **dict.fromkeys(ARRAYS[3:]))
    assert all(getattr(panel, name) is None for name in ARRAYS[3:])
    assert panel.observed.all()


def test_observed_is_what_the_mask_and_nan_leave(file: Path) -> None:
    values = columns()["values"]
    values[2, 0, 1] = np.nan
    panel = loaded(file, values=values)
    expected = np.ones((4, 2, 3), dtype=np.bool_)
    expected[1, 1] = expected[2, 0, 1] = False
    np.testing.assert_array_equal(panel.observed, expected)
    np.testing.assert_array_equal(panel.feature("users"), np.array([[0, 3], [6, np.nan], [12, 15], [18, 21]]))
    assert np.isnan(panel.feature("cpu_cores")[2, 0])
    assert panel.feature("cpu_cores").dtype == np.float32


def test_an_unobserved_cell_may_hold_anything(file: Path) -> None:
    values = columns()["values"]
    values[1, 1] = np.inf  # the mask says that nothing was observed here
    assert np.isnan(loaded(file, values=values).feature("users")[1, 1])


def test_whole_numbers_become_floats_and_zeros_and_ones_a_mask(file: Path) -> None:
    panel = loaded(
        file,
        values=np.ones((4, 2, 3), dtype=np.int32),
        mask=np.array([[1, 0]] * 4, dtype=np.int8),
        timestamps=np.arange(4),
        edge_index=np.array([[0], [1]], dtype=np.int32),
        edge_weight=None,
        intents=np.ones((4, 2, 1), dtype=np.float16),
    )
    assert panel.values.dtype == panel.timestamps.dtype == np.float64  # type: ignore[union-attr]
    assert panel.mask is not None
    assert panel.mask.dtype == np.bool_
    assert panel.edge_index is not None
    assert panel.edge_index.dtype == np.int64
    assert panel.intents is not None
    assert panel.intents.dtype == np.float32


@given(
    values=arrays.arrays(
        st.sampled_from([np.float32, np.float64]),
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=4),
        elements=st.floats(width=32, allow_infinity=False),
    )
)
def test_what_is_saved_is_read_again(values: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "again.npz"
    zones, features = values.shape[1:]
    panel = Panel(values, tuple(f"f{n}" for n in range(features)), tuple(f"z{n}" for n in range(zones)))
    save_panel(file, panel)
    again = load_panel(file)
    assert again.values.tobytes() == values.tobytes()
    assert (again.values.dtype, again.values.shape) == (values.dtype, values.shape)
    assert (again.feature_names, again.names, again.mask) == (panel.feature_names, panel.names, None)


def test_saving_keeps_every_array_and_the_very_path(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", **columns())
    panel = load_panel(tmp_path / "one.npz")
    save_panel(tmp_path / "two.panel", panel)
    again = load_panel(tmp_path / "two.panel")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(panel, name), getattr(again, name))
    assert sorted(found.name for found in tmp_path.iterdir()) == ["one.npz", "two.panel"]


def test_some_zones_alone_keep_their_own_edges(file: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    edges, weights = np.array([[0, 1, 2, 2], [1, 2, 0, 1]]), np.array([0.1, 0.2, 0.3, 0.4])
    mask, intents = np.array([[True, False, True]]), np.arange(3.0).reshape(1, 3, 1)
    panel = Panel(values, ("a", "b"), ("x", "y", "z"), None, mask, edges, weights, intents).select("z", "x")
    assert panel.names == ("z", "x")
    np.testing.assert_array_equal(panel.values, values[:, [2, 0]])
    assert panel.mask is not None
    assert panel.mask.tolist() == [[True, True]]
    assert panel.intents is not None
    assert panel.intents.ravel().tolist() == [2.0, 0.0]
    assert panel.edge_index is not None
    assert panel.edge_index.tolist() == [[0], [1]]
    assert panel.edge_weight is not None
    assert panel.edge_weight.tolist() == [0.3]
    with pytest.raises(UnknownNameError, match="Did you mean 'lobby'"):
        loaded(file).select("loby")
    with pytest.raises(PanelError, match="names has 'lobby' twice"):
        loaded(file).select("lobby", "lobby")


def test_a_place_that_takes_no_file_is_named(file: Path, tmp_path: Path) -> None:
    panel = loaded(file)
    with pytest.raises(PanelError, match=r"nowhere/panel\.npz cannot be written: No such file"):
        save_panel(tmp_path / "nowhere" / "panel.npz", panel)


def test_unknown_features_suggest_the_nearest(file: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'cpu'\. Did you mean 'cpu_cores'"):
        loaded(file).feature("cpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"values": np.ones((4, 2))},
            "values is float64 [4, 2]; it must be float32 or float64 [times, zones, features]",
        ),
        ({"values": np.ones((0, 2, 3))}, "none of them 0"),
        ({"values": np.ones((4, 2, 3), dtype=complex)}, "values is complex128"),
        ({"values": np.ones((4, 2, 2))}, "feature_names has 3 entries, and values is [4, 2, 2]"),
        ({"names": np.array(["lobby"])}, "names has 1 entries"),
        ({"names": np.array(["lobby", "lobby"])}, "names has 'lobby' twice"),
        ({"names": np.array(["lobby", " "])}, "names has ' ' ; give each"),
        ({"names": np.array([1, 2])}, "names is int64 [2]; it must be a list of texts. Save it as np.array(names"),
        ({"feature_names": np.array(["users"] * 3)}, "feature_names has 'users' twice"),
        ({"timestamps": np.zeros(3)}, "timestamps is float64 [3]; it must be floating [4]"),
        ({"timestamps": np.array([0.0, 15.0, 15.0, 30.0])}, "timestamps[2] = 15 s after 15 s"),
        ({"timestamps": np.array([0.0, 15.0, 5.0, 30.0])}, "timestamps[2] = 5 s after 15 s"),
        ({"timestamps": np.array([np.nan, 15.0, 20.0, 30.0])}, "timestamps[0] = nan s; times must be finite"),
        ({"timestamps": np.array([0, 1, 2, 3], dtype="datetime64[s]")}, "timestamps is datetime64[s] [4]"),
        ({"mask": np.ones((4, 3), dtype=np.bool_)}, "mask is bool [4, 3]; it must be true or false [4, 2]"),
        ({"mask": np.full((4, 2), 0.5)}, "mask is float64 [4, 2]; it must be true or false [4, 2]"),
        ({"intents": np.ones((4, 2))}, "intents is float64 [4, 2]; it must be floating [4, 2, any]"),
        ({"edge_index": np.array([[0, 1, 0]])}, "edge_index is int64 [1, 3]; it must be whole [2, 3]"),
        ({"edge_index": np.array(3)}, "edge_index is int64 []"),
        ({"edge_index": np.array([[0, 0], [1, 2]])}, "edge 1 joins zones [0, 2]; they must be from 0 to 1"),
        ({"edge_index": None}, "edge_weight without edge_index"),
        ({"edge_weight": np.ones(3)}, "edge_weight is float64 [3]; it must be floating [2]"),
        ({"edge_weight": np.array([1.0, np.inf])}, "edge_weight[1] = inf"),
        ({"values": None}, "has no array 'values'; it has edge_index, edge_weight"),
        ({"timestamp": np.arange(4.0), "timestamps": None}, "array 'timestamp'. Did you mean 'timestamps'?"),
        ({"names": np.array(NAMES, dtype=object)}, "Object arrays cannot be loaded when allow_pickle=False"),
    ],
)
def test_what_breaks_the_format_is_named(file: Path, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(file, **changes)


def test_an_infinite_value_is_named_with_its_zone_and_feature(file: Path) -> None:
    values = columns()["values"]
    values[3, 1, 2] = -np.inf
    words = refusal(file, values=values)
    assert "row 3, zone 'arena': latency_ms = -inf; an observed value must be finite. Write NaN" in words
    intents = columns()["intents"]
    intents[0, 0, 4] = np.inf
    assert "row 0, zone 'lobby': intents[4] = inf" in refusal(file, intents=intents)


def test_other_arrays_are_left_unread(file: Path) -> None:
    assert loaded(file, comment=np.array("by hand"), weather=np.array([{}], dtype=object)).names == NAMES


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was loaded",)


def test_a_pickle_is_never_loaded(file: Path) -> None:
    assert "objects are never loaded" in refusal(file, values=np.array([Trap()], dtype=object))
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(PanelError, match="cannot be read"):
        load_panel(file)


def test_a_missing_damaged_or_other_file_is_named(file: Path) -> None:
    with pytest.raises(PanelError, match="does not exist"):
        load_panel(file)
    np.savez_compressed(file, **columns(values=np.random.default_rng(0).random((4, 2, 3))))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PanelError, match=r"cannot be read: .*intact \.npz"):
        load_panel(file)
    file.write_bytes(whole[:80] + bytes(40) + whole[120:])
    with pytest.raises(PanelError, match="cannot be read"):
        load_panel(file)
    with file.open("wb") as stream:
        np.save(stream, np.ones(3))
    with pytest.raises(PanelError, match="cannot be read"):
        load_panel(file)


def test_too_much_is_refused_before_it_is_unpacked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_file, "MAX_BYTES", 2**20)
    np.savez_compressed(file, **columns(values=np.zeros((2**17, 2, 4), dtype=np.float32)))
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(PanelError, match=r"its arrays unpack to 4 MiB; at most 1 MiB are read"):
        load_panel(file)
