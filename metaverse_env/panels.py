"""Panels: series of several features at every zone of a graph, in one ``.npz`` file.

A panel is what a recording of a world or of a cluster is kept in, what forecasts are judged on, and what
``dynamics="trace"`` can replay. It is plain data with one rule about what is missing: a cell is *observed* where the
mask says so and its value is not NaN. Nothing is filled in. A :class:`Panel` that exists is consistent: every check is
made when it is built, so whoever is given one need not look again.

The arrays of the file are the fields of :class:`Panel`: ``values``, ``feature_names`` and ``names`` are needed, the
others optional. Further arrays are left unread, unless their name looks like one of these misspelt.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError, UnknownNameError
from metaverse_env.panel_file import read_arrays, write_arrays

ARRAYS: Final = (
    "values",
    "feature_names",
    "names",
    "timestamps",
    "mask",
    "edge_index",
    "edge_weight",
    "intents",
)
"""Every array of a file, in the order of the fields."""
NEEDED: Final = ARRAYS[:3]


@dataclass(frozen=True, eq=False)
class Panel:
    """``F`` features of ``N`` zones at ``T`` times; read by :func:`load_panel`.

    Raises:
        PanelError: An array of another shape or type than said here, a name twice, times that do not increase, an
            edge to a zone that is none, or an observed value that is infinite. Says where, what and the remedy.

    >>> values = np.array([[[3.0, 0.5]], [[4.0, np.nan]]], dtype=np.float32)
    >>> panel = Panel(values, ("users", "cpu_cores"), ("lobby",), timestamps=np.array([0.0, 15.0]))
    >>> panel.feature("cpu_cores")
    array([[0.5],
           [nan]], dtype=float32)
    >>> panel.observed.sum()
    np.int64(3)
    """

    values: NDArray[np.floating[Any]]
    """``float32`` or ``float64 [T, N, F]``, each feature in the unit that its name ends in; NaN where missing."""
    feature_names: tuple[str, ...]
    """``F`` different names."""
    names: tuple[str, ...]
    """``N`` different names of zones."""
    timestamps: NDArray[np.float64] | None = None
    """``[T]`` Unix seconds, UTC, strictly increasing."""
    mask: NDArray[np.bool_] | None = None
    """``[T, N]``, true where a zone was observed; ``None``: everywhere."""
    edge_index: NDArray[np.int64] | None = None
    """``[2, E]``, from and to, as indices of zones."""
    edge_weight: NDArray[np.floating[Any]] | None = None
    """``[E]``, finite."""
    intents: NDArray[np.floating[Any]] | None = None
    """``[T, N, D]``, embeddings of what users do and announce; NaN where missing."""
    source: str = "in memory"
    """Where it comes from, for messages."""

    def __post_init__(self) -> None:
        _check_values(self)
        _check_names(self)
        _check_times(self)
        _check_edges(self)
        for name in ("values", "intents"):
            _check_finite(self, name)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``bool [T, N, F]``: whether the cell was observed."""
        known: NDArray[np.bool_] = ~np.isnan(self.values)
        return known if self.mask is None else known & self.mask[..., None]

    def feature(self, name: str) -> NDArray[np.floating[Any]]:
        """Return one feature ``[T, N]``, a copy, with NaN wherever it was not observed.

        Raises:
            UnknownNameError: The panel has no such feature.
        """
        if name not in self.feature_names:
            raise UnknownNameError(f"feature of panel {self.source}", name, self.feature_names)
        column = self.values[..., self.feature_names.index(name)]
        return column.copy() if self.mask is None else np.where(self.mask, column, column.dtype.type(np.nan))


def load_panel(path: str | os.PathLike[str]) -> Panel:
    """Read a panel; whole numbers become floats, and a mask of zeros and ones becomes one of truths.

    Raises:
        PanelError: The file is missing, is no ``.npz`` archive, would unpack to more than 1 GiB, holds Python objects
            (which are never loaded, since loading them can run code), lacks an array, or is inconsistent.
    """
    found = read_arrays(Path(path), ARRAYS, NEEDED)
    return Panel(
        values=_floats(found["values"]),
        feature_names=_texts(found["feature_names"], "feature_names", path),
        names=_texts(found["names"], "names", path),
        timestamps=_numbers(found.get("timestamps"), np.float64),
        mask=_truths(found.get("mask")),
        edge_index=_whole(found.get("edge_index")),
        edge_weight=_floats(found.get("edge_weight")),
        intents=_floats(found.get("intents")),
        source=str(path),
    )


def save_panel(path: str | os.PathLike[str], panel: Panel) -> None:
    """Write a panel, compressed, so that :func:`load_panel` reads the same; never half a file.

    Raises:
        OSError: It cannot be written there.
    """
    arrays = {name: np.asarray(found) for name in ARRAYS if (found := getattr(panel, name)) is not None}
    write_arrays(Path(path), arrays)


def _texts(array: NDArray[Any], name: str, path: object) -> tuple[str, ...]:
    if array.dtype.kind != "U" or array.ndim != 1:
        raise PanelError(
            f"panel {path}: {name} is {array.dtype} {list(array.shape)}; it must be a list of texts. "
            f"Save it as np.array({name}, dtype=str)."
        )
    return tuple(array.tolist())


def _numbers(array: Any, kind: type[np.generic]) -> Any:
    """Convert real numbers; anything else is left for the checks to name."""
    return array if array is None or array.dtype.kind not in "iuf" else array.astype(kind, copy=False)


def _floats(array: Any) -> Any:
    if array is None or array.dtype in (np.float32, np.float64):
        return array
    return _numbers(array, np.float32 if array.dtype == np.float16 else np.float64)


def _whole(array: Any) -> Any:
    return array.astype(np.int64, copy=False) if array is not None and array.dtype.kind in "iu" else array


def _truths(array: Any) -> Any:
    binary = array is not None and array.dtype.kind in "iuf" and bool(np.isin(array, (0, 1)).all())
    return array.astype(np.bool_) if binary else array


def _check_values(panel: Panel) -> None:
    values = panel.values
    if values.dtype not in (np.float32, np.float64) or values.ndim != 3 or not values.size:
        _refuse(
            panel,
            f"values is {values.dtype} {list(values.shape)}; it must be float32 or float64 "
            f"[times, zones, features], none of them 0",
        )
    times, zones, features = values.shape
    _check_shape(panel, "mask", "b", (times, zones))
    _check_shape(panel, "intents", "f", (times, zones, None))
    for name, length in (("feature_names", features), ("names", zones)):
        if len(getattr(panel, name)) != length:
            axes = f"values is {list(values.shape)} [times, zones, features]"
            _refuse(panel, f"{name} has {len(getattr(panel, name))} entries, and {axes}; they must agree")


def _check_shape(panel: Panel, name: str, kind: str, shape: tuple[int | None, ...]) -> None:
    """Hold an optional array to its type and shape; ``None`` in a shape is any length from 1."""
    array = getattr(panel, name)
    if array is None:
        return
    fits = array.ndim == len(shape) and all(
        have == want if want is not None else have > 0 for have, want in zip(array.shape, shape, strict=True)
    )
    if array.dtype.kind != kind or not fits:
        words = {"b": "true or false", "f": "floating", "i": "whole"}[kind]
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        _refuse(panel, f"{name} is {array.dtype} {list(array.shape)}; it must be {words} [{wanted}]")


def _check_names(panel: Panel) -> None:
    for field in ("feature_names", "names"):
        seen = set()
        for name in getattr(panel, field):
            if not isinstance(name, str) or not name.strip() or name in seen:
                _refuse(panel, f"{field} has {name!r} {'twice' if name in seen else ''}; give each a name of its own")
            seen.add(name)


def _check_times(panel: Panel) -> None:
    times = panel.timestamps
    if times is None:
        return
    _check_shape(panel, "timestamps", "f", (len(panel.values),))
    steps = np.diff(times)
    wrong = np.flatnonzero(~(steps > 0)) if np.isfinite(times).all() else np.flatnonzero(~np.isfinite(times)) - 1
    if len(wrong):
        row = int(wrong[0]) + 1
        before = f" after {times[row - 1]:.17g} s" if row else ""
        _refuse(
            panel,
            f"timestamps[{row}] = {times[row]:.17g} s{before}; times must be finite and strictly increasing. "
            f"Sort the rows by time and keep one per time",
        )


def _check_edges(panel: Panel) -> None:
    if panel.edge_index is None:
        if panel.edge_weight is not None:
            _refuse(panel, "edge_weight without edge_index; give both, or leave both out")
        return
    _check_shape(panel, "edge_index", "i", (2, panel.edge_index.shape[-1] if panel.edge_index.ndim else None))
    _check_shape(panel, "edge_weight", "f", (panel.edge_index.shape[1],))
    beyond = (panel.edge_index < 0) | (panel.edge_index >= len(panel.names))
    if beyond.any():
        edge = int(np.argwhere(beyond)[0, 1])
        ends = panel.edge_index[:, edge].tolist()
        _refuse(panel, f"edge {edge} joins zones {ends}; they must be from 0 to {len(panel.names) - 1}")
    if panel.edge_weight is not None and not np.isfinite(panel.edge_weight).all():
        edge = int(np.flatnonzero(~np.isfinite(panel.edge_weight))[0])
        _refuse(panel, f"edge_weight[{edge}] = {panel.edge_weight[edge]}; weights must be finite")


def _check_finite(panel: Panel, name: str) -> None:
    """Refuse infinities among what is observed; they are what a division by nothing leaves."""
    array = getattr(panel, name)
    if array is None:
        return
    wrong = np.isinf(array)
    wrong = wrong if panel.mask is None else wrong & panel.mask[..., None]
    if wrong.any():
        row, zone, column = map(int, np.argwhere(wrong)[0])
        what = panel.feature_names[column] if name == "values" else f"intents[{column}]"
        _refuse(
            panel,
            f"row {row}, zone {panel.names[zone]!r}: {what} = {array[row, zone, column]}; an observed value must be "
            f"finite. Write NaN where nothing was observed, or mask it",
        )


def _refuse(panel: Panel, fault: str) -> NoReturn:
    raise PanelError(f"panel {panel.source}: {fault}.")
