"""The picture of ``metaverse demo --encoders``: what was announced, and what is then forecast."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.plots import COLOURS
from metaverse_env.units import RESOURCE_UNITS, RESOURCES

if TYPE_CHECKING:
    from benchmarks.encoder_demo import Outlook

TITLES: Final = {"cpu_cores": "CPU", "bandwidth_mbps": "bandwidth"}
_TICK_MINUTES: Final = 0.25
_MOST_SAMPLES: Final = 2
_WRAP: Final = 46


def plot_outlooks(path: Path, samples: Mapping[str, Sequence[tuple[str, str, str]]], outlook: "Outlook") -> Path:
    """Draw samples above and forecasts below.

    Args:
        path: The PNG to write, 1500 x 1050 pixels.
        samples: By announcement: modality, file and text of each sample.
        outlook: What is forecast.
    """
    figure = Figure(figsize=(10.0, 7.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    halves: Any = figure.subfigures(2, 1, height_ratios=(0.47, 0.53))
    above, below = halves
    parts: Any = above.subfigures(1, len(samples), squeeze=False)
    for place, (name, found) in enumerate(samples.items()):
        _draw_samples(parts[0, place], name, found, COLOURS[1 - place])
    panels = below.subplots(1, len(TITLES))
    for axes, target in zip(panels, TITLES, strict=True):
        _draw_forecasts(axes, target, outlook)
    below.suptitle(
        f"{outlook.zone} with {outlook.users:.0f} users: what the forecaster expects when its users announce this",
        fontsize=10,
    )
    handles, labels = panels[0].get_legend_handles_labels()
    below.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7)  # over no line
    figure.savefig(path)
    return path


def _draw_samples(part: Any, name: str, found: Sequence[tuple[str, str, str]], colour: str) -> None:
    """Draw the pictures beside each other, their labels below them, and below these what was said and done.

    Everything has its place, so that the pictures of all announcements are at one height, however long the sentences.
    """
    part.text(0.5, 0.96, f"announced: {name}", color=colour, fontsize=11, fontweight="bold", ha="center", va="top")
    pictures = [(file, text) for modality, file, text in found if modality == "image"][:_MOST_SAMPLES]
    for place, (file, text) in enumerate(pictures):
        left = 0.03 + 0.48 * place
        axes = part.add_axes((left, 0.42, 0.46, 0.44), anchor="N")
        axes.set_axis_off()
        with Image.open(file) as image:
            axes.imshow(np.asarray(image.convert("RGB")))
        part.text(left + 0.23, 0.39, _wrapped(text, _WRAP // 2 + 12), fontsize=7, ha="center", va="top", style="italic")
    words = [f"{modality}: {text}" for modality, _, text in found if modality != "image"]
    part.text(0.5, 0.28, "\n".join(_wrapped(one, _WRAP + 24) for one in words), fontsize=8, ha="center", va="top")


def _wrapped(text: str, width: int) -> str:
    """Return a text in at most two lines of so many characters."""
    return textwrap.fill(textwrap.shorten(text, 2 * width - 10, placeholder=" …"), width)


def _draw_forecasts(axes: Any, target: str, outlook: "Outlook") -> None:
    """Draw what was used, and for each announcement the median and up to the 90th percentile."""
    column = RESOURCES.index(target)
    past = outlook.past[:, column]
    axes.plot(_TICK_MINUTES * np.arange(1 - len(past), 1), past, color="#555555", label="observed use")
    for place, (name, found) in enumerate(outlook.forecasts.items()):
        ahead, colour = _TICK_MINUTES * np.arange(1, len(found) + 1), COLOURS[1 - place]
        axes.plot(ahead, found[:, column, 0], color=colour, label=f"{name}: median")
        axes.fill_between(ahead, found[:, column, 0], found[:, column, 1], color=colour, alpha=0.15, linewidth=0,
                          label=f"{name}: up to the 90th percentile")  # fmt: skip
    axes.axvline(0.0, color="#999999", linewidth=0.8, linestyle=":")
    axes.set(xlabel="minutes from now", ylabel=f"{TITLES[target]}, {RESOURCE_UNITS[column]}")
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.3)
