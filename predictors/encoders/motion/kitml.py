"""KIT-ML and HumanML3D on disk, in the layouts that people have; several sentences a motion, missing files told.

========== =======================================================================================================
layout     files
========== =======================================================================================================
zip        ``ID_mmm.xml`` and ``ID_annotations.json`` (a list of sentences), as KIT publishes them
features   ``new_joint_vecs/ID.npy`` (or ``new_joints/ID.npy``) and ``texts/ID.txt``, as HumanML3D arranges both sets
TMR        motions as above, and ``annotations.json`` or ``*_annotations_tmr.json`` (Petrovich et al., ICCV 2023)
========== =======================================================================================================

Splits are ``train.txt``, ``val.txt``, ``test.txt``, in the folder or in ``splits/``. Without them, motions are split by
their numbers; ``M00001`` is the mirror image of ``00001`` and goes with it, and is made of it where it has no file.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from metaverse_env.errors import ConfigurationError, SampleError
from predictors.encoders.motion.reading import read_motion
from predictors.encoders.motion.samples import Labelled
from predictors.encoders.motion.skeleton import Motion, mirrored

Part = Literal["train", "val", "test"]
PARTS: Final = ("train", "val", "test")
_SHARES: Final = (80, 5, 15)
"""Percent of the motions in each part where no file says it: as in the published splits [choice]."""
_MOTIONS: Final = ("new_joint_vecs/{}.npy", "new_joints/{}.npy", "{}_mmm.xml")
"""Where the motion of an id may be, first choice first."""
_PRINTABLE_MB: Final = 64
"""Of the largest file of annotations, MB [choice]; KIT-ML's has 2.5 MB."""


class Caption(NamedTuple):
    """A sentence about a motion, or about a part of it.

    Attributes:
        text: The sentence.
        begin_s: Of the part, s.
        end_s: Of the part, s; 0 is the end of the motion.
    """

    text: str
    begin_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True)
class MotionFolder:
    """A data set on disk.

    Attributes:
        folder: Where.
        captions: Of each id, found in the annotations.
        parts: Ids of each part.
    """

    folder: Path
    captions: Mapping[str, tuple[Caption, ...]]
    parts: Mapping[str, tuple[str, ...]]

    def read(self, part: Part, problems: dict[str, str]) -> Iterator[Labelled]:
        """Yield the motions of a part; what is missing or damaged is entered into ``problems`` by its id."""
        for motion_id in self.parts[part]:
            try:
                yield from self._labelled(motion_id)
            except SampleError as error:
                problems[motion_id] = str(error)

    def counted(self, part: Part) -> str:
        """Say how many motions of a part are there, of how many that are listed: those with sentences and a file."""
        there = sum(1 for one in self.parts[part] if self.captions.get(one) and self._file(one))
        return f"{part} {there:,} of {len(self.parts[part]):,}"

    def _labelled(self, motion_id: str) -> Iterator[Labelled]:
        """Yield a motion with the sentences about all of it, and each part with its own."""
        captions = self.captions.get(motion_id, ())
        if not captions:
            raise SampleError("it has no sentence")
        motion = self._motion(motion_id)
        spans: dict[tuple[float, float], list[str]] = {}
        for caption in captions:
            spans.setdefault((caption.begin_s, caption.end_s), []).append(caption.text)
        for (begin, end), texts in spans.items():
            cut, name = _cut(motion, begin, end, motion_id)
            yield Labelled(name, cut, tuple(dict.fromkeys(texts)), f"motion {_unmirrored(motion_id)}")

    def _motion(self, motion_id: str) -> Motion:
        path = self._file(motion_id)
        if path is None:
            names = ", ".join(name.format(motion_id) for name in _MOTIONS)
            raise SampleError(f"its motion is missing: none of {names}")
        motion = read_motion(path)
        return motion if path == _motion_file(self.folder, motion_id) else mirrored(motion)

    def _file(self, motion_id: str) -> Path | None:
        """Return where a motion is, or the one whose mirror image it is."""
        return _motion_file(self.folder, motion_id) or _motion_file(self.folder, _unmirrored(motion_id))


def open_folder(folder: str | Path) -> MotionFolder:
    """Find out which layout a folder has, and read its sentences and splits.

    Raises:
        ConfigurationError: It has none of the layouts, or an annotation is damaged.
    """
    folder = Path(folder)
    captions = _tmr(folder) or _texts(folder) or _zip(folder)
    if not captions:
        raise ConfigurationError(
            f"{folder} holds no motions with sentences. Known: ID_mmm.xml with ID_annotations.json; "
            "new_joint_vecs/ID.npy with texts/ID.txt; either with annotations.json"
        )
    return MotionFolder(folder, captions, _parts(folder, captions))


def _motion_file(folder: Path, motion_id: str) -> Path | None:
    return next((path for name in _MOTIONS if (path := folder / name.format(motion_id)).is_file()), None)


def _unmirrored(motion_id: str) -> str:
    return motion_id.removeprefix("M")


def _cut(motion: Motion, begin_s: float, end_s: float, motion_id: str) -> tuple[Motion, str]:
    """Return a part of a motion, and its name; the motion itself where the part is all of it."""
    if begin_s <= 0.0 and (end_s <= 0.0 or end_s >= motion.seconds - 1.0 / motion.rate_hz):
        return motion, motion_id
    last = len(motion.positions) if end_s <= 0.0 else round(end_s * motion.rate_hz)
    part = motion.positions[round(begin_s * motion.rate_hz) : last]
    return replace(motion, positions=part), f"{motion_id}@{begin_s:g}"


def _parts(folder: Path, captions: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Read the splits, or make them."""
    places = ((part, where / f"{part}.txt") for part in PARTS for where in (folder / "splits", folder))
    files = {part: path for part, path in places if path.is_file()}
    if not files:
        return {part: tuple(one for one in captions if _part_of(one) == part) for part in PARTS}
    listed = {part: tuple(dict.fromkeys(path.read_text(encoding="utf-8").split())) for part, path in files.items()}
    return {part: listed.get(part, ()) for part in PARTS}


def _part_of(motion_id: str) -> str:
    """Return the part of a motion by its number, the same for its mirror image."""
    drawn = zlib.crc32(_unmirrored(motion_id).encode()) % 100
    return PARTS[0] if drawn < _SHARES[0] else PARTS[1] if drawn < _SHARES[0] + _SHARES[1] else PARTS[2]


def _tmr(folder: Path) -> dict[str, tuple[Caption, ...]]:
    """Read ``annotations.json`` of TMR."""
    paths = [*folder.glob("annotations.json"), *sorted(folder.glob("*_annotations_tmr.json"))]
    if not paths:
        return {}
    document = _json(paths[0])
    try:
        return {
            str(motion_id): tuple(
                Caption(str(one["text"]), float(one.get("start", 0.0)), float(one.get("end", 0.0)))
                for one in entry["annotations"]
            )
            for motion_id, entry in document.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{paths[0]} is not as TMR writes annotations: {error!r}") from error


def _texts(folder: Path) -> dict[str, tuple[Caption, ...]]:
    """Read ``texts/ID.txt``: lines of sentence # words with their kinds # begin # end."""
    paths = sorted((folder / "texts").glob("*.txt"))
    return {path.stem: tuple(_line(line, path) for line in _lines(path)) for path in paths}


def _lines(path: Path) -> Sequence[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _line(line: str, path: Path) -> Caption:
    fields = line.split("#")
    try:
        begin, end = (float(field) if field.strip() != "nan" else 0.0 for field in (fields[2:4] or ["0", "0"]))
    except ValueError as error:
        raise ConfigurationError(f"{path}: {line[:60]!r} is not 'sentence#words#begin#end': {error}") from error
    return Caption(fields[0].strip(), begin, end)


def _zip(folder: Path) -> dict[str, tuple[Caption, ...]]:
    """Read ``ID_annotations.json``, lists of sentences; of motions that nobody described, nothing."""
    found = {}
    for path in sorted(folder.glob("*_annotations.json")):
        sentences = _json(path)
        if not isinstance(sentences, list) or not all(isinstance(sentence, str) for sentence in sentences):
            raise ConfigurationError(f"{path} is no list of sentences")
        found[path.name.removesuffix("_annotations.json")] = tuple(Caption(sentence) for sentence in sentences)
    return found


def _json(path: Path) -> Any:
    size_mb = path.stat().st_size / 1e6
    if size_mb > _PRINTABLE_MB:
        raise ConfigurationError(f"{path} has {size_mb:.0f} MB; annotations of at most {_PRINTABLE_MB} MB are read")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no JSON: {error}") from error
