"""``metaverse encode evaluate``: figures and their intervals, one row each, from the modules of each modality."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import typer
from rich.table import Table

from metaverse_env.contracts import Encoded, Encoder
from metaverse_env.errors import ConfigurationError, SampleError, UnknownNameError
from metaverse_env.terminal import console, show
from predictors.encoders.encoding.asking import load_needed
from predictors.forecasting.progress import Report, phases

_CHUNK: Final = 32


class Figure(NamedTuple):
    """One line of the table; ``low`` and ``high`` are a 95 % interval over samples or their sources.

    ``chance`` is what guessing would give, where that is known.
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
    rows: list[Figure] = []
    with phases() as steps:
        with steps.phase("loading encoders"):
            loaded = load_needed(encoders, asked, None, batch_size=batch_size, device=device)
        if missing := set(asked) - set(loaded):
            raise ConfigurationError(f"--encoders {encoders}: none reads {' or '.join(sorted(missing))}; add one")
        for modality, path in asked.items():
            with steps.phase(f"judging {loaded[modality].backend} on {path.name}") as report:
                rows += JUDGES[modality](loaded[modality], path, split, limit, seed, report)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows]))
    else:
        show(console(), _table(rows))


def judge_images(
    encoder: Encoder, path: Path, split: str, limit: int | None, seed: int, report: Report
) -> Iterator[Figure]:
    """Yield BLEU and ROUGE-L of captions; images that are refused are left out and counted."""
    from predictors.encoders.image.captions import load_captions  # noqa: PLC0415  # each modality has its own packages
    from predictors.encoders.image.evaluation import evaluate_captions  # noqa: PLC0415

    known = load_captions(path, split)
    chosen = (known if limit is None else known.spread(limit)).images
    encoded = _encode(encoder, [one.path for one in chosen], report)
    there = [place for place in range(len(chosen)) if place not in encoded.problems]
    found = evaluate_captions(
        [chosen[place].captions for place in there], [encoded.texts[place] for place in there], seed=seed
    )
    about = "image", known.name, _name(encoder)
    for row in found:
        interval = row["value"], row["low"], row["high"]
        yield Figure(*about, row["figure"], *interval, None, len(there), len(encoded.problems))


def judge_speech(
    encoder: Encoder, path: Path, split: str, limit: int | None, seed: int, report: Report
) -> Iterator[Figure]:
    """Yield word and character error rates, percent; of a recording that is refused all words are wrong."""
    from predictors.encoders.speech.evaluation import judge  # noqa: PLC0415
    from predictors.encoders.speech.librispeech import read_utterances, spread  # noqa: PLC0415

    known = read_utterances(path)
    utterances = known if limit is None else spread(known, limit)
    encoded = _encode(encoder, [one.audio for one in utterances], report)
    found = judge([one.text for one in utterances], encoded.texts, [one.name for one in utterances], seed=seed)
    about = "speech", path.name, _name(encoder)
    for name, rate in (("word error rate, %", found.wer), ("character error rate, %", found.cer)):
        numbers = 100.0 * rate.value, 100.0 * rate.low, 100.0 * rate.high
        yield Figure(*about, name, *numbers, None, len(utterances), len(encoded.problems))


def judge_motions(
    encoder: Any, path: Path, split: str, limit: int | None, seed: int, report: Report
) -> Iterator[Figure]:
    """Yield R-precision in percent and the median rank, among 32 sentences and among all."""
    from predictors.encoders.motion.clips import PREFIX, read_clips  # noqa: PLC0415
    from predictors.encoders.motion.judging import evaluate  # noqa: PLC0415
    from predictors.encoders.motion.kitml import PARTS, open_folder  # noqa: PLC0415

    if split not in PARTS:
        raise UnknownNameError("split of motions", split, PARTS)
    problems: dict[str, str] = {}
    clips = path.is_dir() and any(path.glob(f"{PREFIX}*.txt"))
    samples = read_clips(path) if clips else list(open_folder(path).read(cast(Any, split), problems))
    report(0.1, f"{len(samples)} motions")
    about = "motion", path.name, _name(encoder)
    for row in evaluate(encoder, samples[:limit], seed):
        counted = row["motions"], len(problems)
        for place, depth in enumerate((1, 2, 3)):
            value, low, high, chance = (100.0 * row[key][place] for key in ("r_precision", "low", "high", "chance"))
            yield Figure(*about, f"R-precision@{depth}, %, {row['protocol']}", value, low, high, chance, *counted)
        yield Figure(*about, f"median rank, {row['protocol']}", row["median_rank"], None, None, None, *counted)


Judge = Callable[[Any, Path, str, int | None, int, Report], Iterator[Figure]]
JUDGES: Final[Mapping[str, Judge]] = {"image": judge_images, "speech": judge_speech, "motion": judge_motions}
"""How each modality is judged."""


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


def _table(rows: Sequence[Figure]) -> Table:
    table = Table("data", "encoder", "figure", "value", "95 % interval", "chance", "samples", "refused")
    for row in rows:
        interval = "" if row.low is None else f"[{row.low:.1f}, {row.high:.1f}]"
        chance = "" if row.chance is None else f"{row.chance:.1f}"
        counts = str(row.samples), str(row.refused)
        table.add_row(row.data, row.encoder.split()[0], row.figure, f"{row.value:.1f}", interval, chance, *counts)
    return table
