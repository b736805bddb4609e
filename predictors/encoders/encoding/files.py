"""``metaverse encode files``."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import typer
from rich.table import Table

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.terminal import console, show
from predictors.encoders.choosing import SUFFIXES
from predictors.encoders.encoding.asking import load_needed
from predictors.forecasting.progress import Report, phases

TABLES: Final = (".csv", ".json", ".npz")
_CHUNK: Final = 32
_SHOWN: Final = 70
"""Characters of a text in the table."""


class Line(NamedTuple):
    """What became of a file; ``problem`` is empty where it was encoded."""

    file: str
    modality: str
    encoder: str
    text: str
    embedding: np.ndarray | None
    problem: str


def run(
    *, paths: Sequence[Path], encoders: str, out: Path | None, cache: Path, batch_size: int, device: str, as_json: bool
) -> None:
    """Encode files; see :func:`predictors.encoders.commands.files`.

    Raises:
        typer.Exit: With 1 where a file was refused.
    """
    if out is not None:
        if out.suffix not in TABLES:
            raise ConfigurationError(f"--out {out}: a table ends in {', '.join(TABLES)}")
        writable(out.parent)
    found = expanded(paths)
    needed = [modality for modality in SUFFIXES if any(modality_of(path) == modality for path in found)]
    with phases() as steps:
        with steps.phase("loading encoders"):
            loaded = load_needed(encoders, needed, cache, batch_size=batch_size, device=device) if needed else {}
        with steps.phase("encoding") as report:
            lines = encode_files(found, loaded, report)
    if out is not None:
        write_table(out, lines)
    if as_json:
        typer.echo(json.dumps([_as_dict(line) for line in lines]))
    else:
        show(console(), _table(lines))
    if any(line.problem for line in lines):
        raise typer.Exit(1)


def expanded(paths: Sequence[Path]) -> list[Path]:
    """Return files in order; a folder stands for all in it whose ending tells a sample.

    Raises:
        ConfigurationError: There is no such file or folder, or nothing to encode in one.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ConfigurationError(f"{path}: there is no such file or folder")
        inner = sorted(one for one in path.rglob("*") if _picked(one)) if path.is_dir() else [path]
        if not inner:
            raise ConfigurationError(f"{path}: nothing to encode; names end in {', '.join(sum(SUFFIXES.values(), ()))}")
        found += inner
    return list(dict.fromkeys(found))


def modality_of(path: Path) -> str | None:
    """Return the modality that the ending of a name tells.

    >>> modality_of(Path("a/Clip.FLAC"))
    'speech'
    """
    return next((name for name, suffixes in SUFFIXES.items() if path.suffix.lower() in suffixes), None)


def _picked(path: Path) -> bool:
    """Tell whether a file of a folder is a sample, as far as its name says; lists and transcripts are none."""
    lists = path.suffix.lower() == ".json" or path.name.endswith(".trans.txt")
    return path.is_file() and not lists and modality_of(path) is not None


def encode_files(paths: Sequence[Path], encoders: dict[str, Encoder], report: Report) -> list[Line]:
    """Encode what can be encoded; say of the others why not. Lines come in the order of the paths."""
    lines: dict[Path, Line] = {}
    for path in paths:
        modality = modality_of(path)
        if modality is None:
            lines[path] = Line(str(path), "", "", "", None, f"no modality has names that end in {path.suffix!r}")
        elif modality not in encoders:
            lines[path] = Line(str(path), modality, "", "", None, f"no encoder of {modality} among --encoders")
    for modality, encoder in encoders.items():
        mine = [path for path in paths if modality_of(path) == modality]
        for first in range(0, len(mine), _CHUNK):
            report(len(lines) / len(paths), f"{modality} {first}/{len(mine)}")
            chunk = mine[first : first + _CHUNK]
            made = encoder.encode(chunk, strict=False)
            for place, path in enumerate(chunk):
                bad = str(made.problems.get(place, ""))
                row = None if bad else made.embeddings[place]
                lines[path] = Line(str(path), modality, f"{made.backend} {made.version}", made.texts[place], row, bad)
    return [lines[path] for path in paths]


def write_table(out: Path, lines: Sequence[Line]) -> None:
    """Write all lines as CSV, JSON, or arrays ``files``, ``modalities``, ``texts``, ``problems``, ``MODALITY`` and
    ``MODALITY_files``, the embeddings of a modality and whose they are.
    """  # noqa: D205
    if out.suffix == ".json":
        out.write_text(json.dumps([_as_dict(line) for line in lines], indent=1) + "\n", encoding="utf-8")
    elif out.suffix == ".csv":
        with out.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(Line._fields)
            for line in lines:
                numbers = "" if line.embedding is None else " ".join(f"{x:.7g}" for x in line.embedding)
                writer.writerow(line._replace(embedding=numbers))  # type: ignore[arg-type]
    else:
        columns = {
            f"{name}s": np.array([getattr(line, name) for line in lines]) for name in ("file", "text", "problem")
        }
        columns["modalities"] = np.array([line.modality for line in lines])
        for modality in SUFFIXES:
            done = [line for line in lines if line.modality == modality and line.embedding is not None]
            if done:
                columns[modality] = np.stack([line.embedding for line in done if line.embedding is not None])
                columns[f"{modality}_files"] = np.array([line.file for line in done])
        np.savez_compressed(out, allow_pickle=False, **columns)


def _as_dict(line: Line) -> dict[str, object]:
    return {**line._asdict(), "embedding": None if line.embedding is None else line.embedding.tolist()}


def _table(lines: Sequence[Line]) -> Table:
    table = Table("file", "modality", "encoder", "text", "embedding")
    for line in lines:
        text = line.text if len(line.text) <= _SHOWN else f"{line.text[: _SHOWN - 1]}…"
        numbers = "" if line.embedding is None else f"{len(line.embedding)} numbers, {_begin(line.embedding)} …"
        table.add_row(
            line.file,
            line.modality,
            line.encoder.split(" ")[0],
            f"refused: {line.problem}" if line.problem else text,
            numbers,
        )
    return table


def _begin(embedding: np.ndarray) -> str:
    return " ".join(f"{x:.2f}" for x in embedding[:3])
