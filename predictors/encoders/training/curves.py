"""The picture of a training: losses on one axis, the learner's other figures on a second."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_FEW: Final = 30
"""Points up to which each is marked: of one point there is no line to see."""
_TITLE_CHARACTERS: Final = 55
"""In a line above one part of the picture."""
_LOSSES: Final = ("training", "loss")
_NAMES: Final = {"training": "loss, training", "loss": "loss, validation"}


def draw_curves(looks: Sequence[Mapping[str, float]], kept_step: int, title: str, path: Path) -> None:
    """Draw what was seen over the steps into a PNG.

    Args:
        looks: As in :class:`predictors.encoders.training.loop.Progress`; at least one.
        kept_step: After which the weights were kept.
        title: Above the picture.
        path: To write.
    """
    others = [name for name in looks[0] if name not in ("step", *_LOSSES)]
    figure = Figure(figsize=(9.0 if others else 6.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 if others else 1, squeeze=False)[0]
    for axis, names in zip(axes, ([name for name in _LOSSES if name in looks[0]], others), strict=False):
        _draw(axis, looks, names, kept_step)
    axes[0].set_ylabel("loss")
    figure.suptitle("\n".join(wrap(title, _TITLE_CHARACTERS * len(axes))), fontsize=10)
    figure.savefig(path, dpi=120)


def _draw(axis: Axes, looks: Sequence[Mapping[str, float]], names: Sequence[str], kept_step: int) -> None:
    steps = [look["step"] for look in looks]
    marks: dict[str, Any] = {"marker": "o", "markersize": 4} if len(looks) <= _FEW else {}
    for name in names:
        axis.plot(steps, [look[name] for look in looks], label=_NAMES.get(name, name.replace("_", " ")), **marks)
    axis.axvline(kept_step, color="grey", linestyle=":", label="kept")
    axis.set_xlabel("step")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.grid(alpha=0.3)
    axis.legend()
