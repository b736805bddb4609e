"""Images with captions to learn from: which, in a layout that is found by looking.

Three layouts are known:

- PASCAL VOC 2012: the folder ``VOCdevkit`` or the ``VOC2012`` in it; :mod:`.voc`.
- A folder with ``captions_train.json``, ``captions_val.json``, … beside images, or with one ``captions.json``.
- One such file. It holds ``{"image.jpg": "a sentence", "other.jpg": ["one", "another"]}``; paths are relative to it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from metaverse_env.errors import ConfigurationError
from predictors.encoders.image.voc import find_voc, load_voc

_NAMED: Final = 5
"""Missing files that an error names; of more it tells the number."""


@dataclass(frozen=True)
class Captioned:
    """An image and what may be said about it, in at least one sentence."""

    path: Path
    captions: tuple[str, ...]


@dataclass(frozen=True)
class CaptionSet:
    """Images with captions, and where they are from, in words."""

    name: str
    images: tuple[Captioned, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of names and captions."""
        told = [(one.path.name, one.captions) for one in self.images]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:8]

    def spread(self, count: int) -> "CaptionSet":
        """Return at most so many of the images, evenly spread."""
        if len(self) <= count:
            return self
        return CaptionSet(self.name, tuple(self.images[place * len(self) // count] for place in range(count)))


def load_captions(data: Path, split: str) -> CaptionSet:
    """Find out the layout and read it; images are not opened.

    Args:
        data: As in the module's list.
        split: ``train``, ``val`` or another that the data has; of a single set it is not asked.

    Raises:
        ConfigurationError: It is none of the layouts, a file is missing or not as it should be, or it is empty.
    """
    if (single := single_set(data)) is not None:
        return _from_json(single)
    if (root := find_voc(data)) is not None:
        told = load_voc(root, split)
        images = tuple(Captioned(path, (caption,)) for path, caption in told)
        return _whole(f"VOC2012 {split}", images)
    if data.is_dir() and (file := data / f"captions_{split}.json").is_file():
        return _from_json(file)
    raise ConfigurationError(
        f"{data}: no images with captions. Give VOCdevkit (with VOC2012/JPEGImages), a folder with "
        f"captions_{split}.json or captions.json, or a file {{'image.jpg': 'a sentence'}}"
    )


def single_set(data: Path) -> Path | None:
    """Return the file with the captions of data that have no splits, or ``None``."""
    if data.is_file():
        return data
    file = data / "captions.json"
    return file if file.is_file() else None


def _from_json(file: Path) -> CaptionSet:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: cannot be read as JSON: {error}") from error
    if not isinstance(told, Mapping):
        raise ConfigurationError(f"{file}: {{'image.jpg': 'a sentence'}} is needed, not a {type(told).__name__}")
    images = tuple(Captioned(file.parent / name, _captions(file, name, told[name])) for name in told)
    return _whole(file.name, images)


def _captions(file: Path, name: str, given: Any) -> tuple[str, ...]:
    captions = [given] if isinstance(given, str) else given
    if (
        not isinstance(captions, Sequence)
        or not captions
        or not all(isinstance(c, str) and c.strip() for c in captions)
    ):
        raise ConfigurationError(f"{file}: {name!r} needs a sentence or a list of sentences, not {given!r}")
    return tuple(caption.strip() for caption in captions)


def _whole(name: str, images: tuple[Captioned, ...]) -> CaptionSet:
    """Return the set if it holds something and every image is there."""
    if not images:
        raise ConfigurationError(f"{name}: no image with a caption")
    missing = [str(one.path) for one in images if not one.path.is_file()]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise ConfigurationError(f"{name}: {len(missing)} images are missing: {', '.join(missing[:_NAMED])}{more}")
    return CaptionSet(name, images)
