"""The curves of a training: a picture at its end, and TensorBoard's events while it runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch.utils.tensorboard import SummaryWriter

from predictors.stgnn.training import Progress

_FEW: Final = 30
"""Points up to which each is marked."""
Write = Callable[[int, Mapping[str, float]], None]
"""Told the step, and numbers by their names."""


def draw_curves(progress: Progress, path: Path) -> None:
    """Draw the losses over the epochs into a PNG."""
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = range(1, len(progress.training) + 1)
    axes.plot(epochs, progress.training, label="training", **_marked(epochs))
    axes.plot(epochs, progress.validation, label="held-out seeds", **_marked(epochs))
    axes.axvline(progress.best_epoch, color="grey", linestyle=":", label="kept")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend()
    figure.savefig(path, dpi=120)


def _marked(values: Sequence[float]) -> dict[str, Any]:
    """Return markers for a curve of few points: of one point there is no line to see."""
    return {"marker": "o", "markersize": 4} if len(values) <= _FEW else {}


def draw_members(losses: Sequence[Sequence[float]], ratios: Sequence[Sequence[float]], path: Path) -> None:
    """Draw loss and error on the validation part over the rounds of each member of a panel's forecaster."""
    figure = Figure(figsize=(10.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, curves, label in zip(
        figure.subplots(1, 2),
        (losses, ratios),
        ("training loss", "validation error / the linear forecast's"),
        strict=True,
    ):
        for member, values in enumerate(curves):
            axis.plot(range(1, len(values) + 1), values, label=f"member {member + 1}", **_marked(values))
        axis.set(xlabel="round", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)


@contextmanager
def tensorboard(folder: Path, done: int) -> Iterator[Write]:
    """Write TensorBoard's events into a folder.

    Args:
        folder: Of the run.
        done: Steps of a run that goes on; events after them, of an interrupted run, are dropped.
    """
    with SummaryWriter(str(folder), purge_step=done + 1) as writer:

        def write(step: int, numbers: Mapping[str, float]) -> None:
            for name, number in numbers.items():
                writer.add_scalar(name, number, step)
            writer.flush()

        yield write
