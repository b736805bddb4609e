"""``metaverse encode evaluate``: figures and their intervals, one row each, from the modules of each modality."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import typer
from rich.table import Table

from metaverse_env.contracts import Encoded, Encoder
from metaverse_env.errors import ConfigurationError, SampleError, UnknownNameError
from metaverse_env.terminal import console, show
from predictors.encoders.encoding.asking import load_needed, needed_encoders
from predictors.forecasting.progress import Report, phases

_CHUNK: Final = 32
_BY_HEART: Final = "=tiny"
"""How the names of encoders end that know the few samples that they learnt from by heart."""


class Figure(NamedTuple):
    """One line of the table; ``low`` and ``high`` are a 95 % interval over samples or their sources.

    Attributes:
        chance: What guessing would give, where that is known.
        learnt: Of how many of the samples the encoder's card says that it learnt from them; ``None`` where no card says
            what was learnt from.
    """

    modality: str
    data: str
    encoder: str
    figure: str
    value: float
    low: float | None
    high: float | None
    chance: float | None
    samples: int
    refused: int
    learnt: int | None = None


class Motions(NamedTuple):
    """Labelled motions of a data set, and why others were left out, by their ids."""

    name: str
    samples: Sequence[Any]
    problems: Mapping[str, str]


def run(
    *,
    images: Path | None,
    speech: Path | None,
    motion: Path | None,
    encoders: str,
    split: str,
    limit: int | None,
    batch_size: int,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Judge encoders; see :func:`predictors.encoders.commands.evaluate`."""
    asked = {name: path for name, path in (("image", images), ("speech", speech), ("motion", motion)) if path}
    if not asked:
        raise ConfigurationError("no data set; give --images, --speech, --motion, or some of them")
    for path in asked.values():
        if not path.exists():
            raise ConfigurationError(f"{path}: there is no such file or folder")
    named = needed_encoders(encoders, asked, each=True)
    data = {modality: JUDGES[modality].read(path, split, limit) for modality, path in asked.items()}
    rows: list[Figure] = []
    with phases() as steps:
        with steps.phase("loading encoders"):
            loaded = load_needed(named, asked, None, batch_size=batch_size, device=device)
        for modality, path in asked.items():
            with steps.phase(f"judging {loaded[modality].backend} on {path.name}") as report:
                rows += JUDGES[modality].judge(loaded[modality], data[modality], seed, report)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows]))
    else:
        for table in _tables(rows):
            show(console(), table)
    for note in notes(named, rows):
        typer.echo(f"note: {note}", err=True)


def notes(named: str, rows: Sequence[Figure]) -> Iterator[str]:
    """Say which figures are of samples that an encoder learnt from, as far as that is known."""
    for part in named.split("+"):
        if part.strip().endswith(_BY_HEART):
            yield f"{part.strip()} knows its few samples by heart; its figures on them say nothing about others"
    learnt = {(row.data, row.encoder, row.learnt, row.samples) for row in rows if row.learnt}
    for data, encoder, count, samples in sorted(learnt):
        yield (
            f"{encoder} learnt from {count} of the {samples} samples of {data}, as its card says; figures of what was "
            "learnt flatter"
        )


def read_images(path: Path, split: str, limit: int | None) -> Any:
    """Return images with captions."""
    from predictors.encoders.image.captions import load_captions  # noqa: PLC0415  # each modality has its own packages

    known = load_captions(path, split)
    return known if limit is None else known.spread(limit)


def judge_images(encoder: Encoder, known: Any, seed: int, report: Report) -> Iterator[Figure]:
    """Yield BLEU and ROUGE-L of captions; images that are refused are left out and counted."""
    from predictors.encoders.image.evaluation import evaluate_captions  # noqa: PLC0415

    chosen = known.images
    encoded = _encode(encoder, [one.path for one in chosen], report)
    there = [place for place in range(len(chosen)) if place not in encoded.problems]
    found = evaluate_captions(
        [chosen[place].captions for place in there], [encoded.texts[place] for place in there], seed=seed
    )
    about = "image", known.name, _name(encoder)
    for row in found:
        interval = row["value"], row["low"], row["high"]
        yield Figure(*about, row["figure"], *interval, None, len(there), len(encoded.problems))


def read_speech(path: Path, split: str, limit: int | None) -> Any:
    """Return the name of the data and its utterances."""
    from predictors.encoders.speech.librispeech import read_utterances, spread  # noqa: PLC0415

    known = read_utterances(path)
    return path.name, known if limit is None else spread(known, limit)


def judge_speech(encoder: Encoder, known: Any, seed: int, report: Report) -> Iterator[Figure]:
    """Yield word and character error rates, percent; of a recording that is refused all words are wrong."""
    from predictors.encoders.speech.evaluation import judge  # noqa: PLC0415

    name, utterances = known
    encoded = _encode(encoder, [one.audio for one in utterances], report)
    found = judge([one.text for one in utterances], encoded.texts, [one.name for one in utterances], seed=seed)
    about = "speech", name, _name(encoder)
    for figure, rate in (("word error rate, %", found.wer), ("character error rate, %", found.cer)):
        numbers = 100.0 * rate.value, 100.0 * rate.low, 100.0 * rate.high
        yield Figure(*about, figure, *numbers, None, len(utterances), len(encoded.problems))


def read_motions(path: Path, split: str, limit: int | None) -> Motions:
    """Return motions with captions.

    Raises:
        UnknownNameError: There is no such split.
        ConfigurationError: None of the split's motions is there; says what is.
    """
    from predictors.encoders.motion.clips import PREFIX, read_clips  # noqa: PLC0415
    from predictors.encoders.motion.kitml import PARTS, open_folder  # noqa: PLC0415

    if split not in PARTS:
        raise UnknownNameError("split of motions", split, PARTS)
    if path.is_dir() and any(path.glob(f"{PREFIX}*.txt")):
        return Motions(path.name, read_clips(path)[:limit], {})
    problems: dict[str, str] = {}
    folder = open_folder(path)
    samples = list(folder.read(cast(Any, split), problems))
    if not samples:
        there = ", ".join(folder.counted(part) for part in PARTS)
        raise ConfigurationError(
            f"{path}: no motion of split {split!r} could be read; files are there of {there}. Name another with "
            "--split, or add its files"
        )
    return Motions(path.name, samples[:limit], problems)


def judge_motions(encoder: Any, known: Motions, seed: int, report: Report) -> Iterator[Figure]:
    """Yield R-precision in percent and the median rank, among 32 sentences and among all."""
    from predictors.encoders.motion.judging import evaluate  # noqa: PLC0415
    from predictors.encoders.motion.weights import LEARNT_FROM  # noqa: PLC0415

    report(0.1, f"{len(known.samples)} motions")
    learnt_from = encoder.card.get(LEARNT_FROM)
    learnt = None if learnt_from is None else sum(one.source in learnt_from for one in known.samples)
    about = "motion", known.name, _name(encoder)
    for row in evaluate(encoder, known.samples, seed):
        counted = row["motions"], len(known.problems)
        for place, depth in enumerate((1, 2, 3)):
            value, low, high, chance = (100.0 * row[key][place] for key in ("r_precision", "low", "high", "chance"))
            ends: tuple[float | None, float | None] = (low, high) if row["sources"] > 1 else (None, None)
            figure = f"R-precision@{depth}, %, {row['protocol']}"
            yield Figure(*about, figure, value, *ends, chance, *counted, learnt=learnt)
        figure, rank = f"median rank, {row['protocol']}", row["median_rank"]
        yield Figure(*about, figure, rank, None, None, None, *counted, learnt=learnt)


class Judge(NamedTuple):
    """How a modality is judged: data are read before encoders are loaded."""

    read: Callable[[Path, str, int | None], Any]
    judge: Callable[[Any, Any, int, Report], Iterator[Figure]]


JUDGES: Final[Mapping[str, Judge]] = {
    "image": Judge(read_images, judge_images),
    "speech": Judge(read_speech, judge_speech),
    "motion": Judge(read_motions, judge_motions),
}


def _encode(encoder: Encoder, files: Sequence[Path], report: Report) -> Encoded:
    """Encode files chunk by chunk, and tell how far it is."""
    texts: list[str] = []
    problems: dict[int, SampleError] = {}
    for first in range(0, len(files), _CHUNK):
        report(first / len(files), f"{first} of {len(files)}")
        made = encoder.encode(files[first : first + _CHUNK], strict=False)
        texts += made.texts
        problems |= {first + place: problem for place, problem in made.problems.items()}
    return Encoded(encoder.modality, encoder.backend, encoder.version, tuple(texts), made.embeddings, problems)


def _name(encoder: Encoder) -> str:
    return f"{encoder.backend} {encoder.version}"


def _tables(rows: Sequence[Figure]) -> Iterator[Table]:
    """Yield a table for each data set, narrow enough for a window."""
    for about, listed in groupby(rows, lambda row: (row.data, row.encoder, row.samples, row.refused)):
        data, encoder, samples, refused = about
        title = f"{data}: {encoder.split()[0]} on {samples:,} samples, {refused:,} refused"
        table = Table("figure", "value", "95 % interval", "chance", title=title, title_justify="left")
        for row in listed:
            interval = "" if row.low is None else f"[{row.low:.1f}, {row.high:.1f}]"
            chance = "" if row.chance is None else f"{row.chance:.1f}"
            table.add_row(row.figure, f"{row.value:.1f}", interval, chance)
        yield table
