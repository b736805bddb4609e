"""The shield: hand-computed cases of the checklist, and what must hold of whatever is wished."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bridges.shield.clamps import CPU, MEMORY, QUANTITIES, REPLICAS
from bridges.shield.facts import Facts, Killed
from bridges.shield.judging import Verdict, judge
from bridges.shield.memory import Memory, checkpoint_of, restored
from bridges.shield.settings import ShieldSettings, load_settings
from metaverse_env.autoscaling.memory import bumped
from metaverse_env.errors import ConfigurationError

Array = np.ndarray
NAN = math.nan
FREE = ShieldSettings(cycle_share=1.0)


def facts(now: list[list[float]], **changes: Any) -> Facts:
    has = np.array(now, dtype=np.float64)
    nothing = np.full(has.shape, NAN)
    made = Facts(
        zones=tuple(f"zone-{number}" for number in range(1, len(has) + 1)),
        now=has,
        least=np.tile([0.05, 32.0, 1.0, 1.0], (len(has), 1)),
        most=np.tile([8.0, 16_384.0, 1000.0, 50.0], (len(has), 1)),
        lower=nothing,
        upper=nothing,
        memory_used_mb=np.full(len(has), NAN),
        grow_only=np.zeros(len(has), dtype=np.bool_),
    )
    return made._replace(**changes)


def one(
    wish: list[float],
    given: Facts,
    memory: Memory | None = None,
    now_s: float = 1000.0,
    settings: ShieldSettings = FREE,
) -> Verdict:
    return judge(np.array([wish], dtype=np.float64), given, memory or Memory(), settings, now_s)


def rules_of(verdict: Verdict) -> list[tuple[str, str]]:
    return [(clamp.rule, clamp.quantity) for clamp in verdict.clamps]


def test_t1_a_wish_that_alternates_every_cycle_changes_once_per_window() -> None:
    given, memory, changes, flaps = facts([[NAN, NAN, NAN, 2.0]]), Memory(), [], 0
    for cycle in range(240):  # an hour of 15 s
        wish = [NAN, NAN, NAN, 3.0 if cycle % 2 else 2.0]
        verdict = one(wish, given, memory, 15.0 * cycle)
        memory, flaps = verdict.memory, flaps + len(verdict.flaps)
        step = verdict.goals - given.now
        if np.nan_to_num(step).any():
            changes.append((cycle, float(verdict.goals[0, REPLICAS])))
            memory, given = (
                memory.with_changes(step, 15.0 * cycle),
                given._replace(now=np.where(np.isnan(verdict.goals), given.now, verdict.goals)),
            )
    assert changes == [(1, 3.0)]
    assert flaps == 119  # every wish for 2 after that was held back, and counted


def test_t1_a_slow_flap_runs_out_of_its_budget_and_still_may_grow() -> None:
    settings = FREE.model_copy(update={"reversals_per_h": 2})
    memory = Memory().of_zones(("zone-1",), np.array([[1.0, NAN, NAN, 1.0]]), 0.0)
    for time_s, step in ((600.0, 1.0), (1200.0, -1.0), (1800.0, 1.0)):
        memory = memory.with_changes(np.array([[step, NAN, NAN, NAN]]), time_s)
    given = facts([[2.0, NAN, NAN, 1.0]])
    down = one([1.0, NAN, NAN, NAN], given, memory, 2400.0, settings)
    assert down.goals[0, CPU] == 2.0
    assert down.flaps == ("zone-1",)
    assert one([3.0, NAN, NAN, NAN], given, memory, 2400.0, settings).goals[0, CPU] == 3.0


@pytest.mark.parametrize(("ratio", "moves"), [(1.09, False), (0.91, False), (1.101, True), (0.899, True)])
@pytest.mark.parametrize("quantity", range(3))
def test_t2_the_dead_band_of_a_tenth(ratio: float, moves: bool, quantity: int) -> None:
    now, wish = [1.0, 1000.0, 10.0, 1.0], [NAN] * 4
    wish[quantity] = ratio * now[quantity]
    memory = Memory(zones=("zone-1",), logs=((),) * 4)  # no window, so that only the band holds back
    verdict = one(wish, facts([now], memory_used_mb=np.array([100.0])), memory)
    assert (verdict.goals[0, quantity] != now[quantity]) == moves
    assert (("dead_band", QUANTITIES[quantity]) in rules_of(verdict)) != moves


def test_t2_each_direction_and_resource_has_its_own_band(tmp_path: Path) -> None:
    path = tmp_path / "shield.json"
    path.write_text(
        json.dumps(
            {
                "cpu_cores": {
                    "scaleUp": {
                        "tolerance": "0.5",
                        "policies": [{"type": "Percent", "value": 900, "periodSeconds": 15}],
                    }
                }
            }
        )
    )
    settings = load_settings(path)
    given, memory = facts([[1.0, 1000.0, NAN, 1.0]]), Memory(zones=("zone-1",), logs=((),) * 4)
    found = one([1.4, 1400.0, NAN, NAN], given, memory, settings=settings)
    assert found.goals[0, :2].tolist() == [1.0, 1400.0]


def test_t50_a_cold_start_is_as_if_the_window_were_full() -> None:
    given = facts([[2.0, NAN, NAN, 1.0]])
    verdict = one([1.0, NAN, NAN, NAN], given)
    assert verdict.goals[0, CPU] == 2.0
    assert verdict.clamps[-1].rule == "stabilisation"
    later = one([1.0, NAN, NAN, NAN], given, verdict.memory, now_s=1000.0 + 299.0)
    assert later.goals[0, CPU] == 2.0
    assert one([1.0, NAN, NAN, NAN], given, later.memory, now_s=1000.0 + 301.0).goals[0, CPU] == 1.0


def test_t50_windows_and_rates_survive_a_restart_on_another_monotonic_clock() -> None:
    given = facts([[1.0, 1000.0, NAN, 1.0]])
    before = one([4.0, NAN, NAN, NAN], given)
    assert before.goals[0, CPU] == 2.0  # 100 % in 15 s
    memory = before.memory.with_changes(before.goals - given.now, 1000.0)
    written = json.loads(json.dumps(checkpoint_of(memory, 1000.0, unix_s=5e9)))
    again = restored(written, now_s=3.0, unix_s=5e9 + 5.0)  # 5 s later, in another process
    grown = facts([[2.0, 1000.0, NAN, 1.0]])
    assert one([4.0, NAN, NAN, NAN], grown, again, now_s=3.0).goals[0, CPU] == 2.0  # the period is not over
    assert one([4.0, NAN, NAN, NAN], grown, again, now_s=14.0).goals[0, CPU] == 4.0
    assert one([1.0, NAN, NAN, NAN], grown, again, now_s=14.0).goals[0, CPU] == 2.0  # nor is the window


def test_t41_a_checkpoint_from_the_future_counts_as_of_now() -> None:
    memory = Memory().of_zones(("zone-1",), np.array([[1.0, NAN, NAN, 1.0]]), 100.0)
    again = restored(checkpoint_of(memory, 100.0, 5e9), now_s=7.0, unix_s=5e9 - 600.0)
    assert again.logs[CPU][0].time_s == 7.0


def test_a_zone_that_is_new_has_a_full_window_and_the_others_keep_theirs() -> None:
    memory = one([3.0, NAN, NAN, NAN], facts([[2.0, NAN, NAN, 1.0]])).memory
    both = facts([[9.0, NAN, NAN, 1.0], [2.0, NAN, NAN, 1.0]])._replace(zones=("new", "zone-1"))
    verdict = judge(np.array([[1.0, NAN, NAN, NAN], [1.0, NAN, NAN, NAN]]), both, memory, FREE, 1015.0)
    assert verdict.goals[:, CPU].tolist() == [8.0, 2.0]  # the new one is only brought within its limits
    assert {clamp.zone for clamp in verdict.clamps if clamp.rule == "stabilisation"} == {"new", "zone-1"}


@pytest.mark.parametrize(
    ("request_mb", "used_mb", "expected_mb"),
    [(1000.0, 900.0, 1200.0), (100.0, 90.0, 204.8576), (1000.0, 1500.0, 1800.0), (524.288, NAN, 629.1456)],
)  # 1.2 times above 524.288 MB (500 MiB), 100 MiB = 104.8576 MB more below
def test_t52_memory_after_a_kill(request_mb: float, used_mb: float, expected_mb: float) -> None:
    given = facts(
        [[1.0, request_mb, NAN, 1.0]], memory_used_mb=np.array([used_mb]), killed=(Killed("zone-1", 7.0, request_mb),)
    )
    verdict = one([NAN, NAN, NAN, NAN], given)
    assert verdict.goals[0, MEMORY] == pytest.approx(expected_mb, abs=1e-6)
    assert ("out_of_memory", "memory_mb") in rules_of(verdict)


def test_t52_memory_stays_up_until_the_cool_off_is_over() -> None:
    killed = (Killed("zone-1", 7.0, 1000.0),)
    first = one([NAN, 1000.0, NAN, NAN], facts([[1.0, 1000.0, NAN, 1.0]], killed=killed))
    grown = facts([[1.0, 1200.0, NAN, 1.0]], killed=killed)
    memory = first.memory
    for time_s in (1015.0, 2000.0, 4599.0):
        verdict = one([NAN, 400.0, NAN, NAN], grown, memory, now_s=time_s)
        memory = verdict.memory
        assert verdict.goals[0, MEMORY] == 1200.0
    quiet = grown._replace(killed=(), memory_used_mb=np.array([600.0]))
    assert one([NAN, 700.0, NAN, NAN], quiet, memory, now_s=4601.0).goals[0, MEMORY] == 700.0


def test_t52_memory_never_ends_below_what_the_kill_proved_too_little() -> None:
    given = facts([[1.0, 300.0, NAN, 1.0]], killed=(Killed("zone-1", 7.0, 2000.0),))
    assert one([NAN, NAN, NAN, NAN], given).goals[0, MEMORY] == 2000.0


def test_t53_three_kills_at_the_most_within_ten_minutes_stop_and_alarm() -> None:
    given = facts([[1.0, 16_384.0, NAN, 1.0]])
    memory, stopped = Memory(), []
    for number in range(1, 4):
        with_kill = given._replace(killed=(Killed("zone-1", float(number), 16_384.0),))
        verdict = one([NAN, 8000.0, NAN, NAN], with_kill, memory, now_s=200.0 * number)
        memory = verdict.memory
        stopped.append(verdict.stopped)
        assert verdict.goals[0, MEMORY] == 16_384.0
    assert stopped == [(), (), ("zone-1",)]
    rare = one([NAN, NAN, NAN, NAN], given, memory, now_s=200.0 * 3 + 601.0)
    assert rare.stopped == ()


def test_t54_memory_in_use_is_not_taken_away() -> None:
    given, memory = (
        facts([[1.0, 1000.0, NAN, 1.0]], memory_used_mb=np.array([800.0])),
        Memory(zones=("zone-1",), logs=((),) * 4),
    )
    found = one([NAN, 600.0, NAN, NAN], given, memory)
    assert found.goals[0, MEMORY] == pytest.approx(840.0)  # 5 % above
    tight = given._replace(memory_used_mb=np.array([990.0]))
    assert one([NAN, 600.0, NAN, NAN], tight, memory).goals[0, MEMORY] == 1000.0  # a floor of decreases alone


def test_t71_ten_times_more_is_clamped_to_the_rate_and_traced() -> None:
    verdict = one([11.0 * 0.3, NAN, NAN, NAN], facts([[0.3, NAN, NAN, 1.0]]))
    assert verdict.goals[0, CPU] == pytest.approx(0.6)
    (clamp,) = verdict.clamps
    assert (clamp.rule, clamp.before, clamp.after, clamp.reason) == ("rate", 11.0 * 0.3, 0.6, "ScaleUpLimit")


def test_a_wish_beyond_the_forecast_is_clamped_but_never_turned_round() -> None:
    given = facts(
        [[1.0, NAN, NAN, 1.0]], lower=np.array([[0.8, NAN, NAN, NAN]]), upper=np.array([[1.5, NAN, NAN, NAN]])
    )
    memory = Memory(zones=("zone-1",), logs=((),) * 4)
    assert one([1.9, NAN, NAN, NAN], given, memory).goals[0, CPU] == 1.5
    assert one([0.5, NAN, NAN, NAN], given, memory).goals[0, CPU] == 0.8
    wrong = given._replace(lower=np.array([[5.0, NAN, NAN, NAN]]), upper=np.array([[9.0, NAN, NAN, NAN]]))
    assert one([0.5, NAN, NAN, NAN], wrong, memory).goals[0, CPU] == 1.0


def test_nothing_is_taken_away_where_too_little_is_known() -> None:
    given, memory = facts([[1.0, NAN, NAN, 1.0]], grow_only=np.array([True])), Memory(zones=("zone-1",), logs=((),) * 4)
    assert one([0.5, NAN, NAN, NAN], given, memory).goals[0, CPU] == 1.0
    assert one([2.0, NAN, NAN, NAN], given, memory).goals[0, CPU] == 2.0


def test_the_cycles_budget_goes_to_those_that_grow_most() -> None:
    settings = FREE.model_copy(update={"cycle_share": 0.5})
    given = facts([[1.0, NAN, NAN, 1.0]] * 4)
    wish = np.array([[1.2, NAN, NAN, NAN], [0.5, NAN, NAN, NAN], [1.9, NAN, NAN, NAN], [1.5, NAN, NAN, NAN]])
    memory = Memory(zones=given.zones, logs=((),) * 4)
    verdict = judge(wish, given, memory, settings, 0.0)
    assert verdict.goals[:, CPU].tolist() == [1.0, 1.0, 1.9, 1.5]


def test_a_zones_hourly_budget_ends() -> None:
    settings = FREE.model_copy(update={"zone_changes_per_h": 2})
    given, memory = facts([[1.0, NAN, NAN, 1.0]]), Memory(zones=("zone-1",), logs=((),) * 4)
    for time_s in (0.0, 60.0):
        memory = memory.with_changes(np.array([[0.1, NAN, NAN, NAN]]), time_s)
    held = one([1.5, NAN, NAN, NAN], given, memory, 120.0, settings)
    assert rules_of(held) == [("budget", "cpu_cores")]
    assert one([1.5, NAN, NAN, NAN], given, memory, 3601.0, settings).goals[0, CPU] == 1.5


def test_what_there_is_not_cannot_be_steered() -> None:
    assert np.isnan(one([2.0, 500.0, NAN, NAN], facts([[NAN, 500.0, NAN, 1.0]])).goals[0, CPU])  # T14
    off = one([2.0, 500.0, NAN, NAN], facts([[1.0, 500.0, NAN, NAN]]))
    assert np.isnan(off.goals).all()  # T65: no replicas


POSITIVE = st.floats(0.01, 1e5)
QUANTITY = st.one_of(st.just(NAN), POSITIVE)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Array, Facts, Memory, float]:
    zones = draw(st.integers(1, 4))
    shape = (zones, 4)
    now = draw(arrays(np.float64, shape, elements=QUANTITY))
    now[:, REPLICAS] = np.round(np.clip(now[:, REPLICAS], 1.0, 60.0))
    wish = draw(arrays(np.float64, shape, elements=QUANTITY))
    wish[:, REPLICAS] = np.round(wish[:, REPLICAS])
    lower = draw(arrays(np.float64, shape, elements=QUANTITY))
    killed = draw(
        st.lists(
            st.builds(Killed, st.sampled_from([f"zone-{n + 1}" for n in range(zones)]), POSITIVE, POSITIVE), max_size=3
        )
    )
    given = facts(now.tolist(), lower=lower, upper=lower * draw(st.floats(1.0, 9.0)), killed=tuple(killed))
    given = given._replace(
        memory_used_mb=draw(arrays(np.float64, (zones,), elements=QUANTITY)),
        grow_only=draw(arrays(np.bool_, (zones,))),
    )
    memory = Memory()
    for time_s in draw(st.lists(st.floats(0.0, 4000.0), max_size=4).map(sorted)):
        past = draw(arrays(np.float64, shape, elements=QUANTITY))
        memory = judge(past, given, memory, FREE, time_s).memory
        memory = memory.with_changes(draw(arrays(np.float64, shape, elements=st.floats(-5.0, 5.0))), time_s)
    return wish, given, memory, 4000.0


SETTINGS = st.builds(
    ShieldSettings,
    cycle_share=st.floats(0.1, 1.0),
    reversals_per_h=st.integers(0, 3),
    zone_changes_per_h=st.integers(1, 5),
    cool_off_s=st.floats(0.0, 5000.0),
)


@given(situations(), SETTINGS)
def test_nothing_leaves_the_limits(situation: tuple[Array, Facts, Memory, float], settings: ShieldSettings) -> None:
    wish, given, memory, now_s = situation
    goals = judge(wish, given, memory, settings, now_s).goals
    asked = ~np.isnan(goals)
    assert (goals[asked] >= given.least[asked]).all()
    assert (goals[asked] <= given.most[asked]).all()


@given(situations(), SETTINGS)
def test_the_shield_lets_its_own_answer_through(
    situation: tuple[Array, Facts, Memory, float], settings: ShieldSettings
) -> None:
    wish, given, memory, now_s = situation
    once = judge(wish, given, memory, settings, now_s).goals
    np.testing.assert_array_equal(judge(once, given, memory, settings, now_s).goals, once)


@given(situations(), st.integers(0, 3), st.floats(1.0, 3.0))
def test_who_wishes_for_more_gets_no_less(
    situation: tuple[Array, Facts, Memory, float], quantity: int, factor: float
) -> None:
    wish, given, memory, now_s = situation
    first = judge(wish[:1], _first(given), memory.of_zones(given.zones[:1], given.now[:1], now_s), FREE, now_s).goals
    more = wish[:1].copy()
    more[0, quantity] = np.round(more[0, quantity] * factor) if quantity == REPLICAS else more[0, quantity] * factor
    second = judge(more, _first(given), memory.of_zones(given.zones[:1], given.now[:1], now_s), FREE, now_s).goals
    assert not second[0, quantity] < first[0, quantity]


def _first(given: Facts) -> Facts:
    zone = given.zones[:1]
    return Facts(zone, *(array[:1] for array in given[1:8]), tuple(one for one in given.killed if one.zone in zone))


@given(situations(), SETTINGS)
def test_the_clamps_tell_the_whole_way_from_wish_to_goal(
    situation: tuple[Array, Facts, Memory, float], settings: ShieldSettings
) -> None:
    wish, given, memory, now_s = situation
    verdict = judge(wish, given, memory, settings, now_s)
    values = wish.copy()
    for clamp in verdict.clamps:
        place = given.zones.index(clamp.zone), QUANTITIES.index(clamp.quantity)
        np.testing.assert_array_equal(values[place], clamp.before)
        assert clamp.reason
        values[place] = clamp.after
    np.testing.assert_array_equal(values, verdict.goals)


@given(situations())
def test_a_step_lies_within_the_rate_unless_memory_forces_it(situation: tuple[Array, Facts, Memory, float]) -> None:
    wish, given, memory, now_s = situation
    verdict = judge(wish, given, memory, FREE, now_s)
    cpu, has = verdict.goals[:, CPU], np.clip(given.now[:, CPU], 0.05, 8.0)
    moved = ~np.isnan(cpu)
    assert (cpu[moved] <= 2.0 * has[moved] + 1e-3).all()


@given(situations())
def test_a_checkpoint_forgets_nothing(situation: tuple[Array, Facts, Memory, float]) -> None:
    wish, given, memory, now_s = situation
    memory = memory.of_zones(given.zones, given.now, now_s)
    again = restored(json.loads(json.dumps(checkpoint_of(memory, now_s, 5e9))), now_s, 5e9)
    for settings in (FREE, FREE.model_copy(update={"reversals_per_h": 1})):
        found, wanted = (judge(wish, given, one, settings, now_s).goals for one in (again, memory))
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"cpu_cores": {"scaleUp": {"policies": [{"type": "Percent", "value": 5, "periodSeconds": 15}]}}},
            "never leaves the dead band",
        ),
        (
            {"cpu_cores": {"scaleUp": {"policies": [{"type": "Pods", "value": 5, "periodSeconds": 15}]}}},
            "Pods counts replicas",
        ),
        ({"cpu_cores": {"scaleUpp": {}}}, "Did you mean 'scaleUp'"),
        ({"cycle_share": 0.0}, "cycle_share"),
        ({"utilisation": [1.0, 0.5]}, "utilisation"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_settings_that_cannot_be_are_refused(said: dict[str, object], words: str, tmp_path: Path) -> None:
    path = tmp_path / "shield.json"
    path.write_text(json.dumps(said))
    with pytest.raises(ConfigurationError, match=words):
        load_settings(path)


def test_a_bump_is_that_of_the_vertical_autoscaler() -> None:
    assert float(bumped(2_097_152_000, 0)) == 2_516_582_400.0
