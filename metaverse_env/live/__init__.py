"""A world that is watched while it runs: one session owns what is shown and how it goes on.

:class:`~metaverse_env.live.session.Session` takes commands of :mod:`~metaverse_env.live.commands`, lets time pass and
describes its picture; a window, a film and a browser only ask it. What ticks come from is a
:class:`~metaverse_env.live.sources.Source`. Nothing here draws, listens or needs a display.
"""
