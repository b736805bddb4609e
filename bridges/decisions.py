"""One record a cycle: what was so, who decided, what was wished, clamped, asked and done, and why. JSON lines.

A record holds no secrets, no embeddings, and nothing that depends on how fast the machine was, so the same inputs give
the same bytes (T75). With ``given`` it holds all that was read, too, and :mod:`bridges.redeciding` can decide again.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np

from bridges.contracts import Receipt
from bridges.controller.asking import Answer
from bridges.controller.deciding import Decision
from bridges.shield.clamps import QUANTITIES
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Command
from metaverse_env.units import RESOURCES

Array = np.ndarray
FORMAT: Final = 1
MOST_LINE_BYTES: Final = 64 << 20


class Setup(NamedTuple):
    """How a controller was started: what is needed, with the inputs, to decide again.

    Attributes:
        settings: Of the controller, as JSON.
        scenario: Its name or file, or ``None``.
        tick_s: Length of a cycle, s.
        forecaster: Its name.
        scaling: ``"vertical"``, ``"horizontal"``, or ``None`` for the scenario's.
    """

    settings: Mapping[str, Any]
    scenario: str | None
    tick_s: float
    forecaster: str
    scaling: str | None


class Who(NamedTuple):
    """Who decides: the policy's name, the SHA-256 of its weights or ``""``, and the heuristic's name."""

    policy: str
    weights: str
    heuristic: str


def line_of(record: Mapping[str, Any]) -> str:
    """Return a record as its one line, without the line's end; JSON that every reader takes: no NaN, no infinity."""
    return json.dumps(plain(record), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Return a value as JSON knows it; what is not finite is ``null``, a named tuple is a table."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return value


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's line."""
    return hashlib.sha256(line_of({"": value}).encode()).hexdigest()


def record_of(decision: Decision, who: Who, given: bool = False) -> dict[str, Any]:
    """Return the record of a cycle.

    Args:
        decision: What it decided.
        who: Who decides.
        given: Whether to keep all that was read.
    """
    inputs, verdict = decision.inputs, decision.judged.verdict
    read = _given(decision)
    record = {
        "format": FORMAT,
        "cycle": inputs.moment.cycle,
        "time_s": inputs.moment.unix_s,
        "inputs": digest_of(read),
        "policy": {"name": who.policy, "weights": who.weights},
        "heuristic": who.heuristic,
        "leader": inputs.facts.leads,
        "epoch": inputs.epoch,
        "state": {"mode": decision.state.mode, "risen": decision.state.risen, "reason": decision.state.reason},
        "reasons": list(decision.reasons),
        "decider": decision.permission.decider,
        "written_to": decision.permission.zones,
        "shut": inputs.shut,
        "error": inputs.error,
        "fault": {"code": decision.policy.code, "words": decision.policy.fault},
        "ill": dict(sorted(decision.ill.items())),
        "held": dict(sorted(decision.held.items())),
        "strange": dict(decision.strange),
        "worse": decision.worse,
        "proposal": proposal_of(decision.policy.command, decision.rows),
        "shadow": proposal_of(decision.heuristic.command, decision.rows),
        "clamps": [list(clamp) for clamp in verdict.clamps],
        "stopped": list(verdict.stopped),
        "goals": _goals(verdict.goals, decision.judged.facts.now, decision.judged.facts.zones),
        "receipts": [_receipt(one) for one in decision.receipts],
        "aftercare": [_receipt(one) for one in decision.aftercare],
    }
    return {**record, "given": read} if given else record


def proposal_of(command: Command | None, zones: Sequence[str]) -> dict[str, dict[str, float]] | None:
    """Return a command by zone: cores, MB, Mbps, and the share that is handed over."""
    if command is None:
        return None
    rows = np.round(np.column_stack([command.allocation[0], command.handover[0]]).astype(float), 6).tolist()
    return {zone: dict(zip((*RESOURCES, "handover"), row, strict=True)) for zone, row in zip(zones, rows, strict=True)}


def _goals(goals: Array, now: Array, zones: Iterable[str]) -> dict[str, dict[str, float]]:
    moved = ~np.isnan(goals) & (goals != now)
    found = {
        zone: {name: float(value) for name, value, moves in zip(QUANTITIES, row, moving, strict=True) if moves}
        for zone, row, moving in zip(zones, goals, moved, strict=True)
    }
    return {zone: parts for zone, parts in found.items() if parts}


def _receipt(receipt: Receipt) -> dict[str, Any]:
    change = receipt.change
    return {
        "zone": change.zone,
        "result": receipt.result,
        "code": receipt.code,
        "message": receipt.message,
        "advice": list(receipt.advice),
        "asked": {name: part for name, part in plain(change).items() if name != "zone" and part not in (None, "")},
        "version": receipt.version,
    }


def _given(decision: Decision) -> dict[str, Any]:
    """Return all that was read: what a decision follows from, beside the decisions before it."""
    inputs = decision.inputs
    late = {"policy": decision.policy, "heuristic": decision.heuristic}
    facts = inputs.facts
    return {
        "monotonic_s": inputs.moment.monotonic_s,
        "snapshot": plain(inputs.snapshot),
        "readings": plain(inputs.readings),
        "readable": facts.readable,
        "paused": facts.paused,
        "stopping": facts.stopping,
        "late": {name: list(answer[1:]) for name, answer in late.items() if timed_out(answer)},
    }


def timed_out(answer: Answer) -> bool:
    """Tell whether an answer depends on how fast the machine was."""
    return answer.code == "Timeout"


class DecisionLog:
    """A file of records, one line each, appended to; use it as a context.

    Args:
        path: Of the file.

    Raises:
        ConfigurationError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be written: {error.strerror or error}") from error
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record and hand it to the system at once.

        Raises:
            ConfigurationError: The disk is full, or gone.
        """
        try:
            self._file.write(line_of(record) + "\n")
            self._file.flush()
        except OSError as error:
            raise ConfigurationError(f"{self._path}: cannot be written: {error.strerror or error}") from error


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file; a last line that was cut off by a crash is left out.

    Raises:
        ConfigurationError: It cannot be read, or another line is no record.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    whole = lines[:-1]
    try:
        records = [json.loads(line) for line in whole]
    except ValueError as error:
        raise ConfigurationError(f"{path}: is no log of decisions: {error}") from error
    if any(not isinstance(one, dict) or one.get("format") != FORMAT for one in records):
        raise ConfigurationError(f"{path}: holds a line that is no record of format {FORMAT}")
    return records
