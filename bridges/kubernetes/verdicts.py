"""What became of what was written: values echoed, rollouts that fail, others that undo it. Pure, but for a memory."""

from typing import NamedTuple

from bridges.contracts import Result
from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.limits import Refusal
from bridges.kubernetes.marks import Mark, State
from bridges.kubernetes.ownership import gitops_of
from bridges.kubernetes.planning import NOT_NOW
from bridges.kubernetes.settings import ClusterSettings


def result_of(refusal: Refusal) -> Result:
    """Return whether something is skipped for now or refused as it stands."""
    return "skipped" if refusal.code in NOT_NOW else "refused"


def undone(now: State, mark: Mark) -> tuple[str, ...]:
    """Return which parts differ from what the bridge asked for: somebody else wrote them since.

    >>> undone(State(replicas=1), Mark("bridge", State(replicas=3)))
    ('replicas',)
    """
    asked = mark.asked
    ours = State(None if mark.in_place else asked.resources, asked.replicas, asked.bandwidth)
    triples = zip(State._fields, ours, now, strict=True)
    return tuple(name for name, wanted, found in triples if wanted is not None and wanted != found)


def echoed(zone: str, wanted: State, found: State, in_place: bool) -> Refusal | None:
    """Refuse to believe an answer that does not say what was written: old servers drop what they do not know."""
    missing = undone(found, Mark("", wanted._replace(replicas=None), in_place=in_place))
    if not missing:
        return None
    return Refusal("NotEchoed", f"zone {zone!r}: the server accepted the change but not its {', '.join(missing)}")


def failed(facts: DeploymentFacts) -> Refusal | None:
    """Return why what was asked for last cannot come about, if that is so and it still stands there."""
    if facts.mark is None or not facts.workload.problem or undone(facts.state, facts.mark):
        return None
    code, _, message = facts.workload.problem.partition(": ")
    return Refusal(code, f"zone {facts.workload.zone!r}: {message}")


def last_good(facts: DeploymentFacts, manager: str) -> State:
    """Return what a change that fails is taken back to: what stands there, if that works; else what last did."""
    if facts.workload.rollout == "complete" or facts.mark is None:
        return facts.state
    return facts.mark.good if facts.mark.manager == manager else State()


def to_take_back(facts: DeploymentFacts) -> State:
    """Return the parts of the last good values that differ from what stands there; once only."""
    mark = facts.mark
    if mark is None or mark.reverted:
        return State()
    good, asked, now = mark.good, mark.asked, facts.state
    return State(
        good.resources if asked.resources is not None and good.resources != now.resources else None,
        good.replicas if asked.replicas is not None and good.replicas != now.replicas else None,
        good.bandwidth if asked.bandwidth is not None and good.bandwidth != now.bandwidth else None,
    )


class Undoing(NamedTuple):
    """What others did to one Deployment.

    Attributes:
        times: Monotonic times at which it was seen that they undid a change.
        parts: Which parts are other than asked for now.
    """

    times: tuple[float, ...] = ()
    parts: tuple[str, ...] = ()


class Memory:
    """What the bridge wrote to each Deployment and how often others undid it; by uid.

    The mark on the Deployment says the same, unless they take that away as well.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._marks: dict[str, Mark] = {}
        self._undoings: dict[str, Undoing] = {}
        self._rollouts_s: dict[str, float] = {}

    def mark(self, facts: DeploymentFacts) -> Mark | None:
        """Return what was written last: what we remember, or what the Deployment says."""
        return self._marks.get(facts.workload.uid, facts.mark)

    def wrote(self, uid: str, mark: Mark, rollout_s: float | None) -> None:
        """Remember a write, and when it began to replace pods (monotonic), if it did."""
        self._marks[uid] = mark
        self._undoings[uid] = self._undoings.get(uid, Undoing())._replace(parts=())
        if rollout_s is not None:
            self._rollouts_s[uid] = rollout_s

    def since_rollout_s(self, facts: DeploymentFacts, now_s: float, unix_s: float) -> float | None:
        """Return how long ago the bridge last changed the template.

        By our own clock where we did it or saw it first; the writer's clock, which may be wrong, is used but once.
        """
        uid, mark = facts.workload.uid, facts.mark
        if mark is not None and mark.rollout_s is not None:
            self._rollouts_s.setdefault(uid, now_s - max(0.0, unix_s - mark.rollout_s))
        return now_s - self._rollouts_s[uid] if uid in self._rollouts_s else None

    def look(self, facts: DeploymentFacts, now_s: float) -> dict[str, Refusal]:
        """Return the parts that are not written in this cycle because others wrote them, counting each time once."""
        uid, mark = facts.workload.uid, self.mark(facts)
        if mark is None:
            return {}
        before = self._undoings.get(uid) or Undoing((now_s,) * mark.undone)
        window_s = self._settings.undone_window_s
        parts = undone(facts.state, mark)
        fresh = parts if set(parts) - set(before.parts) else ()
        times = tuple(time for time in before.times if now_s - time < window_s)
        times = (*times, now_s) if fresh else times
        self._undoings[uid] = Undoing(times, parts)
        if len(times) >= self._settings.undone_most:
            return dict.fromkeys(("cpu", "memory", "replicas", "bandwidth"), self._at_war(facts, parts, len(times)))
        return _named(parts, _told(facts, mark, fresh)) if fresh else {}

    def times_undone(self, uid: str) -> int:
        """Return how often others undid changes lately."""
        return len(self._undoings.get(uid, Undoing()).times)

    def forget(self, uids: frozenset[str]) -> None:
        """Forget Deployments that are no more."""
        for memory in (self._marks, self._undoings, self._rollouts_s):
            for uid in memory.keys() - uids:
                del memory[uid]

    def _at_war(self, facts: DeploymentFacts, parts: tuple[str, ...], times: int) -> Refusal:
        tool, what = gitops_of(facts) or "somebody", ", ".join(parts) or "its changes"
        remedy = "let its manifests leave these fields out"
        if tool == "Argo CD":
            remedy = "add them to ignoreDifferences with RespectIgnoreDifferences=true"
        message = f"zone {facts.workload.zone!r}: {tool} undid {what} {times} times; nothing is written"
        return Refusal("GitOpsRevert", f"{message} for {self._settings.undone_window_s:g} s; {remedy}")


def _told(facts: DeploymentFacts, mark: Mark, parts: tuple[str, ...]) -> Refusal:
    zone, now, asked = facts.workload.zone, facts.state, mark.asked
    if "replicas" in parts and now.replicas == 1:
        message = f"zone {zone!r}: replicas were set from {asked.replicas} to 1, and not by the bridge"
        return Refusal("ReplicasReset", f"{message}; a manifest that drops spec.replicas does that")
    listed = ", ".join(f"{part} from {getattr(asked, part)} to {getattr(now, part)}" for part in parts)
    return Refusal("Undone", f"zone {zone!r}: somebody else changed {listed}; nothing is written in this cycle")


def _named(parts: tuple[str, ...], refusal: Refusal) -> dict[str, Refusal]:
    names = {"resources": ("cpu", "memory"), "replicas": ("replicas",), "bandwidth": ("bandwidth",)}
    return {name: refusal for part in parts for name in names[part]}
