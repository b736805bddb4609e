"""The picture of a training: losses in one part, the learner's other figures in further ones, a part a unit."""

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
_LABEL_CHARACTERS: Final = 46
"""In a line of a legend."""
_LOSSES: Final = ("training", "loss")
_NAMES: Final = {"training": "loss, training", "loss": "loss, held out", "minutes": "time, minutes"}
_PERCENT: Final = ", %"


def words_of_figure(name: str, words: Mapping[str, str]) -> str:
    """Say what a figure is.

    >>> words_of_figure("training", {}), words_of_figure("wer", {"wer": "word error rate, %"})
    ('loss, training', 'word error rate, %')
    """
    return words.get(name) or _NAMES.get(name, name.replace("_", " "))


def draw_curves(
    looks: Sequence[Mapping[str, float]], kept_step: int, title: str, words: Mapping[str, str], path: Path
) -> None:
    """Draw what was seen over the steps into a PNG.

    Args:
        looks: As in :class:`predictors.encoders.training.loop.Progress`; at least one.
        kept_step: After which the weights were kept.
        title: Above the picture.
        words: What figures are, as of :class:`predictors.encoders.training.learner.Learner`.
        path: To write.
    """
    named = {name: words_of_figure(name, words) for name in looks[0] if name != "step"}
    groups = _groups(named)
    figure = Figure(figsize=(4.8 * len(groups) + (1.2 if len(groups) == 1 else 0.0), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for axis, names in zip(axes, groups, strict=True):
        _draw(axis, looks, {name: named[name] for name in names}, kept_step)
    figure.suptitle("\n".join(wrap(title, _TITLE_CHARACTERS * len(axes))), fontsize=10)
    figure.savefig(path, dpi=120)


def _groups(named: Mapping[str, str]) -> list[list[str]]:
    """Return the figures that share an axis: losses, percentages, others; no empty groups."""
    losses = [name for name in _LOSSES if name in named]
    shares = [name for name, words in named.items() if words.endswith(_PERCENT)]
    others = [name for name in named if name not in (*losses, *shares)]
    return [group for group in (losses, shares, others) if group]


def _draw(axis: Axes, looks: Sequence[Mapping[str, float]], named: Mapping[str, str], kept_step: int) -> None:
    steps = [look["step"] for look in looks]
    marks: dict[str, Any] = {"marker": "o", "markersize": 4} if len(looks) <= _FEW else {}
    for name, words in named.items():
        axis.plot(steps, [look[name] for look in looks], label="\n".join(wrap(words, _LABEL_CHARACTERS)), **marks)
    axis.axvline(kept_step, color="grey", linestyle=":", label=f"kept: step {kept_step}")
    axis.set_xlabel("step")
    axis.set_ylabel(_axis_words(named))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.grid(alpha=0.3)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=8)  # below: over no line


def _axis_words(named: Mapping[str, str]) -> str:
    if set(named) <= set(_LOSSES):
        return "loss"
    return "%" if all(words.endswith(_PERCENT) for words in named.values()) else ""
