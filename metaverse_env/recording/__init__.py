"""Episodes to and from files: what was asked, observed, true and worth, tick by tick, and how to live it again.

A recording is a NumPy ``.npz`` without pickled objects, so that a file of unknown origin can be opened: one array per
field of :class:`Recording`, and ``about``, a JSON text with the scenario, the seeds and the origin. Record arrays keep
their named columns.

Because a world is a function of scenario, seeds and commands, :func:`replay` can let the same commands happen again and
tell whether everything came out the same: with the same version of the package on the same kind of machine, to the last
bit.
"""

from metaverse_env.recording.episode import Origin, Recording, Turn, play
from metaverse_env.recording.file import load_recording, save_recording
from metaverse_env.recording.injected import Injected
from metaverse_env.recording.keeping import Keeper, record
from metaverse_env.recording.replaying import Difference, Replayed, first_difference, replay
from metaverse_env.recording.series import panel_of

__all__ = [
    "Difference",
    "Injected",
    "Keeper",
    "Origin",
    "Recording",
    "Replayed",
    "Turn",
    "first_difference",
    "load_recording",
    "panel_of",
    "play",
    "record",
    "replay",
    "save_recording",
]
