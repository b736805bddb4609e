"""The state machine: from a state and what is so to the next state and the reasons.

``OFF -> SHADOW -> CANARY -> ACTIVE`` is the way up, one step at a time and each only after enough good cycles; the
operator's ``aim`` says how far. What goes wrong leads down, the gravest first:

========== =========================================================== =========== =====================================
from       when                                                        to          reason
========== =========================================================== =========== =====================================
any        it is asked to stop                                         OFF         Stopped
OFF        it starts                                                   SHADOW      Started
any        paused by annotation, file or signal                        PAUSED      Paused
PAUSED     no longer paused                                            SHADOW      Resumed; all counts start anew
acting     it does not lead                                            HOLD        NotLeader
acting     the API cannot be read                                      HOLD        ClusterUnavailable
acting     more zones are ill or unmeasured than ``most_ill_share``    HOLD        TooManyIll (an alarm)
HOLD       that lasts for ``outage_cycles``, with leadership           FALLBACK    OutageLasts
acting     the canary zones break the objective for ``breach_cycles``  FALLBACK*   CanaryBreach; zones are rolled back
acting     worse than the heuristic for ``worse_windows``              FALLBACK*   WorseThanHeuristic
acting     a rollout of ours is stuck and was taken back               FALLBACK*   RolloutStuck
acting     observations are unlike those of training                   FALLBACK    OutOfDistribution
acting     the policy failed ``policy_failures`` times in a row        FALLBACK    PolicyFails
HOLD       all is well for ``calm_cycles``                             as it rose  Recovered
FALLBACK   all is well for ``calm_cycles``, and it is not starred      as it rose  Recovered
FALLBACK*  is left only over PAUSED: by somebody who looked into it    FALLBACK    the reason it came by
SHADOW     good for ``shadow_cycles``; the aim is higher               CANARY or   Promoted
                                                                       ACTIVE
CANARY     good for ``canary_cycles``; the aim is higher               ACTIVE      Promoted
========== =========================================================== =========== =====================================

*acting* is CANARY, ACTIVE, FALLBACK and HOLD; in SHADOW the same conditions only keep it from rising, and who waits for
the lease counts good cycles meanwhile, so that it acts as soon as it leads. Who decides in a state, and for which
zones, says :func:`permission_of`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["off", "shadow", "canary", "active", "fallback", "hold", "paused"]
Aim = Literal["shadow", "canary", "active"]
Decider = Literal["policy", "heuristic", "nobody"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
STICKY: Final = ("CanaryBreach", "WorseThanHeuristic", "RolloutStuck")
"""Reasons to fall back that no calm makes good."""


class StateSettings(BaseModel):
    """How patient the state machine is; all numbers of cycles count those in a row.

    Attributes:
        shadow_cycles: Good cycles in SHADOW before it rises.
        canary_cycles: Good cycles in CANARY before it rises.
        calm_cycles: Good cycles before it leaves HOLD or FALLBACK.
        outage_cycles: Cycles of an outage in HOLD before FALLBACK.
        breach_cycles: Cycles in which the canary breaks the objective before it is rolled back.
        worse_windows: Windows in which the policy is worse than the heuristic before FALLBACK.
        policy_failures: Failures of the policy before FALLBACK; each one alone is made good by the heuristic.
        most_ill_share: Share of the zones that may be ill or unmeasured before nothing is done at all.
        most_strange_share: Share of the zones whose observations may be unlike those of training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    shadow_cycles: int = Field(default=2, ge=1, le=1_000_000)
    canary_cycles: int = Field(default=40, ge=1, le=1_000_000)
    calm_cycles: int = Field(default=3, ge=1, le=1_000_000)
    outage_cycles: int = Field(default=20, ge=1, le=1_000_000)
    breach_cycles: int = Field(default=4, ge=1, le=1_000_000)
    worse_windows: int = Field(default=3, ge=1, le=1_000_000)
    policy_failures: int = Field(default=3, ge=1, le=1_000_000)
    most_ill_share: float = Field(default=0.4, ge=0.0, lt=1.0)
    most_strange_share: float = Field(default=0.5, ge=0.0, le=1.0)


@dataclass(frozen=True, slots=True)
class State:
    """Where the controller stands.

    Attributes:
        mode: What it does.
        risen: How far it had risen, to which it recovers.
        reason: Why it is in this mode.
        good: Good cycles in a row.
        outage: Cycles of an outage in a row.
        breach: Cycles in which the canary broke the objective, in a row.
        worse: Windows in which the policy was worse than the heuristic, in a row.
        failures: Failures of the policy in a row.
    """

    mode: Mode = "off"
    risen: Mode = "shadow"
    reason: str = ""
    good: int = 0
    outage: int = 0
    breach: int = 0
    worse: int = 0
    failures: int = 0


class Facts(NamedTuple):
    """What is so in a cycle.

    Attributes:
        aim: How far the operator wants it to rise.
        canary: Whether there are canary zones.
        stopping: It is asked to stop.
        paused: Why it is paused, or ``""``.
        leads: Whether it holds the lease; who needs none leads.
        readable: Whether the cluster could be read.
        ill_share: Share of the zones that are ill or of which nothing fresh is known.
        strange_share: Share of the zones whose observation is unlike those of training.
        policy_fault: Why the policy's answer cannot be used, or ``""``.
        breach: Whether the canary zones break the objective.
        worse: Whether the policy was worse than the heuristic; ``None`` while a window is not over.
        stuck: A zone whose rollout was stuck and taken back, or ``""``.
    """

    aim: Aim = "shadow"
    canary: bool = False
    stopping: bool = False
    paused: str = ""
    leads: bool = True
    readable: bool = True
    ill_share: float = 0.0
    strange_share: float = 0.0
    policy_fault: str = ""
    breach: bool = False
    worse: bool | None = None
    stuck: str = ""


class Permission(NamedTuple):
    """Who decides.

    Attributes:
        decider: Whose wish is followed.
        zones: ``"all"``, ``"canary"`` or ``"none"``: where it is written.
        rescue: Whether what a kill for memory asks for is written even if nobody decides.
    """

    decider: Decider
    zones: Literal["all", "canary", "none"]
    rescue: bool = False


def advance(state: State, facts: Facts, settings: StateSettings) -> tuple[State, tuple[str, ...]]:
    """Return the next state and the reasons for it; see the table of the module.

    >>> state, reasons = advance(State("active", "active"), Facts("active", ill_share=0.5), StateSettings())
    >>> state.mode, reasons
    ('hold', ('TooManyIll: 50 % of the zones are ill or unmeasured; more than 40 %',))
    """
    if facts.stopping:
        return State("off", reason="Stopped"), ("Stopped",)
    if facts.paused:
        return State("paused", reason="Paused"), (f"Paused: {facts.paused}",)
    if state.mode == "paused":
        return State("shadow", reason="Resumed"), ("Resumed",)
    if state.mode == "off":
        return State("shadow", reason="Started"), ("Started",)
    counted = _counted(state, facts, settings)
    trouble = _trouble(counted, facts, settings)
    return _down(counted, trouble, facts, settings) if trouble else _up(counted, facts, settings)


def _counted(state: State, facts: Facts, settings: StateSettings) -> State:
    """Return the state with this cycle counted."""
    out = not facts.readable or facts.ill_share > settings.most_ill_share
    worse = state.worse if facts.worse is None else state.worse + 1 if facts.worse else 0
    return replace(
        state,
        outage=state.outage + 1 if out else 0,
        breach=state.breach + 1 if facts.breach else 0,
        worse=worse,
        failures=state.failures + 1 if facts.policy_fault else 0,
    )


def _trouble(state: State, facts: Facts, settings: StateSettings) -> tuple[str, str]:
    """Return the gravest trouble, a reason and its words; nothing to hold or fall back for gives an empty tuple."""
    ill, strange = 100.0 * facts.ill_share, 100.0 * facts.strange_share
    limits = 100.0 * settings.most_ill_share, 100.0 * settings.most_strange_share
    found: tuple[tuple[bool, str, str], ...] = (
        (not facts.leads, "NotLeader", "another replica holds the lease"),
        (not facts.readable, "ClusterUnavailable", "the cluster cannot be read"),
        (ill > limits[0], "TooManyIll", f"{ill:.3g} % of the zones are ill or unmeasured; more than {limits[0]:g} %"),
        (bool(facts.stuck), "RolloutStuck", f"zone {facts.stuck!r}: the rollout of a change did not come about"),
        (state.breach >= settings.breach_cycles, "CanaryBreach", f"objective broken for {state.breach} cycles"),
        (state.worse >= settings.worse_windows, "WorseThanHeuristic", f"for {state.worse} windows"),
        (strange > limits[1], "OutOfDistribution", f"{strange:.3g} % of the zones are unlike those of training"),
        (state.failures >= settings.policy_failures, "PolicyFails", facts.policy_fault),
    )
    return next(((reason, words) for so, reason, words in found if so), ())  # type: ignore[return-value]


def _down(
    state: State, trouble: tuple[str, str], facts: Facts, settings: StateSettings
) -> tuple[State, tuple[str, ...]]:
    reason, words = trouble
    said = (f"{reason}: {words}",)
    if state.mode == "shadow":  # it does not act, and so need not be stopped; but it does not rise either
        return replace(state, good=state.good + 1 if reason == "NotLeader" else 0), said
    if state.mode == "fallback" and (state.reason in STICKY or reason not in ("NotLeader", "ClusterUnavailable")):
        return replace(state, good=0, reason=reason if reason in STICKY else state.reason), said
    holds = reason in ("NotLeader", "ClusterUnavailable", "TooManyIll")
    if holds and facts.leads and facts.readable and state.outage >= settings.outage_cycles:
        return replace(state, mode="fallback", reason="OutageLasts", good=0), (f"OutageLasts: {words}",)
    return replace(state, mode="hold" if holds else "fallback", reason=reason, good=0), said


def _up(state: State, facts: Facts, settings: StateSettings) -> tuple[State, tuple[str, ...]]:
    """Return the state after a cycle in which nothing is wrong."""
    good = replace(state, good=0 if facts.policy_fault else state.good + 1)
    if (state.mode, state.reason in STICKY) == ("fallback", True):
        return good, (f"{state.reason}: until somebody pauses and resumes",)
    if state.mode in ("hold", "fallback"):
        back = State(state.risen, state.risen, "Recovered")
        return (back, ("Recovered",)) if good.good >= settings.calm_cycles else (good, (state.reason,))
    above = _above(state.mode, facts)
    needed = settings.canary_cycles if state.mode == "canary" else settings.shadow_cycles
    if above is None or good.good < needed:
        return good, (state.reason,)
    return State(above, above, "Promoted"), ("Promoted",)


def _above(mode: Mode, facts: Facts) -> Mode | None:
    """Return the next mode on the way up to the aim, or ``None`` at its end."""
    way: dict[Aim, tuple[Mode, ...]] = {
        "shadow": ("shadow",),
        "canary": ("shadow", "canary"),
        "active": ("shadow", "canary", "active") if facts.canary else ("shadow", "active"),
    }
    steps = way[facts.aim]
    after = steps[steps.index(mode) + 1 :] if mode in steps else ()
    return after[0] if after else None


def permission_of(state: State, facts: Facts, settings: StateSettings) -> Permission:
    """Return who decides in a state; an answer of the policy that cannot be used makes the heuristic decide at once."""
    if state.mode in ("off", "paused") or not facts.leads or not facts.readable:
        return Permission("nobody", "none")
    zones: Any = "canary" if state.risen == "canary" else "all"
    if state.mode == "shadow":
        return Permission("heuristic" if facts.policy_fault else "policy", "none")
    if state.mode == "hold" or facts.ill_share > settings.most_ill_share:
        return Permission("nobody", zones, rescue=state.mode == "fallback")
    if state.mode == "fallback" or facts.policy_fault:
        return Permission("heuristic", zones)
    return Permission("policy", zones)
