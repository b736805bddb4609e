"""Shows a session in a window and prints, as a line of JSON, what it is like after every change."""

import json
import sys
from pathlib import Path
from typing import Any

from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from metaverse_env.live.watching import watch
from metaverse_env.rendering.interface import LAYERS
from metaverse_env.scenario import load_scenario
from metaverse_env.scenario.root import LayoutSpec


def terms(zones: int = 3, seed: int = 0, name: str = "multi_zone", **others: Any) -> Terms:
    """Return how a small world is simulated."""
    scenario = load_scenario(name).with_changes(layout=LayoutSpec(zones=zones, zones_per_node=2))
    plain: dict[str, Any] = {"dynamics": "physics", "forecaster": "none", "policy": "static"}
    return Terms(scenario, seed=seed, **{**plain, **others})


class Told(Session):
    """A session that tells what it is like."""

    last = ""

    def advance(self, dt_s: float) -> bool:
        changed = super().advance(dt_s)
        line = json.dumps(self.facts())
        if line != self.last:
            print(line, flush=True)
            self.last = line
        return changed

    def facts(self) -> dict[str, Any]:
        shown, size = self.interface, getattr(self, "size", None)
        return {
            "paused": shown.paused,
            "speed": shown.ticks_per_s,
            "selected": shown.selected,
            "help": shown.help,
            "recording": shown.recording,
            "policy": shown.policy,
            "scenario": shown.scenario,
            "hidden": sorted(set(LAYERS) - shown.layers),
            "ticks": self.source.ticks,
            "size": size,
            "said": shown.messages[-1].text if shown.messages else "",
        }

    def frame(self, size: tuple[int, int] = (1280, 720), **looks: bool) -> Any:
        if looks.get("controls", True):
            self.size = size
        return super().frame(size, **looks)


if __name__ == "__main__":
    size = tuple(json.loads(sys.argv[2])) if len(sys.argv) > 2 else None
    told = Told(Simulation(terms(zones=4, name="complex")), ticks_per_s=4.0)
    watch(told, Path(sys.argv[1]), size, say=lambda _: None)  # type: ignore[arg-type]
    print(json.dumps({"ended": told.ended}), flush=True)
