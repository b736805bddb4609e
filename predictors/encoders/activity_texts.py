"""The sentences behind the text bank: read from TOML and checked.

Format::

    [about]
    version = 1
    licence = "Apache-2.0"
    origin = "who wrote the sentences, and from what"

    [activities.social]
    image = ["two people talking", ...]
    speech = ["hello there", ...]
    motion = ["a person waves", ...]

Every list has the same length, so that the bank is one array.
"""

import re
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

from metaverse_env.errors import ConfigurationError

MODALITIES: Final = ("image", "speech", "motion")
SHIPPED_FILE: Final = "activity_texts.toml"

Kind = TypeVar("Kind", int, str)


@dataclass(frozen=True)
class ActivityTexts:
    """Checked sentences about ``K`` activities, ``samples`` for each modality of each."""

    activities: tuple[str, ...]
    samples: int
    sentences: tuple[str, ...]
    """Modality by modality, within it activity by activity: ``3 x K x samples``."""
    version: int
    licence: str
    origin: str

    @property
    def crc32(self) -> int:
        """A checksum of the sentences in order, which tells whether a bank was made from them."""
        return zlib.crc32("\n".join((*self.activities, *self.sentences)).encode())


def load_texts(path: Path | None = None) -> ActivityTexts:
    """Read the shipped sentences, or a file of the user's own.

    >>> load_texts().activities
    ('idle', 'social', 'trade', 'build', 'game', 'concert')

    Raises:
        ConfigurationError: The file cannot be read or breaks the format; says where and what is expected.
    """
    file: Traversable = path or resources.files("predictors.encoders") / SHIPPED_FILE
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"texts {file} cannot be read: {error.strerror}. Give the path of a .toml file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"texts {file} are not TOML in UTF-8: {error}. Correct the file.") from error
    return _checked(str(file), document)


def _checked(file: str, document: Mapping[str, Any]) -> ActivityTexts:
    activities = _table(file, document, "activities")
    lists = [_sentences(file, activities, name, modality) for modality in MODALITIES for name in activities]
    lengths = {len(sentences) for sentences in lists}
    if len(lengths) > 1:
        raise ConfigurationError(
            f"texts {file}: every list needs the same number of sentences, not {min(lengths)} to {max(lengths)}."
        )
    about = _table(file, document, "about")
    return ActivityTexts(
        activities=tuple(activities),
        samples=lengths.pop(),
        sentences=tuple(sentence for sentences in lists for sentence in sentences),
        version=_stated(file, about, "version", int),
        licence=_stated(file, about, "licence", str),
        origin=_stated(file, about, "origin", str),
    )


def _table(file: str, parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = parent.get(name)
    if not isinstance(table, Mapping) or not table:
        raise ConfigurationError(
            f"texts {file}: the table [{name}] is missing or empty. See {__name__} for the format."
        )
    return table


def _sentences(file: str, activities: Mapping[str, Any], activity: str, modality: str) -> list[str]:
    sentences = _table(file, activities, activity).get(modality)
    if not isinstance(sentences, list) or not sentences:
        raise ConfigurationError(f"texts {file}: [activities.{activity}] needs a list of sentences {modality!r}.")
    for sentence in sentences:
        if not isinstance(sentence, str) or not re.search(r"\w", sentence):
            raise ConfigurationError(
                f"texts {file}: {sentence!r} in [activities.{activity}] {modality!r} is no sentence of words."
            )
    return sentences


def _stated(file: str, about: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind:
    value = about.get(key)
    if not isinstance(value, kind) or value == "":
        raise ConfigurationError(f"texts {file}: [about] needs {key!r} of type {kind.__name__}, not {value!r}.")
    return value
