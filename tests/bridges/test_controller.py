"""The cycle on a cluster in memory: the checklist's cases of policies, pauses, outages and rollbacks."""

import time
from typing import Any

import numpy as np
import pytest

from bridges.contracts import Reading
from bridges.controller.gate import PAUSED, PAUSED_ALL
from bridges.controller.states import State
from bridges.errors import UnavailableError
from bridges.shield.training_range import TrainingRange
from metaverse_env.telemetry import Command
from tests.bridges.controlling import Noted, Rig, Scripted, policy_named


def modes(decisions: list[Any]) -> list[str]:
    return [decision.state.mode for decision in decisions]


def cpu(rig: Rig) -> float:
    return rig.cluster.read().workloads[0].requests.cpu_cores or 0.0


def test_an_active_controller_writes_what_its_policy_wishes_and_the_shield_lets_through() -> None:
    rig = Rig(Scripted(3.0))
    before = cpu(rig)
    found = rig.run(2)
    assert modes(found) == ["shadow", "active"]
    assert cpu(rig) == pytest.approx(2.0 * before, rel=1e-2)  # 100 % in 15 s, and no more
    assert {clamp.rule for clamp in found[1].judged.verdict.clamps} >= {"rate"}


def test_t73_shadow_makes_no_mutating_call_at_all() -> None:
    rig = Rig(Scripted(3.0), aim="shadow")
    found = rig.run(20)
    assert rig.cluster.asked == []
    assert set(modes(found)) == {"shadow"}
    assert all(decision.judged.changes for decision in found)  # it would have


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda view: Command.of(view.pending.allocation * np.nan), "Invalid"),
        (lambda view: Command.of(view.pending.allocation * np.inf), "Invalid"),
        (lambda view: Command.of(view.pending.allocation * -1.0), "Invalid"),
        (lambda view: Command.of(view.pending.allocation * 1e6), "Invalid"),
        (lambda view: Command.of(view.pending.allocation[:, :0]), "Invalid"),
        (lambda view: 42, "Invalid"),
        (lambda view: 1 / 0, "Raised"),
    ],
)
def test_t67_what_is_no_command_is_replaced_by_the_heuristic_in_the_same_cycle(answer: Any, code: str) -> None:
    rig = Rig(heuristic=Scripted(1.5))
    rig.run(2)
    before = cpu(rig)
    rig.controller.policy.policy.decide = answer  # type: ignore[attr-defined]
    (found,) = rig.run(1)
    assert found.policy.code == code
    assert (found.state.mode, found.permission.decider) == ("active", "heuristic")
    assert cpu(rig) > before


def test_t68_a_policy_that_thinks_too_long_is_replaced_and_not_asked_twice() -> None:
    calls: list[float] = []

    def slow(view: Any) -> Command:
        calls.append(time.monotonic())
        time.sleep(0.6 if len(calls) == 1 else 0.0)
        return Command.of(view.pending.allocation * 1.5)

    rig = Rig(Scripted(slow), policy_timeout_s=0.2)
    rig.controller.state = State("active", "active")
    first, second = rig.run(2)
    assert (first.policy.code, second.policy.code, len(calls)) == ("Timeout", "Timeout", 1)
    assert second.permission.decider == "heuristic"
    time.sleep(0.5)
    assert rig.run(1)[0].policy.code == ""
    assert len(calls) == 2


def test_t68_a_policy_that_fails_again_and_again_is_relieved_until_it_is_well() -> None:
    failing = {"now": True}
    rig = Rig(Scripted(lambda view: 1 / 0 if failing["now"] else Command.of(view.pending.allocation)))
    rig.controller.state = State("active", "active")
    assert modes(rig.run(4))[-1] == "fallback"
    failing["now"] = False
    assert modes(rig.run(4))[-1] == "active"


def test_t4_an_outage_of_metrics_holds_then_falls_back_and_never_scales_in() -> None:
    rig = Rig(Scripted(0.5), heuristic=Scripted(0.5), scenario="multi_zone")
    rig.run(2)
    rig.cluster.faults.silent.update(rig.sight.zones)
    before, start_s = len(rig.cluster.written), rig.clock.monotonic_s()
    found = rig.run(8)
    assert modes(found)[:2] == ["hold", "hold"]
    assert modes(found)[-1] == "fallback"
    assert len(rig.cluster.written) == before
    assert 0.0 <= rig.clock.monotonic_s() - start_s - 8 * 15.0 < 3.0  # tried again within the cycle's budget
    rig.cluster.faults.silent.clear()
    assert modes(rig.run(4))[-1] == "active"


def test_t4_a_source_that_comes_back_within_the_cycle_is_no_outage() -> None:
    rig = Rig(Scripted(1.0))
    real, calls = rig.watched.source, []

    class Flaky:
        def read(self, workloads: Any) -> Any:
            calls.append(1)
            missing = {one.zone: {"cpu_cores": Reading(None, None, "missing", "Unavailable")} for one in workloads}
            return missing if len(calls) % 3 else real.read(workloads)

    rig.watched.source = Flaky()
    assert modes(rig.run(4)) == ["shadow", "active", "active", "active"]
    assert len(calls) == 9  # three tries a cycle, after the first


def test_a_few_silent_zones_are_only_not_scaled_in() -> None:
    rig = Rig(Scripted(0.5), scenario="multi_zone")
    rig.cluster.faults.silent.add("zone-1")
    found = rig.run(30)
    assert set(modes(found[1:])) == {"active"}
    assert "zone-1" not in {change.zone for change in rig.written}
    assert found[-1].ill["zone-1"].startswith("Unmeasured: NoSamples")


def test_too_many_ill_zones_mean_hands_off() -> None:
    rig = Rig(Scripted(3.0), scenario="multi_zone")
    rig.run(2)
    zones, before = rig.sight.zones, len(rig.cluster.written)
    rig.cluster.faults.silent.update(zones[: len(zones) // 2])
    (found,) = rig.run(1)
    assert found.reasons == ("TooManyIll: 50 % of the zones are ill or unmeasured; more than 40 %",)
    assert len(rig.cluster.written) == before


def test_t69_a_zone_that_is_new_is_only_watched() -> None:
    rig = Rig(Scripted(1.5), scenario="multi_zone")
    gone = rig.cluster.deployments.pop("zone-7")
    rig.controller.known = tuple(zone for zone in rig.sight.zones if zone != "zone-7")
    rig.cluster.deployments["zone-7"] = gone
    found = rig.run(3)
    assert "zone-7" not in {change.zone for change in rig.written}
    assert "zone-6" in {change.zone for change in rig.written}
    assert found[-1].held["zone-7"].startswith("NewZone")
    assert not np.isnan(found[-1].judged.wish[found[-1].judged.facts.zones.index("zone-7"), 0])  # it is thought about


def test_zones_come_and_go_while_it_runs() -> None:
    rig = Rig(Scripted(1.0), scenario="multi_zone")
    rig.run(2)
    gone = rig.cluster.deployments.pop("zone-7")
    found = rig.run(4)
    assert "zone-7" in found[0].ill
    assert "zone-7" not in rig.sight.zones
    rig.cluster.deployments["zone-7"] = gone
    found = rig.run(4)
    assert "zone-7" in rig.sight.zones
    assert set(modes(found)) == {"active"}


def test_t70_observations_unlike_those_of_training_fall_back_with_their_score() -> None:
    rig = Rig(Scripted(1.0))
    count = rig.sight.view.observation.shape[1] - 5  # type: ignore[union-attr]
    known = TrainingRange(tuple(f"f{n}" for n in range(count)), np.full(count, -1.0), np.full(count, 1.0))
    rig.controller.training = known
    assert modes(rig.run(2)) == ["shadow", "active"]
    rig.controller.training = TrainingRange(known.features, np.full(count, 3.0), np.full(count, 4.0))
    (found,) = rig.run(1)
    assert (found.state.mode, found.strange) == ("fallback", {"zone-1": 1.0})
    assert found.reasons[0].startswith("OutOfDistribution")


def test_t72_a_kill_switch_in_the_middle_of_a_write_ends_it() -> None:
    rig = Rig(Scripted(1.5), scenario="multi_zone")
    rig.run(1)

    def kill() -> None:
        if len(rig.cluster.written) == 2:
            rig.switch.pause("test")

    rig.cluster.before_write = kill
    (found,) = rig.run(1)
    results = [receipt.code for receipt in found.receipts]
    assert len(rig.cluster.written) == 2
    assert results.count("Fenced") == len(results) - 2 > 0
    assert modes(rig.run(2)) == ["paused", "paused"]
    assert len(rig.cluster.written) == 2
    rig.switch.resume()
    assert modes(rig.run(2)) == ["shadow", "active"]


@pytest.mark.parametrize("how", ["file", "annotation"])
def test_a_file_or_an_annotation_pauses_everything(how: str, tmp_path: Any) -> None:
    rig = Rig(Scripted(1.5))
    rig.run(1)
    switch = tmp_path / "paused"
    if how == "file":
        rig.switch._file = switch
        switch.write_text("true")
    else:
        rig.cluster.edit("zone-1", annotations={PAUSED_ALL: "maintenance"})
    assert modes(rig.run(1)) == ["paused"]
    if how == "file":
        switch.write_text("false\n")
    else:
        rig.cluster.edit("zone-1", annotations={})
    assert modes(rig.run(2)) == ["shadow", "active"]


def test_an_annotation_pauses_its_zone_alone() -> None:
    rig = Rig(Scripted(1.5), scenario="multi_zone")
    rig.cluster.edit("zone-2", annotations={PAUSED: "true"})
    found = rig.run(3)
    assert "zone-2" not in {change.zone for change in rig.written}
    assert found[-1].held["zone-2"].startswith("Paused")


def test_t74_a_canary_that_breaks_its_objective_is_rolled_back_to_what_was_good() -> None:
    def starve(view: Any) -> Command:
        return Command.of(view.pending.allocation * np.array([0.5, 1.0, 1.0], dtype=np.float32))

    shield = Rig().settings.shield.model_validate(
        {
            "cycle_share": 1.0,
            "cpu_cores": {"scaleDown": {"stabilizationWindowSeconds": 0}},
            "memory_mb": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        }
    )
    rig = Rig(Scripted(starve), scenario="multi_zone", aim="canary", canary=("zone-1",), shield=shield)
    before = {one.zone: one.requests for one in rig.cluster.read().workloads}
    seen = []
    for _ in range(30):
        seen += rig.run(1)
        if seen[-1].state.mode == "fallback":
            break
    assert seen[-1].state.reason == "CanaryBreach"
    rig.run(3)
    after = {one.zone: one.requests for one in rig.cluster.read().workloads}
    assert {change.zone for change in rig.written} == {"zone-1"}
    assert (after["zone-1"].cpu_cores or 0.0) >= (before["zone-1"].cpu_cores or 0.0)
    assert modes(rig.run(20))[-1] == "fallback"  # until somebody looked into it
    lowest = min(change.requests.cpu_cores for change in rig.written if change.requests and change.requests.cpu_cores)
    assert lowest < (before["zone-1"].cpu_cores or 0.0)


def test_a_policy_that_is_worse_than_the_heuristic_is_relieved_for_good() -> None:
    rig = Rig(
        Scripted(1.4), heuristic=Scripted(lambda view: Command.of(view.pending.allocation * 0.3)), window_cycles=3
    )
    found = rig.run(12)
    assert found[-1].state.mode == "fallback"
    assert found[-1].state.reason == "WorseThanHeuristic"


def test_a_cluster_that_cannot_be_read_is_waited_for() -> None:
    rig = Rig(Scripted(1.5))
    rig.run(2)
    rig.cluster.faults.reading = UnavailableError("away")
    found = rig.run(2)
    assert modes(found) == ["hold", "hold"]
    assert found[0].inputs.error == "UnavailableError: away"
    rig.cluster.faults.reading = None
    assert modes(rig.run(3))[-1] == "active"


def test_a_write_that_fails_is_a_receipt_and_is_tried_again() -> None:
    rig = Rig(Scripted(1.5))
    rig.run(1)
    rig.cluster.faults.writing = UnavailableError("away")
    (found,) = rig.run(1)
    assert [(receipt.result, receipt.code) for receipt in found.receipts] == [("failed", "Unavailable")]
    rig.cluster.faults.writing = None
    rig.run(1)
    assert len(rig.cluster.written) == 1


def test_who_does_not_lead_does_not_write() -> None:
    class Follower:
        leading, epoch = False, None

        def start(self) -> None:
            """Nothing."""

        def stop(self) -> None:
            """Nothing."""

    leadership = Follower()
    rig = Rig(Scripted(1.5), leadership=leadership)
    rig.run(5)
    assert rig.cluster.asked == []
    leadership.leading = True
    assert modes(rig.run(1)) == ["active"]
    assert len(rig.cluster.written) == 1


def test_t50_a_restart_goes_on_with_windows_and_rates() -> None:
    rig = Rig(Scripted(1.5))
    rig.run(2)
    again = Rig(Scripted(1.5), cluster=rig.cluster)
    told = rig.controller.checkpoint()
    again.controller.guard.restore(told["shield"], again.clock.monotonic_s(), again.clock.unix_s())
    assert len(again.controller.guard.memory.ups) == 1
    assert again.controller.guard.memory.logs[0]


def test_the_classical_controllers_run_on_it() -> None:
    cluster = Noted("multi_zone", seed=3)
    rig = Rig(policy_named("threshold"), heuristic=policy_named("hpa"), cluster=cluster)
    found = rig.run(12)
    assert modes(found)[-1] == "active"
    assert all(not decision.policy.fault for decision in found)
