"""Changes written: planned on what stands there now, tried again when somebody was faster, told in receipts."""

import random
from collections.abc import Callable
from typing import NamedTuple

from bridges.contracts import Change, Clock, Receipt
from bridges.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    NotLeaderError,
    OutcomeUnknownError,
    RejectedError,
    ShutError,
    UnauthorisedError,
    UnavailableError,
)
from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.limits import Ledger, Refusal
from bridges.kubernetes.marks import State
from bridges.kubernetes.ownership import held_by_state
from bridges.kubernetes.planning import Around, Plan, plan
from bridges.kubernetes.pods import PodFacts
from bridges.kubernetes.putting import FencedError, Put, Putter, RefusedError
from bridges.kubernetes.reading import Picture, Reader
from bridges.kubernetes.resizing import next_step
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Sizing
from bridges.kubernetes.verdicts import Memory, last_good, result_of
from metaverse_env.errors import ActionError, ClusterError

FIRST_WAIT_S = 0.05
CODES: tuple[tuple[type[ClusterError], str], ...] = (
    (NotFoundError, "Gone"),
    (DeniedError, "RBACDenied"),
    (RejectedError, "Rejected"),
    (UnauthorisedError, "Unauthorised"),
    (OutcomeUnknownError, "OutcomeUnknown"),
    (UnavailableError, "Unavailable"),
    (ConflictError, "Conflict"),
    (FencedError, "Fenced"),
    (ShutError, "Fenced"),
    (NotLeaderError, "Fenced"),
)


class Outcome(NamedTuple):
    """A receipt, and what is left for the next changes."""

    receipt: Receipt
    ledger: Ledger


class Writer:
    """Writes changes, one at a time.

    Args:
        reader: Reads a Deployment anew before each try.
        putter: Sends.
        memory: Of what was written.
        settings: What may be done.
        clock: For waits.
        resizes: Tells whether the server resizes running pods.
        draw: Uniform in [0, 1), for waits.
    """

    def __init__(
        self,
        reader: Reader,
        putter: Putter,
        memory: Memory,
        settings: ClusterSettings,
        clock: Clock,
        resizes: Callable[[], bool],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._reader, self._putter, self._memory, self._settings = reader, putter, memory, settings
        self._clock, self._resizes, self._draw = clock, resizes, draw

    def write(self, change: Change, picture: Picture, ledger: Ledger, dry_run: bool) -> Outcome:
        """Write what a change asks of its Deployment; never raises what concerns this zone alone."""
        known = picture.facts.get(change.zone)
        if known is None:
            refusal = Refusal("NotFound", f"zone {change.zone!r}: no Deployment was read of it")
            return Outcome(receipt(change, refusal), ledger)
        try:
            return self._try_often(change, known, picture, ledger, dry_run)
        except ActionError as error:
            return Outcome(Receipt(change, "refused", "Invalid", str(error)), ledger)
        except ClusterError as error:
            return Outcome(failure(change, error), ledger)

    def around(self, facts: DeploymentFacts, picture: Picture, resize: bool | None = None) -> Around:
        """Return what a plan for a zone depends on."""
        held = {
            **picture.held.get(facts.workload.name, {}),
            **held_by_state(facts, self._putter.manager, self._settings),
        }
        since = self._memory.since_rollout_s(facts, self._clock.monotonic_s(), self._clock.unix_s())
        pods = tuple(pod.desired for pod in running(picture.pods.get(facts.workload.zone, ())))
        resizes = self._settings.resize and self._resizes() if resize is None else resize
        return Around(self._settings, self._putter.manager, held, picture.budgets, resizes, since, pods)

    def _try_often(
        self, change: Change, known: DeploymentFacts, picture: Picture, ledger: Ledger, dry_run: bool
    ) -> Outcome:
        last, ours = None, State()
        for attempt in range(self._settings.tries):
            if last is not None:
                self._wait(attempt)
            facts = self._reader.read_one(known.workload.name)
            moved = _moved(change, known, facts, ours)
            if moved is not None:
                return Outcome(receipt(change, moved), ledger)
            planned = plan(change, facts, self.around(facts, picture), ledger)
            if planned.empty:
                return Outcome(_nothing_to_do(change, planned, facts, last), ledger)
            try:
                return Outcome(self._put(change, facts, planned, picture, dry_run), planned.ledger)
            except (ConflictError, OutcomeUnknownError) as error:
                last, ours = error, planned.wanted  # a part of it may have been done
        raise last or ConflictError(f"zone {change.zone!r}: not tried")

    def _wait(self, attempt: int) -> None:
        self._clock.wait_until(self._clock.monotonic_s() + self._draw() * FIRST_WAIT_S * 2**attempt)

    def _put(self, change: Change, facts: DeploymentFacts, planned: Plan, picture: Picture, dry_run: bool) -> Receipt:
        good = last_good(facts, self._putter.manager)
        version = self._putter.put(facts, Put(planned.wanted, planned.ratios, planned.in_place, good), dry_run)
        waiting: tuple[str, ...] = ()
        if planned.in_place and planned.wanted.resources is not None:
            waiting = self.resize(facts, picture.pods.get(change.zone, ()), planned.wanted.resources, dry_run)
        code = planned.refusals[0].code if planned.refusals else ""
        message = "; ".join(refusal.message for refusal in planned.refusals)
        return Receipt(change, "dry_run" if dry_run else "written", code, message, (*planned.advice, *waiting), version)

    def resize(
        self, facts: DeploymentFacts, pods: tuple[PodFacts, ...], target: Sizing, dry_run: bool
    ) -> tuple[str, ...]:
        """Resize running pods where that is due; return what is waited for, in words."""
        waiting = []
        for pod in running(pods):
            step = next_step(pod, target, self._settings, self._clock.unix_s())
            if step.act == "resize":
                try:
                    self._putter.resize(pod, facts.workload.container, target, dry_run)
                except (ConflictError, NotFoundError) as error:
                    waiting.append(f"pod {pod.pod.name}: {error}; it is resized in a later cycle")
            elif step.act != "done":
                waiting.append(step.message)
        return tuple(waiting)


def running(pods: tuple[PodFacts, ...]) -> list[PodFacts]:
    """Return the pods that have a size to change."""
    return [pod for pod in pods if not pod.pod.deleting and pod.pod.phase == "Running"]


def receipt(change: Change, refusal: Refusal, advice: tuple[str, ...] = ()) -> Receipt:
    """Return the receipt of a change that is not written."""
    return Receipt(change, result_of(refusal), refusal.code, refusal.message, advice)


def failure(change: Change, error: ClusterError) -> Receipt:
    """Return the receipt of a change that met an error."""
    if isinstance(error, RefusedError):
        return receipt(change, error.refusal)
    code = next((name for kind, name in CODES if isinstance(error, kind)), "Failed")
    if code in {"Gone", "Fenced"}:
        return Receipt(change, "skipped", code, f"zone {change.zone!r}: {error}")
    return Receipt(change, "refused" if code == "Rejected" else "failed", code, f"zone {change.zone!r}: {error}")


def _moved(change: Change, known: DeploymentFacts, facts: DeploymentFacts, ours: State) -> Refusal | None:
    """Refuse to act on what is no longer so: the Deployment is another, or others changed what shall change."""
    zone = change.zone
    if facts.workload.uid != known.workload.uid:
        return Refusal("Gone", f"zone {zone!r}: its Deployment was deleted and made again since it was read")
    asked = (change.requests, change.replicas, change.bandwidth_mbps)
    rows = zip(State._fields, asked, known.state, ours, facts.state, strict=True)
    moved = [part for part, value, before, mine, now in rows if value is not None and now not in {before, mine}]
    if not moved:
        return None
    return Refusal(
        "ChangedMeanwhile", f"zone {zone!r}: somebody changed {', '.join(moved)} since it was read; decide anew"
    )


def _nothing_to_do(change: Change, planned: Plan, facts: DeploymentFacts, last: ClusterError | None) -> Receipt:
    if planned.refusals:
        return receipt(change, planned.refusals[0], planned.advice)
    done = isinstance(last, OutcomeUnknownError)  # the write whose answer was lost had been done
    return Receipt(change, "written" if done else "unchanged", advice=planned.advice, version=facts.workload.version)
