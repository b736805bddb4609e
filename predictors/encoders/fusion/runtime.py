"""The fusion at work: one projection a modality, and the mean over all signals that are there. NumPy alone.

A signal (an image, an utterance, a motion) of modality ``m`` with embedding ``x`` becomes ``W2 tanh(W1 (x - mean) /
scale + b1) + b2``, 32 numbers whatever the modality; the intent of a zone is the mean over its signals. So a modality
that is missing is left out and not replaced, a signal that says little is short and moves little, and the mean that a
simulated world takes over a bank of such vectors *is* the fusion.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from metaverse_env.contracts import Encoded, Encoder
from metaverse_env.errors import CheckpointError, ConfigurationError
from predictors.encoders.training.layout import MODEL

Array = np.ndarray

NAME: Final = "fusion"
"""Of the files in the folder of weights, without suffix."""
WEIGHTS: Final = Path(__file__).parents[2] / "weights"
SHIPPED: Final = WEIGHTS / "fusion_efficientnet_moonshine_kan"
"""The shipped fusion: path without suffix."""
PARTS: Final = ("mean", "scale", "inner.weight", "inner.bias", "outer.weight", "outer.bias")


class Maker(NamedTuple):
    """Who made the embeddings of a modality."""

    backend: str
    version: str
    dimension: int


@dataclass(frozen=True)
class FusionCard:
    """What a fusion is.

    Attributes:
        makers: The encoders that it reads, by modality.
        activities: That its head tells apart.
        dimension: Length of an intent.
        aligned_with: Name of the bank whose activities it was made to agree with, or empty: networks that read that
            bank read its intents.
        command: What trained it.
        data: What it learnt from, in words.
        seed: Of the training.
        metrics: Figures on held-out samples and worlds.
        digest: SHA-256 of the weights.
    """

    makers: Mapping[str, Maker]
    activities: tuple[str, ...]
    dimension: int
    aligned_with: str = ""
    command: str = ""
    data: str = ""
    seed: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


class ZoneSummary(NamedTuple):
    """What a zone says of itself, as ``POST /predict`` takes it: its name, its users, its intent if it has one."""

    zone: str
    users: float
    embedding: Array | None

    def as_report(self) -> dict[str, Any]:
        """Return the body of ``POST /predict``; without an intent it is left out."""
        report: dict[str, Any] = {"zone_name": self.zone, "active_users": self.users}
        return report if self.embedding is None else {**report, "embedding": [float(x) for x in self.embedding]}


class Fusion:
    """Embeddings to intents.

    Args:
        stem: Path without suffix, of a ``.safetensors`` and a ``.json``, or the folder of a run of ``metaverse train
            fusion``; by default the shipped one.

    Raises:
        CheckpointError: A file is missing, damaged, or does not fit the other.
    """

    def __init__(self, stem: str | Path = SHIPPED) -> None:
        stem = _stem_of(Path(stem).expanduser())
        self.card = read_card(stem)
        self._tensors = _read_tensors(stem.with_suffix(".safetensors"), self.card)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Which modalities it reads."""
        return tuple(self.card.makers)

    def check(self, encoders: Mapping[str, Encoder]) -> None:
        """Refuse encoders that it was not made for.

        Raises:
            ConfigurationError: One is of another name, version or dimension; says how to train a fusion for it.
        """
        for modality, encoder in encoders.items():
            found = Maker(encoder.backend, encoder.version, encoder.dimension)
            needed = self.card.makers.get(modality)
            if found != needed:
                raise ConfigurationError(
                    f"the fusion reads {modality} of {_words(needed)}, not of {_words(found)}; "
                    "train one for these encoders: metaverse train fusion"
                )

    def vectors(self, modality: str, embeddings: Array) -> Array:
        """Return what single signals are worth, ``float32 [..., dimension]``, of embeddings ``[..., d]``.

        Raises:
            ConfigurationError: It does not read the modality, or embeddings of this length.
        """
        maker = self.card.makers.get(modality)
        if maker is None or embeddings.shape[-1] != maker.dimension:
            raise ConfigurationError(
                f"the fusion reads {', '.join(f'{m} of {k.dimension} numbers' for m, k in self.card.makers.items())}, "
                f"not {modality} of {embeddings.shape[-1]}"
            )
        mean, scale, inner, inner_bias, outer, outer_bias = (self._tensors[f"{modality}.{part}"] for part in PARTS)
        hidden = np.tanh((embeddings - mean) / scale @ inner.T + inner_bias)
        found: Array = (hidden @ outer.T + outer_bias).astype(np.float32)
        return found

    def fuse(self, embeddings: Mapping[str, Array], masks: Mapping[str, Array] | None = None) -> tuple[Array, Array]:
        """Fuse all signals of each zone, however many of each modality.

        Args:
            embeddings: By modality ``[..., signals, d]``, such as ``[W, Z, signals, d]``; what is masked may be NaN.
            masks: By modality ``bool [..., signals]``, which signals are there; all of a modality that is not named.

        Returns:
            ``float32 [..., dimension]``, zeros where a zone has no signal, and ``bool [...]``, where it has one.

        Raises:
            ConfigurationError: No modality is given, a shape does not fit, or an unmasked number is not finite.
        """
        if not embeddings:
            raise ConfigurationError(f"nothing to fuse; give one of {', '.join(self.modalities)}")
        total, count = np.zeros(self.card.dimension), np.zeros(1)
        for modality, given in embeddings.items():
            there = np.ones(given.shape[:-1], dtype=bool) if masks is None or modality not in masks else masks[modality]
            if there.shape != given.shape[:-1]:
                raise ConfigurationError(f"mask of {modality} has shape {there.shape}, its signals {given.shape[:-1]}")
            if not np.isfinite(given[there]).all():
                raise ConfigurationError(f"{modality}: an embedding that is not masked is not finite; mask it")
            seen = self.vectors(modality, np.where(there[..., None], given, 0.0)) * there[..., None]
            total = total + seen.sum(axis=-2)
            count = count + there.sum(axis=-1)[..., None]
        intents = np.where(count > 0, total / np.maximum(count, 1), 0.0).astype(np.float32)
        return intents, count[..., 0] > 0

    def fuse_encoded(self, encoded: Sequence[Encoded]) -> tuple[Array, bool]:
        """Fuse what encoders made of the signals of one zone; samples that were refused do not count."""
        masks = {one.modality: one.mask for one in encoded}
        intent, there = self.fuse({one.modality: one.embeddings for one in encoded}, masks)
        return intent, bool(there)

    def activity(self, intents: Array) -> Array:
        """Return the probabilities ``[..., activities]`` of what users now do, given intents ``[..., dimension]``."""
        scores = intents @ self._tensors["now.weight"].T + self._tensors["now.bias"]
        odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
        found: Array = odds / odds.sum(axis=-1, keepdims=True)
        return found


def _stem_of(place: Path) -> Path:
    """Return the path without suffix that a file, a stem, or a folder with a fusion in it means."""
    if place.suffix in (".safetensors", ".json"):
        return place.with_suffix("")
    inside = (place / NAME, place / MODEL / NAME)
    return next((stem for stem in inside if stem.with_name(f"{NAME}.json").is_file()), place)


def read_card(stem: Path) -> FusionCard:
    """Read ``stem.json``.

    Raises:
        CheckpointError: It is missing or no card of a fusion.
    """
    path = stem.with_name(f"{stem.name}.json")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["makers"] = {name: Maker(*maker) for name, maker in raw["makers"].items()}
        return FusionCard(
            **{**{one.name: raw[one.name] for one in fields(FusionCard)}, "activities": tuple(raw["activities"])}
        )
    except OSError as error:
        raise CheckpointError(f"no fusion {path}: {error.strerror}; it is a .safetensors and a .json") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not the card of a fusion ({error!r}); train it again") from error


def write_card(card: FusionCard, stem: Path) -> None:
    """Write ``stem.json`` beside the weights, with their digest."""
    digest = hashlib.sha256(stem.with_name(f"{stem.name}.safetensors").read_bytes()).hexdigest()
    written = {**asdict(card), "makers": {name: list(maker) for name, maker in card.makers.items()}, "digest": digest}
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _read_tensors(path: Path, card: FusionCard) -> dict[str, Array]:
    try:
        content = path.read_bytes()
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"no weights of a fusion in {path}: {error}") from error
    if hashlib.sha256(content).hexdigest() != card.digest:
        raise CheckpointError(f"{path} is damaged, or not what its card describes: the SHA-256 differs; get it again")
    needed = {f"{modality}.{part}" for modality in card.makers for part in PARTS} | {"now.weight", "now.bias"}
    if missing := needed - set(tensors):
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}; train the fusion again")
    return tensors


def _words(maker: Maker | None) -> str:
    return "none" if maker is None else f"{maker.backend} {maker.version} ({maker.dimension} numbers)"
