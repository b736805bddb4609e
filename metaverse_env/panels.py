"""Panels: series of several features at every zone of a graph, in one ``.npz`` file.

A panel is what a recording of a world or of a cluster is kept in, what forecasts are judged on, and what
``dynamics="trace"`` can replay. It is plain data with one rule about what is missing: a cell is *observed* where the
mask says so and its value is not NaN. Nothing is filled in. A :class:`Panel` that exists is consistent: every check is
made when it is built, so whoever is given one need not look again.

The arrays of the file are the fields of :class:`Panel`: ``values``, ``feature_names`` and ``names`` are needed, the
others optional. Further arrays are left unread, unless their name looks like one of these misspelt.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError, UnknownNameError
from metaverse_env.panel_checks import check_panel
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
        check_panel(self)

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

    def select(self, *names: str) -> "Panel":
        """Return the panel of some zones alone, in the order in which they are named, with the edges among them.

        Raises:
            UnknownNameError: The panel has no zone of such a name.
            PanelError: No name, or one twice.
        """
        for name in names:
            if name not in self.names:
                raise UnknownNameError(f"zone of panel {self.source}", name, self.names)
        zones = [self.names.index(name) for name in names]
        place = np.full(len(self.names), -1)
        place[zones] = np.arange(len(zones))
        kept = None if self.edge_index is None else (place[self.edge_index] >= 0).all(axis=0)
        return replace(
            self,
            values=self.values[:, zones],
            names=names,
            mask=None if self.mask is None else self.mask[:, zones],
            edge_index=None if self.edge_index is None else place[self.edge_index[:, kept]],
            edge_weight=None if self.edge_weight is None else self.edge_weight[kept],
            intents=None if self.intents is None else self.intents[:, zones],
        )


def load_panel(path: str | os.PathLike[str]) -> Panel:
    """Read a panel; whole numbers become floats, and a mask of zeros and ones becomes one of truths.

    Raises:
        PanelError: The file is missing, is no ``.npz`` archive, would unpack to more than 512 MiB, holds
            Python objects (never loaded, since that can run code), lacks an array, or is inconsistent.
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
        PanelError: It cannot be written there.
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
    short = array is not None and (array.dtype.itemsize < 4 or array.dtype == np.float32)
    return _numbers(array, np.float32 if short else np.float64)


def _whole(array: Any) -> Any:
    return array.astype(np.int64, copy=False) if array is not None and array.dtype.kind in "iu" else array


def _truths(array: Any) -> Any:
    binary = array is not None and array.dtype.kind in "iuf" and bool(np.isin(array, (0, 1)).all())
    return array.astype(np.bool_) if binary else array
