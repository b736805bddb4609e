"""What of a panel of telemetry can be replayed, read into the same columns as a file of users.

Users are replayed, and so is recorded demand (``cpu_cores``, ``memory_mb``, ``bandwidth_mbps``), each where the panel
has it; what it lacks the simulator computes. Recorded latency is not replayed: it holds for the allocation of its time,
and whoever replays a panel decides on another one. Everything that is left out, or comes from elsewhere, is said in
:attr:`Columns.notes`.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import TraceError, UnknownNameError
from metaverse_env.panels import Panel
from metaverse_env.scenario.infrastructure import DemandSpec
from metaverse_env.simulator.demand import linear_and_pairwise
from metaverse_env.units import LATENCY, RESOURCE_UNITS, RESOURCES, TARGETS

USERS: Final = "users"
PROXIES: Final = {
    "requests_per_min": "requests/min (proxy for users)",
    "requests_per_s": "requests/s (proxy for users)",
}
"""Features that stand in for users where there are none."""
UNITS: Final = {
    USERS: "users",
    **dict.fromkeys(PROXIES, "requests"),
    **dict(zip(RESOURCES, RESOURCE_UNITS, strict=True)),
}
"""Every feature that can be replayed, and the unit of its values."""
ALLOCATED: Final = {name: f"allocated_{name}" for name in RESOURCES}
"""Features that hold what was allocated."""
LATENCY_NAME: Final = TARGETS[LATENCY]
NEAR: Final = 0.75
"""From this similarity on, a feature is taken for a misspelt one of these [choice]."""
CENSORED_FROM: Final = 0.95
"""A resource whose use is above this share of its allocation may have been short of it [choice]."""
PANEL_STEP_S: Final = 15.0
"""Spacing of the samples of a panel without times: a tick of the default scenario."""
FIRST_MONDAY_S: Final = 345_600.0
"""Where such a panel starts: 1970-01-05 00:00 UTC, a Monday, as the weeks of this package do."""
_MOST: Final = float(np.finfo(np.float32).max)


class Columns(NamedTuple):
    """What is replayed of a panel of ``R`` rows and ``Z`` zones, ``T`` rows of which are complete."""

    times_s: NDArray[np.float64]
    """``[R]`` Unix seconds, strictly increasing."""
    complete: NDArray[np.bool_]
    """``[R]`` whether everything that is replayed was observed in every zone."""
    users: NDArray[np.float32]
    """``[T, Z]``, the complete rows only."""
    demand: NDArray[np.float32] | None
    """``[T, Z, 3]`` cores, MB, Mbps, NaN for a resource that the panel lacks; ``None`` if it lacks all."""
    quantity: str
    """What is replayed, in words."""
    notes: tuple[str, ...]
    """Sentences on what is not replayed, or comes from elsewhere."""


def read_columns(panel: Panel) -> Columns:
    """Read what can be replayed.

    Raises:
        UnknownNameError: A feature looks like a misspelt one of :data:`UNITS`.
        TraceError: Neither users nor demand, a negative value, or fewer than two complete rows.
    """
    replayed = _replayed(panel)
    series = {name: panel.feature(name) for name in replayed}
    for name, values in series.items():
        _check_range(panel, name, values)
    observed = ~np.isnan(np.stack(list(series.values())))
    complete = np.asarray(observed.all(axis=(0, 2)))
    if complete.sum() < 2:
        _refuse_holes(panel, replayed, observed)
    rows = {name: values[complete].astype(np.float32) for name, values in series.items()}
    demand: dict[str, NDArray[np.float32]] = {name: rows[name] for name in RESOURCES if name in rows}
    count = next((name for name in (USERS, *PROXIES) if name in rows), None)
    return Columns(
        times_s=_times_s(panel),
        complete=complete,
        users=_users_behind(demand) if count is None else rows[count],
        demand=_stacked(demand) if demand else None,
        quantity=", ".join(PROXIES.get(name, name) for name in replayed),
        notes=tuple(_notes(panel, replayed, count)),
    )


def _replayed(panel: Panel) -> list[str]:
    """Return the features to replay: users or their proxy, then demand; one without a value is not there."""
    for name in set(panel.feature_names) - set(ALLOCATED.values()):
        if name not in UNITS and get_close_matches(name, UNITS, 1, NEAR):
            raise UnknownNameError(f"feature to replay, of panel {panel.source}:", name, UNITS)
    there = {name for name in UNITS if name in panel.feature_names and not np.isnan(panel.feature(name)).all()}
    counts = [name for name in (USERS, *PROXIES) if name in there][:1]
    found = counts + [name for name in RESOURCES if name in there]
    if not found:
        raise TraceError(
            f"panel {panel.source} has neither users nor demand to replay; its features are "
            f"{', '.join(panel.feature_names)}. Give values of at least one of {', '.join(UNITS)}."
        )
    return found


def _check_range(panel: Panel, name: str, values: NDArray[Any]) -> None:
    wrong = ~((values >= 0.0) & (values <= _MOST)) & ~np.isnan(values)
    if wrong.any():
        row, zone = map(int, np.argwhere(wrong)[0])
        raise TraceError(
            f"panel {panel.source}, row {row}, zone {panel.names[zone]!r}: {name} = {values[row, zone]:g} "
            f"{UNITS[name]}; it must be from 0 to {_MOST:.3g}. Write NaN where nothing was observed."
        )


def _refuse_holes(panel: Panel, replayed: list[str], observed: NDArray[np.bool_]) -> None:
    missing = (~observed).sum(axis=1)
    feature, zone = np.unravel_index(int(missing.argmax()), missing.shape)
    raise TraceError(
        f"panel {panel.source} has {observed.all(axis=(0, 2)).sum()} rows in which {', '.join(replayed)} were observed "
        f"in every zone; at least 2 are needed. Most is missing of {replayed[feature]} in zone {panel.names[zone]!r}: "
        f"{missing[feature, zone]} of {observed.shape[1]} rows. Leave that zone out (Panel.select), or that feature."
    )


def _times_s(panel: Panel) -> NDArray[np.float64]:
    if panel.timestamps is not None:
        return panel.timestamps
    return FIRST_MONDAY_S + PANEL_STEP_S * np.arange(len(panel.values), dtype=np.float64)


def _stacked(demand: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    shape = next(iter(demand.values())).shape
    lacking = np.full(shape, np.nan, dtype=np.float32)
    return np.stack([demand.get(name, lacking) for name in RESOURCES], axis=-1)


def _users_behind(demand: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return how many users would need the recorded demand by the formula of its first resource, undisturbed."""
    spec = DemandSpec()
    formulas = {
        "cpu_cores": (spec.cpu_base_cores, spec.cpu_per_user_mcores * 1e-3, spec.cpu_per_pair_mcores * 1e-3),
        "memory_mb": (spec.memory_base_mb, spec.memory_per_user_mb, 0.0),
        "bandwidth_mbps": (0.0, spec.bandwidth_per_user_mbps, spec.bandwidth_per_pair_mbps),
    }
    name = next(name for name in ("cpu_cores", "bandwidth_mbps", "memory_mb") if name in demand)
    base, per_user, per_pair = formulas[name]
    others = spec.area_of_interest_users
    # Beyond those others the formula is a straight line, so that its end is enough.
    counts = [*np.arange(others + 3.0), others + 3.0 + float(demand[name].max()) / per_user]
    needs = [linear_and_pairwise(count, base, per_user, per_pair, others) for count in counts]
    users: NDArray[np.float64] = np.interp(demand[name], needs, counts)
    return users.astype(np.float32)


def _spread(values: NDArray[Any]) -> str:
    known = values[~np.isnan(values)]
    return f" (mean {known.mean():.4g}, at most {known.max():.4g})" if len(known) else ""


def _notes(panel: Panel, replayed: list[str], count: str | None) -> Iterator[str]:
    """Yield what a reader has to know beside what is replayed."""
    if panel.timestamps is None:
        yield f"Without times, its samples are taken {PANEL_STEP_S:g} s apart from a Monday, 00:00 UTC."
    if count is None:
        yield f"Without users, as many are assumed as would need the recorded {replayed[0]} by the default formula."
    computed = [name for name in RESOURCES if name not in replayed]
    if computed and len(computed) < len(RESOURCES):
        yield f"The panel lacks {' and '.join(computed)}, which the formulas compute from the users."
    for name, allocated in ALLOCATED.items():
        if name in replayed and allocated in panel.feature_names:
            near = panel.feature(name) > CENSORED_FROM * panel.feature(allocated)
            if near.any():
                yield f"{name}: {near.mean():.1%} of the samples are near their allocation; demand may have been more."
    if LATENCY_NAME in panel.feature_names:
        yield f"{LATENCY_NAME}{_spread(panel.feature(LATENCY_NAME))} held for the allocation of its time: not replayed."
    left = [name for name in panel.feature_names if name not in (*replayed, LATENCY_NAME)]
    left += [name for name in ("edge_index", "intents") if getattr(panel, name) is not None]
    if left:
        yield f"Not replayed: {', '.join(left)}."
