"""Deciding again from records that hold all that was read: the same bytes, or where they part (T75)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bridges.contracts import Change, Readings, Receipt, Snapshot, Workload
from bridges.controller.asking import Answer, Asker
from bridges.controller.cycle import Controller
from bridges.controller.gate import Gate, Switch
from bridges.controller.settings import ControllerSettings
from bridges.controller.sight import Sight
from bridges.controller.watching import Moments, Watched
from bridges.decisions import Setup, Who, line_of, read_log, record_of
from bridges.errors import UnavailableError
from bridges.recorded_inputs import readings_from, snapshot_from
from bridges.shield.training_range import TrainingRange
from metaverse_env.contracts import Policy, View
from metaverse_env.errors import ConfigurationError

Record = Mapping[str, Any]

__all__ = ["Parting", "Tape", "read_log", "redecide"]


class Parting(NamedTuple):
    """Where two logs part: the cycle, and both lines."""

    cycle: int
    recorded: str
    again: str


class Tape:
    """A cluster, its telemetry, its clock and its lease, as they were recorded; one record at a time.

    Args:
        records: With all that was read.

    Raises:
        ConfigurationError: There is none, or one without what was read.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        if not records or any("given" not in one for one in records):
            raise ConfigurationError("these records do not hold what was read; record with --keep-inputs")
        self._records, self._place = records, 0
        self.switch = Switch()

    @property
    def now(self) -> Record:
        """The record of this cycle."""
        return self._records[self._place]

    def wait_until(self, monotonic_s: float) -> None:
        """Go on to the next record."""
        self._place = min(self._place + 1, len(self._records) - 1)

    def monotonic_s(self) -> float:
        """Return the seconds at the cycle's start."""
        return float(self.now["given"]["monotonic_s"])

    def unix_s(self) -> float:
        """Return the Unix time at the cycle's start."""
        return float(self.now["time_s"])

    def read(self) -> Snapshot:
        """Return what was read.

        Raises:
            UnavailableError: It could not be read.
        """
        if not self.now["given"]["readable"]:
            raise UnavailableError(str(self.now["error"]).partition(": ")[2])
        return snapshot_from(self.now["given"]["snapshot"])

    def measured(self, _: Sequence[Workload]) -> Readings:
        """Return what was measured."""
        return readings_from(self.now["given"]["readings"])

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Return the receipts that there were."""
        told = {one["zone"]: one for one in self.now["receipts"]}
        return tuple(_receipt(change, told.get(change.zone)) for change in changes)

    @property
    def leading(self) -> bool:
        """Whether it led."""
        return bool(self.now["leader"])

    @property
    def epoch(self) -> int | None:
        """Number of the leadership."""
        epoch: int | None = self.now["epoch"]
        return epoch

    def start(self) -> None:
        """Ask for nothing."""

    def stop(self) -> None:
        """Give nothing back."""


class _Measured:
    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def read(self, workloads: Sequence[Workload]) -> Readings:
        return self._tape.measured(workloads)


class _Recalled(Asker):
    """Asks a policy, which is as late as it was."""

    def __init__(self, policy: Policy, tape: Tape, name: str) -> None:
        super().__init__(policy, timeout_s=3600.0)
        self._tape, self._name = tape, name

    def ask(self, view: View) -> Answer:
        late = self._tape.now["given"]["late"].get(self._name)
        return Answer(None, *late) if late else super().ask(view)


class _TapeSwitch(Switch):
    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    @property
    def why(self) -> str:
        return str(self._tape.now["given"]["paused"])


def _receipt(change: Change, told: Record | None) -> Receipt:
    if told is None:
        return Receipt(change, "skipped", "Unrecorded", "no such receipt was recorded")
    return Receipt(change, told["result"], told["code"], told["message"], tuple(told["advice"]), told["version"])


def redecide(
    records: Sequence[Record],
    policy: Policy,
    heuristic: Policy,
    who: Who,
    setup: Setup,
    training: TrainingRange | None = None,
) -> Iterator[tuple[dict[str, Any], Parting | None]]:
    """Decide again, record by record.

    Args:
        records: From a controller's start on, with all that was read.
        policy: Who decided.
        heuristic: Who stood by.
        who: What is written into records.
        setup: As it was; whether the server was asked first does not matter.
        training: As it was.

    Yields:
        Each record anew, and where it differs from the old one, or ``None``.

    Raises:
        ConfigurationError: The records do not hold what was read.
    """
    tape = Tape(records)
    watched, moments = Watched(tape, _Measured(tape), tape, budget_s=0.0), Moments(tape)
    sight = Sight(watched, moments, setup.scenario, setup.tick_s, setup.forecaster, setup.scaling)
    askers = _Recalled(policy, tape, "policy"), _Recalled(heuristic, tape, "heuristic")
    gate = Gate(_TapeSwitch(tape), tape, lambda: bool(tape.now["given"]["stopping"]))
    chosen = ControllerSettings.model_validate({**setup.settings, "dry_run": False})
    controller = Controller(watched, sight, moments, *askers, gate, chosen, training)
    try:
        for record in records:
            again = record_of(controller.cycle(), who, given=True)
            lines = line_of({name: part for name, part in record.items() if name != "setup"}), line_of(again)
            yield again, None if lines[0] == lines[1] else Parting(int(record["cycle"]), *lines)
    finally:
        for asker in askers:
            asker.close()
