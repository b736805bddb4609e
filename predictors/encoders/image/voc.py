"""PASCAL VOC 2012 [Everingham et al.]: its layout, and captions made of its labels.

::

    VOCdevkit/VOC2012/JPEGImages/2008_000008.jpg
                      Annotations/2008_000008.xml      objects: class, bounding box, flags
                      ImageSets/Main/train.txt         ids, one a line; dog_train.txt adds 1, -1 or 0

VOC has labels, not sentences. A caption names what is labelled and how many: "a photo of two dogs and a car". Objects
flagged as difficult are left out, as VOC's own evaluation leaves them out, unless there is nothing else.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from metaverse_env.errors import ConfigurationError

_WORDS: Final = {"diningtable": "dining table", "pottedplant": "potted plant", "tvmonitor": "tv monitor"}
"""VOC's names that are no words."""
_PLURALS: Final = {"person": "people", "sheep": "sheep", "bus": "buses"}
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MANY: Final = "many"
"""In place of a number above ten [choice]."""
_ID: Final = re.compile(r"[\w-]+")
_MAX_XML_BYTES: Final = 10_000_000
"""Of one annotation [choice]; VOC's largest has 20,000."""


def find_voc(data: Path) -> Path | None:
    """Return the folder with ``JPEGImages``, which is ``data`` or ``VOC2012`` in it, or ``None``."""
    return next((root for root in (data, data / "VOC2012") if (root / "JPEGImages").is_dir()), None)


def load_voc(root: Path, split: str) -> list[tuple[Path, str]]:
    """Return the images of a split in the order of its list, each with its caption.

    Args:
        root: The folder ``VOC2012``.
        split: Such as ``train``, ``val``, ``trainval`` or ``dog_train``; of the last kind, the images that have one.

    Raises:
        ConfigurationError: The split or annotations are missing, or a file is not as it should be.
    """
    ids = _ids(root, split)
    files = [root / "Annotations" / f"{name}.xml" for name in ids]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise ConfigurationError(f"{root}: {len(missing)} annotations are missing, such as {missing[0]}")
    return [
        (root / "JPEGImages" / f"{name}.jpg", caption_of(read_labels(file)))
        for name, file in zip(ids, files, strict=True)
    ]


def caption_of(labels: Sequence[str]) -> str:
    """Say what is on a photo.

    >>> caption_of(["dog", "car", "dog"])
    'a photo of two dogs and a car'
    >>> caption_of(["person", "aeroplane", "sheep", "sheep"])
    'a photo of two sheep, an aeroplane and a person'
    >>> caption_of([])
    'a photo'
    """
    counted = sorted(Counter(labels).items(), key=lambda pair: (-pair[1], pair[0]))
    named = [_counted(label, count) for label, count in counted]
    if not named:
        return "a photo"
    return "a photo of " + (f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0])


def read_labels(file: Path) -> list[str]:
    """Return the class of each object of an annotation, without difficult ones unless all are.

    Raises:
        ConfigurationError: The file is no annotation, is too large, or holds entities.
    """
    try:
        if file.stat().st_size > _MAX_XML_BYTES:
            raise ConfigurationError(f"{file}: larger than {_MAX_XML_BYTES:,} bytes, so no annotation of VOC")
        root: Any = parse(file, forbid_dtd=True)
        objects = [_object(file, one) for one in root.iterfind("object")]
    except (ParseError, DefusedXmlException, OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{file}: no annotation of VOC: {type(error).__name__}: {error}") from error
    clear = [label for label, difficult in objects if not difficult]
    return clear or [label for label, _ in objects]


def _object(file: Path, element: Any) -> tuple[str, bool]:
    label = (element.findtext("name") or "").strip()
    if not label:
        raise ConfigurationError(f"{file}: an object has no name")
    return label, (element.findtext("difficult") or "0").strip() == "1"


def _counted(label: str, count: int) -> str:
    word = _WORDS.get(label, label)
    if count == 1:
        return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
    number = _NUMBERS[count] if count < len(_NUMBERS) else MANY
    return f"{number} {_PLURALS.get(word, word + 's')}"


def _ids(root: Path, split: str) -> list[str]:
    """Return the ids of a split; of a list with flags, those that are flagged 1."""
    folder = root / "ImageSets" / "Main"
    file = folder / f"{split}.txt"
    known = sorted(path.stem for path in folder.glob("*.txt") if "_" not in path.stem)
    if not _ID.fullmatch(split) or not file.is_file():
        raise ConfigurationError(f"{root}: there is no split {split!r} ({file}). Known: {', '.join(known) or 'none'}")
    return list(_listed(file))


def _listed(file: Path) -> Iterator[str]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) > 2 or not _ID.fullmatch(words[0]):
            raise ConfigurationError(f"{file}, line {number}: {line!r} is no id such as 2008_000008")
        if len(words) == 1 or words[1] == "1":
            yield words[0]
