"""The learning curve as a picture: what the policy costs and violates, over what it has learnt from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

History = Sequence[dict[str, float]]

LEAST_PERCENT: Final = 0.01
"""From here on down the axis of violations is linear."""
SHARES_PERCENT: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Labels of that axis."""


def draw_curves(history: History, kept: int, allowed_percent: float, title: str, path: Path) -> None:
    """Draw cost and violations over agent steps into a PNG.

    Args:
        history: What every look found.
        kept: Index of the look whose weights were kept.
        allowed_percent: What was aimed at.
        title: Above the picture.
        path: Where to.
    """
    figure = Figure(figsize=(10.0, 4.0), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=10)
    cost, violated = figure.subplots(1, 2)
    _draw(cost, history, "cost_eur_per_h", kept)
    _draw(violated, history, "violated_percent", kept)
    violated.axhline(allowed_percent, color="#D55E00", linestyle="--", linewidth=1.0, label="aimed at")
    violated.set_yscale("symlog", linthresh=LEAST_PERCENT, linscale=0.3)  # who violates nothing is seen, too
    violated.set_ylim(-0.3 * LEAST_PERCENT, 1.1 * max(violated.get_ylim()[1], allowed_percent))
    violated.yaxis.set_major_locator(FixedLocator(SHARES_PERCENT))
    violated.yaxis.set_minor_locator(NullLocator())
    violated.yaxis.set_major_formatter("{x:g}")
    cost.set_ylabel("resources and changes [EUR/h]")
    violated.set_ylabel("user-seconds above the objective [%]")
    figure.legend(*violated.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path)


def _draw(axes: Any, history: History, name: str, kept: int) -> None:
    steps = [entry["agent_steps"] / 1e6 for entry in history]
    training = [entry[f"training_{name}"] for entry in history]
    axes.plot(steps, training, color="#BBBBBB", linewidth=0.8, label="where it learns, exploring")
    axes.plot(steps, [entry[name] for entry in history], color="#0072B2", label="validation worlds")
    axes.plot(steps[kept], history[kept][name], "o", color="#0072B2", label="kept")
    axes.set_xlabel("agent steps [million]")
    axes.grid(alpha=0.3)
