"""``metaverse encode files``."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Final, NamedTuple

import numpy as np
import typer
from rich.markup import escape
from rich.table import Column, Table

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.terminal import console
from predictors.encoders.choosing import SUFFIXES, reason
from predictors.encoders.encoding.asking import load_needed
from predictors.forecasting.progress import Report, phases

TABLES: Final = (".csv", ".json", ".npz")
_CHUNK: Final = 32
_SHOWN: Final = 300
"""Characters of a text in the table; all of it is in what --out and --json write."""
_BEGINNING: Final = 64
"""Bytes of a text that are looked at."""


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
        console().print(_table(lines))
    if out is not None:
        typer.echo(f"Table with all numbers: {out}", err=as_json)
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
            raise ConfigurationError(f"{path}: nothing to encode; {_endings()}")
        found += inner
    return list(dict.fromkeys(found))


def modality_of(path: Path) -> str | None:
    """Return the modality that the ending of a name tells.

    >>> modality_of(Path("a/Clip.FLAC"))
    'speech'
    """
    return next((name for name, suffixes in SUFFIXES.items() if path.suffix.lower() in suffixes), None)


def _picked(path: Path) -> bool:
    """Tell whether a file of a folder is a sample, as far as its name says; lists, transcripts and notes are none."""
    if not path.is_file() or modality_of(path) is None or path.suffix.lower() == ".json":
        return False
    return path.suffix.lower() != ".txt" or _may_be_clip(path)


def _may_be_clip(path: Path) -> bool:
    """Tell whether a text begins as a clip of DeepMimic does, with a brace; one that cannot be read may be."""
    try:
        with path.open("rb") as stream:
            return stream.read(_BEGINNING).lstrip().startswith(b"{")
    except OSError:
        return True


def _endings() -> str:
    """Say how names of samples end."""
    return "names end in " + "; ".join(f"{', '.join(suffixes)} ({name})" for name, suffixes in SUFFIXES.items())


def encode_files(paths: Sequence[Path], encoders: dict[str, Encoder], report: Report) -> list[Line]:
    """Encode what can be encoded; say of the others why not. Lines come in the order of the paths."""
    lines: dict[Path, Line] = {}
    for path in paths:
        modality = modality_of(path)
        if modality is None:
            ending = f"end in {path.suffix!r}" if path.suffix else "have no ending"
            lines[path] = Line(str(path), "", "", "", None, f"no modality has names that {ending}; {_endings()}")
        elif modality not in encoders:
            lines[path] = Line(str(path), modality, "", "", None, f"no encoder of {modality} among --encoders")
    for modality, encoder in encoders.items():
        mine = [path for path in paths if modality_of(path) == modality]
        for first in range(0, len(mine), _CHUNK):
            report(len(lines) / len(paths), f"{modality} {first}/{len(mine)}")
            chunk = mine[first : first + _CHUNK]
            made = encoder.encode(chunk, strict=False)
            for place, path in enumerate(chunk):
                bad = reason(made.problems[place], path) if place in made.problems else ""
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
    """Lay out what was said of each file; names and texts are broken into lines where a window is narrow."""
    table = Table(
        Column("file", overflow="fold", ratio=2),
        Column("encoder", no_wrap=True),
        Column("text", overflow="fold", ratio=3),
        Column("numbers", no_wrap=True, justify="right"),
    )
    for line in lines:
        said = f"refused: {line.problem}" if line.problem else shorten(line.text, _SHOWN, placeholder=" …")
        count = "" if line.embedding is None else str(len(line.embedding))
        table.add_row(*(escape(cell) for cell in (line.file, line.encoder.split(" ")[0], said, count)))
    return table
