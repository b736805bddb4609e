"""``metaverse benchmark motion``: the encoder of motions with KAN layers and with an MLP, over seeds.

Both have as many parameters, the same data, schedule and early stopping. Seed *s* draws other performers, weights and
orders, and holds out fold *s* of DeepMimic's clips, so that over five seeds each clip is held out once. A run that is
done is not made again: the command goes on where it was interrupted.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from metaverse_env.folders import writable
from metaverse_env.terminal import console, show
from predictors.encoders.motion.evaluation import DEPTHS, interval
from predictors.encoders.motion.judging import judge
from predictors.encoders.motion.learning import Known
from predictors.encoders.motion.network import LAYERS, MotionNetwork
from predictors.encoders.motion.sources import TESTERS, Gathered, gather
from predictors.encoders.motion.train import DECAY, embedded, learner_of
from predictors.encoders.motion.weights import load_weights
from predictors.encoders.training.loop import Run, Settings
from predictors.forecasting.progress import phases
from predictors.stgnn.checkpoints import CHECKPOINT

Array = np.ndarray
RESULT: Final = "result.json"
_COLOURS: Final = {"kan": "tab:blue", "mlp": "tab:orange"}


class Line(NamedTuple):
    """A line of the table: one test set and protocol, both kinds of layers.

    Attributes:
        test: Which motions.
        protocol: How they were ranked.
        motions: Over all seeds.
        means: R-precision@1 2 3 by layers.
        intervals: 95 %, lower and upper ends, by layers.
        by_seed: Means of each seed by layers, ``[seeds, 3]``.
        ranks: Median rank by layers.
        chance: At 1, 2, 3.
        gain: KAN minus MLP at 3, and its 95 % interval; paired by motion.
    """

    test: str
    protocol: str
    motions: int
    means: dict[str, Array]
    intervals: dict[str, tuple[Array, Array]]
    by_seed: dict[str, Array]
    ranks: dict[str, float]
    chance: Sequence[float]
    gain: tuple[float, float, float]


def motion(
    out: Annotated[Path, typer.Option(help="Folder for runs, table and plot.")] = Path("runs/motion-benchmark"),
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of DeepMimic's clips, KIT-ML or HumanML3D.", exists=True)
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 5,
    performers: Annotated[int, typer.Option(min=0, help="Synthetic ones to learn from.")] = 30,
    testers: Annotated[int, typer.Option(min=1, help="Synthetic ones that are held out.")] = TESTERS,
    steps: Annotated[int, typer.Option(min=1, help="At most, of each training.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Train the motion encoder with KAN and with MLP layers over seeds, and compare how well they retrieve."""
    folder, results = writable(out), []
    with phases() as tell:
        for seed in range(seeds):
            with tell.phase(f"seed {seed}") as report:
                results.append(_results(folder, data or [], seed, (performers, testers, steps), report, tell.say))
    lines = [_line(results, test, place) for test in results[0][LAYERS[0]] for place in range(2)]
    _draw(lines, folder / "retrieval.png")
    document = [_plain(line) for line in lines]
    (folder / "lines.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(document))
    else:
        show(console(), _table(lines, seeds))


def _results(
    out: Path, data: Sequence[Path], seed: int, budget: tuple[int, int, int], report: Any, say: Any
) -> dict[str, Any]:
    """Return what a seed's networks find, from disk where they were trained before."""
    folders, (performers, testers, steps) = {layers: out / f"{layers}-{seed}" for layers in LAYERS}, budget
    if not all((folder / RESULT).exists() for folder in folders.values()):
        gathered = gather(data, performers, seed, seed, say, testers)
        sentences = embedded(gathered.sentences)
        for number, (layers, folder) in enumerate(folders.items()):
            if not (folder / RESULT).exists():
                report(0.5 * number, layers)
                _trained(folder, layers, gathered, sentences, seed, steps)
    return {layers: json.loads((folder / RESULT).read_text()) for layers, folder in folders.items()}


def _trained(
    folder: Path, layers: str, gathered: Gathered, sentences: Mapping[str, Array], seed: int, steps: int
) -> None:
    """Train one network, and write what it finds."""
    settings = Settings(seed=seed, steps=steps, batch_size=128, rate=2e-3, every=50, patience=8, decay=DECAY)
    learner = learner_of(gathered, sentences, layers, seed)
    run = Run(learner, settings, folder, resume=(folder / CHECKPOINT).exists())
    net = load_weights(run.fit()).net
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


def _line(results: Sequence[Mapping[str, Any]], test: str, place: int) -> Line:
    """Put the seeds together; intervals are over performers or clips of all seeds."""
    parts = {layers: [result[layers][test][place] for result in results] for layers in LAYERS}
    hits = {layers: np.concatenate([np.array(part["hits"]).T for part in parts[layers]]) for layers in LAYERS}
    sources = [source for part in parts["kan"] for source in part["sources"]]
    gain = hits["kan"][:, 2:] - hits["mlp"][:, 2:]
    low, high = interval(gain, sources)
    return Line(
        test,
        parts["kan"][0]["protocol"],
        len(sources),
        {layers: hits[layers].mean(axis=0) for layers in LAYERS},
        {layers: interval(hits[layers], sources) for layers in LAYERS},
        {layers: np.array([np.mean(part["hits"], axis=1) for part in parts[layers]]) for layers in LAYERS},
        {layers: float(np.median([rank for part in parts[layers] for rank in part["ranks"]])) for layers in LAYERS},
        parts["kan"][0]["chance"],
        (float(gain.mean()), float(low[0]), float(high[0])),
    )


def _plain(line: Line) -> dict[str, Any]:
    """Return a line for JSON."""
    return {
        **line._asdict(),
        "means": {layers: values.tolist() for layers, values in line.means.items()},
        "intervals": {layers: [end.tolist() for end in ends] for layers, ends in line.intervals.items()},
        "by_seed": {layers: values.tolist() for layers, values in line.by_seed.items()},
    }


def _table(lines: Sequence[Line], seeds: int) -> Table:
    columns = ("layers", *(f"R@{depth}" for depth in DEPTHS), "95 % @3", "x chance @3", "median rank", "KAN - MLP @3")
    table = Table("motions", "protocol", *columns, title=f"Sentences found for held-out motions, {seeds} seeds")
    for line in lines:
        for layers in LAYERS:
            means, (low, high) = line.means[layers], line.intervals[layers]
            gain = f"{line.gain[0]:+.3f} ({line.gain[1]:+.3f} to {line.gain[2]:+.3f})" if layers == "kan" else ""
            table.add_row(
                f"{line.test} ({line.motions})", line.protocol, layers, *(f"{mean:.3f}" for mean in means),
                f"{low[2]:.3f} to {high[2]:.3f}", f"{means[2] / line.chance[2]:.1f}", f"{line.ranks[layers]:g}", gain,
            )  # fmt: skip
    table.caption = "intervals: bootstrap over performers or clips of all seeds; the difference is paired by motion"
    return table


def _draw(lines: Sequence[Line], path: Path) -> None:
    """Draw R-precision@3 of every seed, the mean with its interval, and chance."""
    columns = -(-len(lines) // 2)
    figure = Figure(figsize=(2.6 * columns + 1.6, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(2, columns, sharey=True, squeeze=False)
    for number, line in enumerate(lines):
        _draw_line(rows[number % 2][number // 2], line)
    for row in rows:
        row[0].set_ylabel("R-precision@3")
    rows[0][0].legend(loc="upper center", bbox_to_anchor=(0.5, 0.42), fontsize=8)
    figure.savefig(path, dpi=120)


def _draw_line(axis: Axes, line: Line) -> None:
    for place, layers in enumerate(LAYERS):
        seeds, (low, high), colour = line.by_seed[layers][:, 2], line.intervals[layers], _COLOURS[layers]
        mean, around = line.means[layers][2], np.linspace(place - 0.12, place + 0.12, len(seeds))
        axis.scatter(around, seeds, s=22, color=colour, alpha=0.5)
        ends = [[max(0.0, mean - low[2])], [max(0.0, high[2] - mean)]]  # rounding may put an end beyond the mean
        axis.errorbar(place, mean, ends, fmt="_", color=colour, markersize=26, capsize=5)
    axis.axhline(line.chance[2], color="grey", linestyle=":", label="chance")
    axis.axhline(5.0 * line.chance[2], color="grey", linestyle="--", label="5 × chance")
    axis.set(xticks=range(len(LAYERS)), xticklabels=[name.upper() for name in LAYERS], xlim=(-0.6, 1.6), ylim=(0, 1.04))
    axis.set_title(f"{line.test}\n{line.protocol}", fontsize=9)
    axis.grid(axis="y", alpha=0.3)
