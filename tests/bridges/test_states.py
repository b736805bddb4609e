"""The state machine: every row of its table, and what holds of every way through it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.controller.states import MODES, STICKY, Facts, State, StateSettings, advance, permission_of

FAST = StateSettings(shadow_cycles=1, canary_cycles=2, calm_cycles=2, outage_cycles=3, breach_cycles=2, worse_windows=2)
WELL = Facts("active", canary=True)


def walk(state: State, *facts: Facts) -> State:
    for one in facts:
        state, _ = advance(state, one, FAST)
    return state


def test_the_way_up_is_one_step_at_a_time() -> None:
    state, modes = State(), []
    for _ in range(5):
        state, _ = advance(state, WELL, FAST)
        modes.append(state.mode)
    assert modes == ["shadow", "canary", "canary", "active", "active"]


@pytest.mark.parametrize(
    ("aim", "canary", "end"), [("shadow", True, "shadow"), ("canary", True, "canary"), ("active", False, "active")]
)
def test_the_aim_is_the_end_of_the_way(aim: str, canary: bool, end: str) -> None:
    assert walk(State(), *[Facts(aim, canary)] * 9).mode == end  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "mode", "reason"),
    [
        ({"stopping": True}, "off", "Stopped"),
        ({"paused": "by hand"}, "paused", "Paused"),
        ({"leads": False}, "hold", "NotLeader"),
        ({"readable": False}, "hold", "ClusterUnavailable"),
        ({"ill_share": 0.41}, "hold", "TooManyIll"),
        ({"stuck": "zone-1"}, "fallback", "RolloutStuck"),
        ({"strange_share": 0.6}, "fallback", "OutOfDistribution"),
    ],
)
@pytest.mark.parametrize("start", ["canary", "active"])
def test_what_is_wrong_leads_down_at_once(changed: dict[str, object], mode: str, reason: str, start: str) -> None:
    state = walk(State(start, start), WELL._replace(**changed))  # type: ignore[arg-type]
    assert (state.mode, state.reason) == (mode, reason)


@pytest.mark.parametrize(
    ("changed", "cycles", "reason"),
    [
        ({"breach": True}, 2, "CanaryBreach"),
        ({"worse": True}, 2, "WorseThanHeuristic"),
        ({"policy_fault": "nan"}, 3, "PolicyFails"),
    ],
)
def test_some_wrongs_have_to_last(changed: dict[str, object], cycles: int, reason: str) -> None:
    bad = WELL._replace(**changed)  # type: ignore[arg-type]
    assert walk(State("active", "active"), *[bad] * (cycles - 1)).mode == "active"
    assert walk(State("active", "active"), *[bad] * (cycles - 1), WELL._replace(worse=False), bad).mode == "active"
    assert walk(State("active", "active"), *[bad] * cycles) == State(
        "fallback", "active", reason, breach=2 * (reason == "CanaryBreach"), worse=2 * (reason == "WorseThanHeuristic"),
        failures=3 * (reason == "PolicyFails"),
    )  # fmt: skip


def test_t4_an_outage_holds_then_falls_back_and_recovers_only_after_calm() -> None:
    out = WELL._replace(ill_share=1.0)
    state = walk(State("active", "active"), out, out)
    assert state.mode == "hold"
    assert permission_of(state, out, FAST) == ("nobody", "all", False)
    state = walk(state, out)
    assert (state.mode, state.reason) == ("fallback", "OutageLasts")
    assert permission_of(state, out, FAST) == ("nobody", "all", True)  # nothing fresh is known of most zones
    some = WELL._replace(ill_share=0.2)
    assert permission_of(state, some, FAST).decider == "heuristic"
    assert walk(state, some).mode == "fallback"
    assert walk(state, some, some).mode == "active"


@pytest.mark.parametrize("reason", STICKY)
def test_what_the_policy_did_wrong_is_forgiven_by_people_only(reason: str) -> None:
    state = State("fallback", "active", reason)
    assert walk(state, *[WELL] * 50).mode == "fallback"
    assert walk(state, WELL._replace(ill_share=1.0), *[WELL] * 9).reason == reason
    assert walk(state, WELL._replace(paused="by hand"), WELL).mode == "shadow"


def test_a_standby_acts_as_soon_as_it_leads() -> None:
    behind = WELL._replace(leads=False, canary=False)
    state = walk(State(), *[behind] * 5)
    assert state.mode == "shadow"
    assert walk(state, behind._replace(leads=True)).mode == "active"


def test_t67_t68_a_fault_of_the_policy_makes_the_heuristic_decide_in_the_same_cycle() -> None:
    faulty = WELL._replace(policy_fault="timeout")
    state = walk(State("active", "active"), faulty)
    assert state.mode == "active"
    assert permission_of(state, faulty, FAST) == ("heuristic", "all", False)


FACTS = st.builds(
    Facts,
    aim=st.sampled_from(["shadow", "canary", "active"]),
    canary=st.booleans(),
    stopping=st.booleans(),
    paused=st.sampled_from(["", "by hand"]),
    leads=st.booleans(),
    readable=st.booleans(),
    ill_share=st.sampled_from([0.0, 0.3, 1.0]),
    strange_share=st.sampled_from([0.0, 1.0]),
    policy_fault=st.sampled_from(["", "nan"]),
    breach=st.booleans(),
    worse=st.sampled_from([None, True, False]),
    stuck=st.sampled_from(["", "zone-1"]),
)


@given(st.lists(FACTS, max_size=40))
def test_whatever_happens(way: list[Facts]) -> None:
    state = State()
    for facts in way:
        before, (state, reasons) = state, advance(state, facts, FAST)
        permission = permission_of(state, facts, FAST)
        assert state.mode in MODES
        assert reasons
        if facts.stopping or facts.paused or state.mode in ("off", "shadow", "paused"):
            assert permission.zones == "none"
        if not facts.leads or not facts.readable or facts.ill_share > FAST.most_ill_share:
            assert permission.decider == "nobody" or permission.zones == "none"
        if MODES.index(state.mode) in (2, 3) and before.mode in ("off", "paused"):
            pytest.fail("it jumped over the shadow")
        if permission.zones == "all":
            assert state.risen == "active"
        if state.mode == "shadow":
            assert facts.aim or not permission.rescue
