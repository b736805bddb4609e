"""Doing nothing: the floor below which no controller should fall, and what an hour costs if nobody acts."""

from typing import ClassVar

from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph


class Hold:
    """Asks again for whatever is pending, and hands nothing over."""

    reads_forecast: ClassVar[bool] = False

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, view: View) -> Command:
        """Return the pending allocation."""
        return Command.of(view.pending.allocation)
