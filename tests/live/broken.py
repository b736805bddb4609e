"""A policy that goes wrong."""

from typing import Any

from metaverse_env.contracts import View
from metaverse_env.telemetry import Command


class Broken:
    """A policy that fails at its third decision."""

    made = 0

    def reset(self, zones: Any, worlds: int) -> None:
        self.made = 0

    def act(self, view: View) -> Command:
        self.made += 1
        if self.made == 3:
            raise ZeroDivisionError("a bug in the policy")
        return view.pending
