"""The card of a network: what its numbers mean, how it was made and how good it is. Weights are never read without it.

A network is three files of one stem: ``.onnx`` is what runs, ``.safetensors`` what training goes on from, ``.json`` the
card. Features are plain columns, so a network with another order would run and be wrong; the card is compared in full.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from metaverse_env.errors import CheckpointError
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import TICKS
from metaverse_env.units import QUANTILES, RESOURCE_UNITS, TARGETS
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES, LAGS
from predictors.stgnn.features import EMBEDDING, FORECAST_FEATURES

Kind = Literal["forecaster", "dynamics"]

WEIGHTS: Final = Path(__file__).parents[1] / "weights"
"""The shipped networks."""

_CONTRACT: Final = ("kind", "features", "targets", "units", "quantiles", "window", "horizon", "embedding")


@dataclass(frozen=True)
class Card:
    """What a network is.

    Attributes:
        kind: ``"forecaster"`` or ``"dynamics"``.
        features: Names of the input's columns, in order.
        targets: Names of the outputs, in order.
        units: Of the targets.
        quantiles: That are predicted; empty for samples.
        window: Ticks that are looked back.
        horizon: Ticks that are looked ahead.
        embedding: Width of the intents.
        command: What trained it.
        seed: Of the training.
        residual_keep: How deviations last, per target; of a dynamics. Each is the share of the quick part of their
            variance, the correlation from tick to tick of the quick and of the slow part, and their size together in
            standard deviations as the network foretells them.
        metrics: Figures on held-out seeds.
        digests: SHA-256 of the files beside the card, by suffix.
    """

    kind: Kind
    features: tuple[str, ...]
    targets: tuple[str, ...]
    units: tuple[str, ...]
    quantiles: tuple[float, ...]
    window: int
    horizon: int
    embedding: int
    command: str = ""
    seed: int = 0
    residual_keep: tuple[tuple[float, ...], ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def blank_card(kind: Kind, **more: Any) -> Card:
    """Return the card that a network of this kind must have; ``more`` says how it was made."""
    forecasts = kind == "forecaster"
    return Card(
        kind=kind,
        features=FORECAST_FEATURES if forecasts else DYNAMICS_FEATURES,
        targets=TARGETS,
        units=(*RESOURCE_UNITS, "ms"),
        quantiles=QUANTILES if forecasts else (),
        window=TICKS if forecasts else LAGS,
        horizon=HORIZON if forecasts else 1,
        embedding=EMBEDDING,
        **more,
    )


def write_card(card: Card, stem: Path) -> None:
    """Write ``stem.json``, with the digests of the files that stand beside it."""
    digests = {suffix: _digest(stem.with_suffix(suffix)) for suffix in (".onnx", ".safetensors")}
    stem.with_suffix(".json").write_text(json.dumps(asdict(card) | {"digests": digests}, indent=1) + "\n", "utf-8")


def read_card(stem: Path, kind: Kind) -> Card:
    """Read and check ``stem.json`` and the digest of ``stem.onnx``.

    Raises:
        CheckpointError: A file is missing or damaged, or the network is not what this version expects.
    """
    path = stem.with_suffix(".json")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        card = Card(**{item.name: _frozen(raw[item.name]) for item in fields(Card)})
    except OSError as error:
        raise CheckpointError(
            f"no card {path}: {error.strerror}; a network is .onnx, .safetensors and .json"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not the card of a network ({error!r}); train it again") from error
    _check_contract(card, blank_card(kind), path)
    _check_digest(card, stem.with_suffix(".onnx"))
    return card


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _check_contract(card: Card, expected: Card, path: Path) -> None:
    for name in _CONTRACT:
        found, needed = getattr(card, name), getattr(expected, name)
        if found != needed:
            difference = _first_difference(found, needed)
            raise CheckpointError(f"{path}: {name} {difference}; train it again with 'metaverse train predictor'")


def _first_difference(found: Any, needed: Any) -> str:
    """Say where two values differ; of two sequences, the first entry that does."""
    if isinstance(found, tuple) and isinstance(needed, tuple) and len(found) == len(needed):
        place = next(index for index, pair in enumerate(zip(found, needed, strict=True)) if pair[0] != pair[1])
        return f"has {found[place]!r} at place {place} where {needed[place]!r} is needed"
    if isinstance(found, tuple) and isinstance(needed, tuple):
        return f"has {len(found)} entries where {len(needed)} are needed"
    return f"is {found!r} and must be {needed!r}"


def _check_digest(card: Card, path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(f"no network {path} beside its card")
    if card.digests.get(path.suffix) != _digest(path):
        raise CheckpointError(
            f"{path} is damaged, or not the one its card describes: the SHA-256 differs; get it again"
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
