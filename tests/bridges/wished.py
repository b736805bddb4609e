"""Policies that ask for what a file says, so that every write of theirs can be told from all others."""

import json
import os
from pathlib import Path
from typing import Any

from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import CPU

FILE = "METAVERSE_TEST_WISHES"
"""Environment variable: the file's name. It holds cores by zone, by ``"policy"`` and ``"heuristic"``."""


class Wished:
    """Asks for the cores that the file says, and leaves everything else as it is."""

    reads_forecast = False
    part = "policy"

    def reset(self, zones: Any, worlds: int) -> None:
        self._zones = zones.names

    def act(self, view: View) -> Command:
        allocation = view.pending.allocation.copy()
        told = json.loads(Path(os.environ[FILE]).read_text(encoding="utf-8")).get(self.part, {})
        for zone in set(told) & set(self._zones):
            allocation[0, self._zones.index(zone), CPU] = told[zone]
        return Command.of(allocation)


class Otherwise(Wished):
    """Does the same as the heuristic."""

    part = "heuristic"
