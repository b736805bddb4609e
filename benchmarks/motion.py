"""``metaverse benchmark motion``: the encoder of motions with KAN layers and with an MLP, over seeds.

Both have as many parameters, the same data, schedule and early stopping. Seed *s* draws other performers, weights and
orders, and holds out fold *s* of DeepMimic's clips, so that over five seeds each clip is held out once. A run that is
done is not made again: the same command goes on where it was interrupted, and other settings are refused.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
import typer

from benchmarks.motion_lines import draw, lines_of, plain, tables_of
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.terminal import console, show
from predictors.encoders.motion.evaluation import DEPTHS
from predictors.encoders.motion.judging import judge
from predictors.encoders.motion.learning import Known
from predictors.encoders.motion.network import LAYERS, MotionNetwork
from predictors.encoders.motion.sources import TESTERS, Gathered, gather
from predictors.encoders.motion.train import DECAY, embedded, learner_of
from predictors.encoders.motion.weights import load_weights
from predictors.encoders.training.command import words_of
from predictors.encoders.training.loop import Progress, Run, Settings
from predictors.forecasting.progress import Phases, Report, phases
from predictors.stgnn.checkpoints import CHECKPOINT

Array = np.ndarray
RESULT: Final = "result.json"
SETTINGS: Final = "settings.json"
"""In the folder: what every result in it was made with."""


class Budget(NamedTuple):
    """What every seed is given.

    Attributes:
        performers: Synthetic ones to learn from.
        testers: Synthetic ones that are held out.
        steps: At most, of each training.
        data: Names of folders, and a checksum of what is in them.
    """

    performers: int
    testers: int
    steps: int
    data: str


def motion(
    out: Annotated[Path, typer.Option(help="Folder for runs, table and plot.")] = Path("runs/motion-benchmark"),
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of DeepMimic's clips, KIT-ML or HumanML3D.", exists=True)
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many; more than before adds to those there are.")] = 5,
    performers: Annotated[int, typer.Option(min=0, help="Synthetic ones to learn from.")] = 30,
    testers: Annotated[int, typer.Option(min=1, help="Synthetic ones that are held out.")] = TESTERS,
    steps: Annotated[int, typer.Option(min=1, help="At most, of each training.")] = 300,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start the comparison in the folder anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Train the motion encoder with KAN and with MLP layers over seeds, and compare how well they retrieve.

    Interrupt with Ctrl-C; the same command goes on with what is not finished.
    """
    folders, budget = data or [], Budget(performers, testers, steps, _told(data or []))
    folder = _claimed(out, budget, overwrite)
    with phases() as tell:
        try:
            results = [_results(folder, folders, seed, budget, tell) for seed in range(seeds)]
        except KeyboardInterrupt:
            tell.say(f"Interrupted; what is finished stays in {folder}, and the same command goes on.")
            raise
    lines = lines_of(results)
    draw(lines, seeds, folder / "retrieval.png")
    document = [plain(line) for line in lines]
    (folder / "lines.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(document))
        return
    for table in tables_of(lines, seeds):
        show(console(), table)
    typer.echo(f"Plot: {folder / 'retrieval.png'}; figures: {folder / 'lines.json'}; networks: {folder}/LAYERS-SEED")


def _told(folders: Sequence[Path]) -> str:
    """Say which data these are, in names and a checksum of files and sizes."""
    files = [
        f"{path.relative_to(folder)} {path.stat().st_size}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return f"{', '.join(folder.name for folder in folders) or 'none'} ({zlib.crc32(chr(10).join(files).encode()):08x})"


def _claimed(out: Path, budget: Budget, overwrite: bool) -> Path:
    """Return the folder after making sure that what is in it was made with the same settings.

    Raises:
        ConfigurationError: It was not, or the folder cannot be written.
    """
    folder, wanted = writable(out), budget._asdict()
    files = (file for layers in LAYERS for file in folder.glob(f"{layers}-*/*"))
    begun = [file for file in files if file.name in (RESULT, CHECKPOINT)]
    if overwrite:
        for file in begun:
            file.unlink()
    elif begun:
        _check_same(folder, wanted)
    (folder / SETTINGS).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    return folder


def _check_same(folder: Path, wanted: Mapping[str, Any]) -> None:
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    for name, value in wanted.items():
        if found.get(name, "unknown") != value:
            raise ConfigurationError(
                f"{folder} holds a run with --{name} {found.get(name, 'unknown')}, not {value}; the same settings go "
                "on with it, --overwrite starts anew, or name another folder with --out"
            )


def _results(out: Path, data: Sequence[Path], seed: int, budget: Budget, tell: Phases) -> dict[str, Any]:
    """Return what a seed's networks find, from disk where they were trained before."""
    folders = {layers: out / f"{layers}-{seed}" for layers in LAYERS}
    missing = {layers: folder for layers, folder in folders.items() if not (folder / RESULT).exists()}
    if missing:
        with tell.phase(f"seed {seed}: motions and sentences"):
            gathered = gather(data, budget.performers, seed, seed, tell.say, budget.testers)
            sentences = embedded(gathered.sentences)
        for layers, folder in missing.items():
            with tell.phase(f"seed {seed}: {layers.upper()}") as report:
                _trained(folder, layers, gathered, sentences, seed, budget.steps, report)
    return {layers: json.loads((folder / RESULT).read_text()) for layers, folder in folders.items()}


def _trained(
    folder: Path, layers: str, gathered: Gathered, sentences: Mapping[str, Array], seed: int, steps: int, report: Report
) -> None:
    """Train one network, and write what it finds."""
    settings = Settings(seed=seed, steps=steps, batch_size=128, rate=2e-3, every=50, patience=8, decay=DECAY)
    learner = learner_of(gathered, sentences, layers, seed)
    run = Run(learner, settings, folder, resume=(folder / CHECKPOINT).exists())

    def tell(now: Progress) -> None:
        report(now.step / steps, words_of(now, steps))

    net = load_weights(run.fit(tell)).net
    found = {test: _found(net, known, gathered, sentences, seed) for test, known in gathered.tests.items()}
    (folder / RESULT).write_text(json.dumps(found), encoding="utf-8")


def _found(
    net: MotionNetwork, known: Known, gathered: Gathered, sentences: Mapping[str, Array], seed: int
) -> list[dict[str, Any]]:
    """Return what a network finds for the motions of a test, by both protocols."""
    return [
        {
            "protocol": ranks.protocol,
            "hits": [ranks.hits(depth).tolist() for depth in DEPTHS],
            "ranks": np.median(ranks.ranks, axis=0).tolist(),
            "sources": [f"{seed} {source}" for source in ranks.sources],
            "chance": ranks.chance,
        }
        for ranks, _ in judge(net, known, gathered.sentences, sentences, seed)
    ]
