"""Pictures of a world: in a window, as arrays, and as films. Importing this loads no drawing library.

A picture is made in three steps that can be tested alone: :mod:`.reading` takes plain values out of the records,
:mod:`.scene` turns them into a description of shapes, :mod:`.viewer` draws it.
"""

from metaverse_env.rendering.film import record_episode_gif
from metaverse_env.rendering.opening import open_viewer

__all__ = ["open_viewer", "record_episode_gif"]
