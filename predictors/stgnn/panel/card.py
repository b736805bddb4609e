"""The card of a panel's forecaster: what it reads, in which order and unit, and how values become levels.

The forecaster is three files of one stem: ``.onnx`` is what runs, ``.safetensors`` its weights in torch, ``.json`` this
card. Features are plain columns, so a panel with another order would be forecast and be wrong: it is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.errors import CheckpointError
from metaverse_env.panels import Panel
from metaverse_env.units import QUANTILES
from predictors.forecasting.scaling import Scaling
from predictors.forecasting.series import Series

KIND: Final = "panel forecaster"
UNITS: Final = {
    "cores": "cores", "mb": "MB", "mbps": "Mbps", "ms": "ms", "s": "s", "bps": "B/s", "m": "millicores", "mi": "MiB",
    "pct": "%",
}  # fmt: skip
"""By the last word of a feature's name."""
_STEP_TOLERANCE: Final = 0.01


@dataclass(frozen=True)
class PanelCard:
    """What a forecaster is.

    Attributes:
        features: Names of the features, in order.
        units: Of the features, where their names carry one.
        zones: Names of the zones that it learnt from, in order.
        step_s: Spacing of times, s; ``None`` if it learnt from a panel without.
        lags: Ticks that are looked back, the present one included.
        horizons: Ticks ahead.
        seasons: Periods that are looked up, ticks.
        profile_ticks: Period of the mean season that the network holds; 0 if it holds none.
        start_s: Unix time of the first tick that it learnt from; the mean season begins there.
        intents: Width of the intents; 0 if it reads none.
        graph: Along what zones hear each other.
        logarithmic: Of each feature: whether it is scaled by its logarithm.
        offset: ``[N][F]``; as ``centre`` and ``deviation``: see :class:`~predictors.forecasting.scaling.Scaling`.
        centre: …
        deviation: …
        quantiles: That are forecast.
        kind: Always the same.
        source: Panel that it learnt from.
        command: What trained it.
        seed: Of the training.
        metrics: Figures on the test part.
        digests: SHA-256 of the files beside the card, by suffix.
    """

    features: tuple[str, ...]
    units: tuple[str | None, ...]
    zones: tuple[str, ...]
    step_s: float | None
    lags: int
    horizons: tuple[int, ...]
    seasons: tuple[int, ...]
    profile_ticks: int
    start_s: float
    intents: int
    graph: str
    logarithmic: tuple[bool, ...]
    offset: tuple[tuple[float, ...], ...]
    centre: tuple[tuple[float, ...], ...]
    deviation: tuple[tuple[float, ...], ...]
    quantiles: tuple[float, ...] = QUANTILES
    kind: str = KIND
    source: str = ""
    command: str = ""
    seed: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def scaling(self) -> Scaling:
        """The scaling of the zones that it learnt from."""
        parts = (np.array(part, dtype=np.float32) for part in (self.offset, self.centre, self.deviation))
        return Scaling(np.array(self.logarithmic), *parts)

    def check(self, series: Series) -> None:
        """Refuse a panel that the network cannot read.

        Raises:
            CheckpointError: Other features, another order, another step, no times, no intents or no graph.
        """
        panel = series.panel
        for fault in (self._features_fault(panel), self._step_fault(series), self._inputs_fault(panel)):
            if fault:
                raise CheckpointError(f"panel {panel.source}: {fault}")

    def _features_fault(self, panel: Panel) -> str | None:
        ours, theirs = self.features, panel.feature_names
        if ours == theirs:
            return None
        if sorted(ours) == sorted(theirs):
            return f"features are in the order {', '.join(theirs)}; the network reads {', '.join(ours)}. Reorder them"
        return f"features are {', '.join(theirs)}; the network reads {', '.join(ours)}. Give exactly these"

    def _step_fault(self, series: Series) -> str | None:
        if self.step_s is None:
            return None
        if series.step_s is None:
            return f"it has no two times; the network was trained on times every {self.step_s:g} s. Add timestamps"
        if abs(series.step_s / self.step_s - 1.0) > _STEP_TOLERANCE:
            return f"times are {series.step_s:g} s apart; the network was trained on {self.step_s:g} s. Resample it"
        return None

    def _inputs_fault(self, panel: Panel) -> str | None:
        width = 0 if panel.intents is None else panel.intents.shape[2]
        if self.intents and width != self.intents:
            return f"intents are of width {width}; the network reads {self.intents}. Give them, NaN where unknown"
        if self.graph == "given" and panel.edge_index is None:
            return "it has no edges, along which the network's zones hear each other. Add edge_index"
        return None


def unit_of(feature: str) -> str | None:
    """Return the unit that a feature's name ends in, or ``None``.

    >>> unit_of("memory_mb"), unit_of("rx_Bps"), unit_of("srv_lat_p95_s"), unit_of("users")
    ('MB', 'B/s', 's', None)
    """
    words = re.split(r"_", feature.lower())
    return UNITS.get(words[-1]) if len(words) > 1 else None


def write_card(card: PanelCard, stem: Path) -> None:
    """Write ``stem.json``, with the digests of the files that stand beside it."""
    digests = {suffix: _digest(stem.with_suffix(suffix)) for suffix in (".onnx", ".safetensors")}
    stem.with_suffix(".json").write_text(json.dumps(asdict(card) | {"digests": digests}, indent=1) + "\n", "utf-8")


def read_card(stem: Path) -> PanelCard:
    """Read ``stem.json`` and check the digest of ``stem.onnx``.

    Raises:
        CheckpointError: A file is missing or damaged, or it is no forecaster of panels.
    """
    path, network = stem.with_suffix(".json"), stem.with_suffix(".onnx")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        card = PanelCard(**{item.name: _frozen(raw[item.name]) for item in fields(PanelCard)})
    except OSError as error:
        raise CheckpointError(f"no card {path}: {error.strerror}; a network is .onnx, .safetensors, .json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is not the card of a panel's forecaster ({error!r}); "
            "train one with 'metaverse train predictor --data'"
        ) from error
    if card.kind != KIND or card.quantiles != QUANTILES:
        raise CheckpointError(
            f"{path}: kind {card.kind!r} and quantiles {card.quantiles} are not those of this version"
        )
    if not network.is_file():
        raise CheckpointError(f"no network {network} beside its card")
    if card.digests.get(".onnx") != _digest(network):
        raise CheckpointError(f"{network} is damaged, or not the one its card describes: the SHA-256 differs")
    return card


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
