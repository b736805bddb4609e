"""What the bridge remembers on an object that it wrote: one annotation, so that a restart forgets nothing.

It says what was last asked for and what had last been seen to work, which is what a failed change is taken back to. On
servers that keep no owners of ``/scale`` it is also the only trace of who scaled.
"""

import json
from fractions import Fraction
from typing import Any, NamedTuple

from bridges.kubernetes.sizes import Ratios, Size, Sizing

PREFIX = "metaverse-env.dev"
MARK = f"{PREFIX}/bridge"
EPOCH = f"{PREFIX}/epoch"
BANDWIDTH = "kubernetes.io/egress-bandwidth"
MOST_MARK = 4096


class State(NamedTuple):
    """Values of a zone. ``None`` where the bridge never wrote them.

    Attributes:
        resources: Of one container.
        replicas: How many pods.
        bandwidth: Of one pod, as a quantity of bits per second.
    """

    resources: Sizing | None = None
    replicas: int | None = None
    bandwidth: str | None = None


class Mark(NamedTuple):
    """The annotation.

    Attributes:
        manager: The field manager that wrote it.
        asked: What was written last.
        good: What worked before that.
        ratios: Limit over request when the bridge first came, so that rounding never adds up.
        rollout_s: Unix time of the latest change of the pod template, from the writer's clock.
        reverted: Whether ``asked`` was put back after a failure: a second failure is only reported.
        undone: How often others undid what was written, lately.
        in_place: Whether resources were given to running pods, and the template was left as it is.
    """

    manager: str
    asked: State = State()
    good: State = State()
    ratios: Ratios = Ratios()
    rollout_s: float | None = None
    reverted: bool = False
    undone: int = 0
    in_place: bool = False


def encode(mark: Mark) -> str:
    """Return a mark as an annotation's text: the same mark gives the same text."""
    content = {
        "manager": mark.manager,
        "asked": _state_out(mark.asked),
        "good": _state_out(mark.good),
        "ratios": [None if ratio is None else str(ratio) for ratio in mark.ratios],
        "rollout_s": mark.rollout_s,
        "reverted": mark.reverted,
        "undone": mark.undone,
        "in_place": mark.in_place,
    }
    return json.dumps({key: value for key, value in content.items() if value}, separators=(",", ":"), sort_keys=True)


def decode(annotation: str | None) -> Mark | None:
    """Return the mark of an annotation; ``None`` where there is none or one that nobody can read.

    Others may edit annotations: what cannot be read is as if it were not there, and is written anew.
    """
    if not annotation or len(annotation) > MOST_MARK:
        return None
    try:
        return _mark_in(json.loads(annotation))
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
        return None


def _mark_in(content: dict[str, Any]) -> Mark:
    rollout = content.get("rollout_s")
    return Mark(
        manager=str(content["manager"]),
        asked=_state_in(content.get("asked")),
        good=_state_in(content.get("good")),
        ratios=Ratios(*(None if one is None else Fraction(one) for one in content.get("ratios", (None, None)))),
        rollout_s=None if rollout is None else float(rollout),
        reverted=content.get("reverted", False) is True,
        undone=_count(content.get("undone", 0)),
        in_place=content.get("in_place", False) is True,
    )


def _state_out(state: State) -> dict[str, Any]:
    sides = None if state.resources is None else [list(side) for side in state.resources]
    content = {"resources": sides, "replicas": state.replicas, "bandwidth": state.bandwidth}
    return {key: value for key, value in content.items() if value is not None}


def _state_in(content: dict[str, Any] | None) -> State:
    content = content or {}
    sides, replicas, bandwidth = content.get("resources"), content.get("replicas"), content.get("bandwidth")
    return State(
        None if sides is None else Sizing(*(Size(*map(_amount, side)) for side in sides)),
        None if replicas is None else _count(replicas),
        None if bandwidth is None else str(bandwidth),
    )


def _amount(value: object) -> int | None:
    return None if value is None else _count(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 60:
        raise ValueError(f"{value!r} is no count")
    return value
