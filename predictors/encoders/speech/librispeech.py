"""Transcribed speech in LibriSpeech's layout [1].

``train-clean-100/SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac`` and, beside them, ``SPEAKER-CHAPTER.trans.txt`` with
a line ``SPEAKER-CHAPTER-UTTERANCE TEXT`` for each. Small sets in the form of CMU Sphinx are read too: a folder with a
file ``transcription`` whose lines are ``<s> text </s> (NAME)``, and NAME.wav beside it.

[1] Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books", ICASSP 2015.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from metaverse_env.errors import ConfigurationError

AUDIO: Final = (".flac", ".wav")
"""LibriSpeech has FLAC only; recordings of one's own in its layout may be WAV."""
_TRANSCRIPTS: Final = "*.trans.txt"
_SPHINX: Final = "transcription"
_SPHINX_LINE: Final = re.compile(r"<s>\s*(.+?)\s*</s>\s*\((\S+)\)")
_SHOWN: Final = 3
"""Names that a message gives of many."""


class Utterance(NamedTuple):
    """What somebody said, and the recording of it."""

    name: str
    audio: Path
    text: str

    @property
    def speaker(self) -> str:
        """Who said it: the first part of the name."""
        return self.name.partition("-")[0]


def read_utterances(folder: str | Path) -> list[Utterance]:
    """Read transcribed speech, in whichever of the two forms it is; which there are, not their sound.

    Raises:
        ConfigurationError: It is in neither, or something is missing in it.
    """
    root = Path(folder).expanduser()
    return _read_sphinx(root) if (root / _SPHINX).is_file() else read_librispeech(root)


def read_librispeech(folder: str | Path) -> list[Utterance]:
    """Read a part of LibriSpeech, or recordings in its layout.

    Args:
        folder: Of one part, such as ``LibriSpeech/train-clean-100``.

    Returns:
        Utterances, by name.

    Raises:
        ConfigurationError: There are none; or a transcript has no recording, a recording no transcript, a name comes
            twice, or a line is no transcript. The message names them.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise ConfigurationError(
            f"{root}: there is no such folder; unpack a part of LibriSpeech, such as train-clean-100"
        )
    utterances = [each for path in sorted(root.glob(f"*/*/{_TRANSCRIPTS}")) for each in _chapter(path)]
    if not utterances:
        raise ConfigurationError(f"{root}: no SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt in it{_parts(root)}")
    names = Counter(each.name for each in utterances)
    _refuse(root, "come twice in transcripts", [name for name, count in names.items() if count > 1])
    found = {path.stem for suffix in AUDIO for path in root.glob(f"*/*/*{suffix}")}
    _refuse(root, "are in no .trans.txt", found - names.keys())
    return sorted(utterances)


def spread(utterances: Sequence[Utterance], most: int) -> list[Utterance]:
    """Return at most so many, evenly spread.

    >>> [each.name for each in spread([Utterance(str(n), Path(), "") for n in range(10)], 4)]
    ['0', '2', '5', '7']
    """
    count = min(most, len(utterances))
    return [utterances[place * len(utterances) // count] for place in range(count)]


def held_out_speakers(utterances: Sequence[Utterance], share: float = 0.1) -> tuple[list[Utterance], list[Utterance]]:
    """Split by speakers, so that nobody who is learnt from is judged by.

    Args:
        utterances: Of at least two speakers.
        share: Of the speakers, the last by name, are held out; at least one.

    Returns:
        What to learn from, and what to judge by.

    Raises:
        ConfigurationError: There is one speaker only.
    """
    speakers = sorted({each.speaker for each in utterances})
    if len(speakers) < 2:
        raise ConfigurationError(
            f"all {len(utterances)} utterances are of speaker {speakers[0]}; name others to judge by with --validation"
        )
    held = set(speakers[-max(1, round(share * len(speakers))) :])
    kept = [each for each in utterances if each.speaker not in held]
    return kept, [each for each in utterances if each.speaker in held]


def _read_sphinx(root: Path) -> list[Utterance]:
    utterances: list[Utterance] = []
    lacking: list[Utterance] = []
    for number, line in enumerate(_lines(root / _SPHINX), 1):
        found = _SPHINX_LINE.fullmatch(line.strip())
        if not found:
            raise ConfigurationError(f"{root / _SPHINX}, line {number}: {line[:60]!r} is not '<s> text </s> (NAME)'")
        audio = root / f"{found[2]}.wav"
        (utterances if audio.is_file() else lacking).append(Utterance(found[2], audio, found[1]))
    _refuse(root, "have a transcript and no recording (.wav)", [each.name for each in lacking])
    return utterances


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: it cannot be read as UTF-8 text: {error}") from error


def _chapter(path: Path) -> list[Utterance]:
    """Read the transcripts of a chapter, and find their recordings."""
    utterances, lacking = [], []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        if not text.strip() or not name.startswith(path.name.removesuffix(".trans.txt") + "-"):
            raise ConfigurationError(
                f"{path}, line {number}: {line[:60]!r} is no transcript; expected {path.parent.parent.name}-"
                f"{path.parent.name}-NUMBER TEXT"
            )
        audio = next((path.parent / f"{name}{end}" for end in AUDIO if (path.parent / f"{name}{end}").is_file()), None)
        if audio is None:
            lacking.append(name)
        else:
            utterances.append(Utterance(name, audio, text.strip()))
    _refuse(path, "have a transcript and no recording (.flac)", lacking)
    return utterances


def _parts(root: Path) -> str:
    """Name the folders below that would do."""
    parts = sorted(path.name for path in root.iterdir() if path.is_dir() and any(path.glob(f"*/*/{_TRANSCRIPTS}")))
    return f"; it holds the parts {', '.join(parts)}: name one of them" if parts else ""


def _refuse(where: Path, what: str, names: Iterable[str]) -> None:
    bad = sorted(names)
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise ConfigurationError(
            f"{where}: {', '.join(bad[:_SHOWN])}{more} {what}. Unpack the archive again, or take them out"
        )
