"""The picture of a training."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from predictors.stgnn.training import Progress


def draw_curves(progress: Progress, path: Path) -> None:
    """Draw the losses over the epochs into a PNG."""
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = range(1, len(progress.training) + 1)
    axes.plot(epochs, progress.training, label="training")
    axes.plot(epochs, progress.validation, label="held-out seeds")
    axes.axvline(progress.best_epoch, color="grey", linestyle=":", label="kept")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend()
    figure.savefig(path, dpi=120)
