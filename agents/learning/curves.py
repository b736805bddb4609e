"""The learning curve as a picture: what the policy costs and violates, over what it has learnt from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

History = Sequence[dict[str, float]]


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
    violated.set_yscale("log")
    violated.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    violated.yaxis.set_minor_locator(NullLocator())
    violated.yaxis.set_major_formatter("{x:g}")
    cost.set_ylabel("resources and changes [EUR/h]")
    violated.set_ylabel("user-seconds above the objective [%]")
    violated.legend()
    figure.savefig(path)


def _draw(axes: Any, history: History, name: str, kept: int) -> None:
    steps = [entry["agent_steps"] / 1e6 for entry in history]
    training = [entry[f"training_{name}"] for entry in history]
    axes.plot(steps, training, color="#BBBBBB", linewidth=0.8, label="where it learns, exploring")
    axes.plot(steps, [entry[name] for entry in history], color="#0072B2", label="validation worlds")
    axes.plot(steps[kept], history[kept][name], "o", color="#0072B2", label="kept")
    axes.set_xlabel("agent steps [million]")
    axes.grid(alpha=0.3)
