"""What one cycle decided, as a value: for the record, for metrics, for people."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bridges.contracts import Readings, Receipt, Snapshot
from bridges.controller.asking import Answer
from bridges.controller.states import Facts, Permission, State
from bridges.shield.guard import Judged
from metaverse_env.contracts import View

Array = np.ndarray


class Moment(NamedTuple):
    """When a cycle was: its number, monotonic and Unix seconds."""

    cycle: int
    monotonic_s: float
    unix_s: float


class Inputs(NamedTuple):
    """All that a decision follows from, beside what was decided before.

    Attributes:
        moment: When.
        snapshot: Of the cluster, the last that could be read.
        readings: Of its telemetry.
        error: Why the cluster could not be read, or ``""``.
        facts: What the state machine was told.
        epoch: Number of the leadership.
        shut: Why nothing may be written, or ``""``.
    """

    moment: Moment
    snapshot: Snapshot
    readings: Readings
    error: str
    facts: Facts
    epoch: int | None
    shut: str


class Decision(NamedTuple):
    """What one cycle decided.

    Attributes:
        inputs: What it follows from.
        view: What the policies saw.
        rows: Names of the zones that commands and views are of.
        state: After it.
        reasons: Why.
        permission: Who decides, and where it is written.
        policy: Its answer.
        heuristic: Its answer.
        judged: What the shield made of the answer that counts.
        ill: Zone to why it is ill or unmeasured.
        held: Zone to why it is left alone.
        strange: Zone to how unlike those of training its observation is, 0 to 1.
        receipts: What became of the changes.
        aftercare: What became of earlier ones.
        worse: Whether the policy was worse than the heuristic, at the end of a window.
    """

    inputs: Inputs
    view: View
    rows: tuple[str, ...]
    state: State
    reasons: tuple[str, ...]
    permission: Permission
    policy: Answer
    heuristic: Answer
    judged: Judged
    ill: Mapping[str, str]
    held: Mapping[str, str]
    strange: Mapping[str, float]
    receipts: tuple[Receipt, ...]
    aftercare: tuple[Receipt, ...]
    worse: bool | None
