"""What a panel has to be: shapes, types, names, times and edges that agree, and nothing observed that is infinite."""

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from metaverse_env.errors import PanelError

if TYPE_CHECKING:
    from metaverse_env.panels import Panel


def check_panel(panel: "Panel") -> None:
    """Check a panel.

    Raises:
        PanelError: The first fault, with its place, value and remedy.
    """
    _check_values(panel)
    _check_names(panel)
    _check_times(panel)
    _check_edges(panel)
    for name in ("values", "intents"):
        _check_finite(panel, name)


def _check_values(panel: "Panel") -> None:
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


def _check_shape(panel: "Panel", name: str, kind: str, shape: tuple[int | None, ...]) -> None:
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


def _check_names(panel: "Panel") -> None:
    for field in ("feature_names", "names"):
        seen = set()
        for name in getattr(panel, field):
            if not isinstance(name, str) or not name.strip() or name in seen:
                _refuse(panel, f"{field} has {name!r} {'twice' if name in seen else ''}; give each a name of its own")
            seen.add(name)


def _check_times(panel: "Panel") -> None:
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


def _check_edges(panel: "Panel") -> None:
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


def _check_finite(panel: "Panel", name: str) -> None:
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


def _refuse(panel: "Panel", fault: str) -> NoReturn:
    raise PanelError(f"panel {panel.source}: {fault}.")
