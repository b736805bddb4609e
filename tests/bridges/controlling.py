"""A controller around a cluster in memory, as tests want it."""

from collections.abc import Callable
from typing import Any

from bridges.clock import ManualClock
from bridges.contracts import Change, Receipt, Snapshot
from bridges.controller.asking import Asker
from bridges.controller.cycle import Controller
from bridges.controller.gate import Alone, Gate, Switch
from bridges.controller.settings import ControllerSettings
from bridges.controller.sight import Sight
from bridges.controller.states import StateSettings
from bridges.controller.watching import Moments, OneByOne, Watched
from bridges.dryrun import DryRunCluster
from bridges.shield.settings import ShieldSettings
from bridges.shield.training_range import TrainingRange
from metaverse_env.contracts import Policy, View
from metaverse_env.plugins import resolve_own
from metaverse_env.telemetry import Command

QUICK = StateSettings(
    shadow_cycles=1, canary_cycles=3, calm_cycles=2, outage_cycles=3, breach_cycles=2, worse_windows=2
)
WIDE = ShieldSettings(cycle_share=1.0)


def policy_named(name: str, **parameters: Any) -> Policy:
    policy: Policy = resolve_own("policies", "agents:load")(name, **parameters)
    return policy


class Scripted:
    """A policy that does what a test says: multiplies what is pending, or whatever ``decide`` returns."""

    reads_forecast = False

    def __init__(self, decide: Callable[[View], Any] | float = 1.0) -> None:
        self.decide = decide if callable(decide) else _times(decide)

    def reset(self, zones: Any, worlds: int) -> None:
        """Nothing to forget."""

    def act(self, view: View) -> Any:
        return self.decide(view)


def _times(factor: float) -> Callable[[View], Command]:
    return lambda view: Command.of(view.pending.allocation * factor)


class Noted(DryRunCluster):
    """A cluster in memory that keeps every call that would change it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.asked: list[tuple[str, bool]] = []
        self.before_write: Callable[[], None] = lambda: None

    def write(self, changes: Any, snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        changes = tuple(changes)
        self.asked += [(change.zone, dry_run) for change in changes]
        receipts = super().write(changes, snapshot, dry_run)
        if not dry_run:
            self.before_write()
        return receipts


class Rig:
    """Everything together."""

    def __init__(
        self,
        policy: Policy | None = None,
        scenario: str = "single_zone",
        heuristic: Policy | None = None,
        training: TrainingRange | None = None,
        leadership: Any = None,
        cluster: Noted | None = None,
        forecaster: str = "none",
        **settings: Any,
    ) -> None:
        self.clock = ManualClock()
        self.cluster = cluster or Noted(scenario, clock=self.clock, seed=3)
        self.clock = self.cluster.clock  # type: ignore[assignment]
        self.switch, self.stopping = Switch(), False
        self.gate = Gate(self.switch, leadership or Alone(), lambda: self.stopping)
        door = OneByOne(self.cluster, self.gate.check)
        self.watched = Watched(door, self.cluster.telemetry, self.clock, budget_s=3.0, draw=lambda: 0.5)
        self.moments = Moments(self.clock)
        self.sight = Sight(self.watched, self.moments, None, 15.0, forecaster)
        made = {"aim": "active", "states": QUICK, "shield": WIDE, "policy_timeout_s": 0.5, **settings}
        self.settings = ControllerSettings(**made)
        asked = Asker(policy or Scripted(), self.settings.policy_timeout_s)
        second = Asker(heuristic or Scripted(), self.settings.policy_timeout_s)
        parts = self.watched, self.sight, self.moments, asked, second, self.gate, self.settings
        self.controller = Controller(*parts, training)

    def run(self, cycles: int) -> list[Any]:
        return [self.controller.cycle() for _ in range(cycles)]

    @property
    def written(self) -> list[Change]:
        return [receipt.change for receipt in self.cluster.written]
