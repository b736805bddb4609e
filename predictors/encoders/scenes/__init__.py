"""The project's own synthetic samples of activities: drawn scenes, spoken sentences, synthesised motions.

They are synthetic and say so wherever they are written. :mod:`.folders` writes them out, one sub-folder an activity;
:mod:`.images`, :mod:`.speech` and :mod:`.motions` make them. The same split, seed and number give the same sample.
"""

from typing import Final, Literal

Split = Literal["train", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "test")
"""Samples to learn a fusion from, and samples that no fusion saw: scenes, sentences, voices and motions all differ."""

ACTIVITIES: Final = ("idle", "social", "trade", "build", "game", "concert")
"""What can be drawn, said and moved: the activities of the default scenario."""
