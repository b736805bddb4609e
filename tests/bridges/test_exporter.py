"""What a bridge shows to Prometheus: names, labels, values, and what is gone (checklist T77-T80)."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bridges.clock import ManualClock
from bridges.contracts import FIELDS, Amounts, Change, Reading, Workload
from bridges.controller.showing import Showing
from bridges.metric_names import BRIDGE, MODES, catalogue
from bridges.prometheus import ZONE_NAMES, Exporter, ZoneReport
from bridges.shown import ages_s, allocated, measured, proposed
from metaverse_env.errors import ConfigurationError
from predictors.server.gauges import UPDATED
from tests.bridges.controlling import Rig, Scripted

REQUIRED = ("stgnn_cpu_cores", "stgnn_memory_mb", "stgnn_bandwidth_mbps", "stgnn_latency_ms")
NAMES = ['say "hi"', "a/b/../c", "back\\slash", "two\nlines", "広場 🏟", "{zone=}", "'", " ", "x" * 128]
WORKLOAD = Workload(
    "plaza", "metaverse", "plaza", "u", "zone", "7", 3, 2, Amounts(0.3, 64.0), Amounts(0.5, 128.0), bandwidth_mbps=8.0
)


def samples(exporter: Exporter) -> list[Sample]:
    text = exporter.page()[0].decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def of_zone(exporter: Exporter, zone: str) -> dict[str, float]:
    return {sample.name: sample.value for sample in samples(exporter) if sample.labels.get("zone") == zone}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exporter(clock: ManualClock) -> Exporter:
    return Exporter(clock, "hpa", keep_s=60.0, max_zones=12)


def test_t77_required_gauges_and_their_twins_have_the_label_zone_only(exporter: Exporter) -> None:
    exporter.publish({name: ZoneReport(5.0, {}, (0.5, 100.0, 40.0, 80.0)) for name in NAMES})
    for name in NAMES:
        found = of_zone(exporter, name)
        assert {name: found[name] for name in REQUIRED} == dict(zip(REQUIRED, (0.5, 100.0, 40.0, 80.0), strict=True))
        assert (found["stgnn_memory_bytes"], found["stgnn_bandwidth_bytes_per_second"]) == (1e8, 5e6)
        assert (found["stgnn_latency_seconds"], found[UPDATED]) == (0.08, 5.0)
    shown = [sample for sample in samples(exporter) if sample.name.startswith("stgnn_")]
    assert {tuple(sample.labels) for sample in shown} == {("zone",)}
    assert len(shown) == 8 * len(NAMES)


@given(st.text(max_size=40), st.lists(st.floats(), min_size=4, max_size=4))
@settings(max_examples=30)
def test_t77_any_name_can_be_read_back_and_values_are_finite(name: str, values: list[float]) -> None:
    exporter = Exporter(ManualClock(), "hpa")
    exporter.publish({name: ZoneReport(5.0, {"metaverse_bridge_replicas": values[0]}, values)})
    found = of_zone(exporter, name)
    assert all(map(math.isfinite, found.values()))
    assert ("stgnn_cpu_cores" in found) == all(map(math.isfinite, values))
    assert ("metaverse_bridge_replicas" in found) == math.isfinite(values[0])


def test_t78_a_deleted_zone_leaves_no_series_nor_its_counters(exporter: Exporter) -> None:
    report = ZoneReport(5.0, {"metaverse_bridge_replicas": 2.0}, (1.0, 1.0, 1.0, 1.0), {"users": 3.0})
    exporter.publish({"plaza": report, "arena": report})
    for zone in ("plaza", "arena"):
        exporter.count("metaverse_bridge_decisions_total", zone=zone, outcome="written", reason="")
    assert of_zone(exporter, "arena")["metaverse_bridge_decisions_total"] == 1.0
    exporter.publish({"plaza": report})
    assert of_zone(exporter, "arena") == {}
    exporter.count("metaverse_bridge_decisions_total", zone="arena", outcome="written", reason="")
    assert of_zone(exporter, "arena") == {}
    assert of_zone(exporter, "plaza")["metaverse_bridge_decisions_total"] == 1.0


def test_t78_a_zone_without_forecast_has_its_time_and_nothing_invented(exporter: Exporter) -> None:
    exporter.publish({"plaza": ZoneReport(5.0)})
    assert of_zone(exporter, "plaza") == {UPDATED: 5.0}


def test_t78_when_cycles_stop_the_zones_disappear(exporter: Exporter, clock: ManualClock) -> None:
    exporter.publish({"plaza": ZoneReport(5.0, {}, (1.0, 1.0, 1.0, 1.0))})
    cycle = clock.unix_s()
    clock.advance(60.0)
    assert of_zone(exporter, "plaza")
    clock.advance(0.1)
    assert of_zone(exporter, "plaza") == {}
    assert [s.value for s in samples(exporter) if s.name == "metaverse_bridge_last_cycle_timestamp_seconds"] == [cycle]


def test_t79_one_series_a_zone_without_a_label_of_the_process(exporter: Exporter) -> None:
    exporter.publish({name: ZoneReport(5.0, {}, (1.0, 1.0, 1.0, 1.0)) for name in NAMES})
    found = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples(exporter)]
    assert len(set(found)) == len(found)
    assert not any("pid" in labels for _, labels in found)


def test_t80_no_more_zones_than_allowed_and_it_says_so(exporter: Exporter) -> None:
    exporter.publish({f"zone-{number:02}": ZoneReport(5.0, {}, (1.0, 1.0, 1.0, 1.0)) for number in range(20)})
    found = {sample.labels["zone"] for sample in samples(exporter) if "zone" in sample.labels}
    assert found == {f"zone-{number:02}" for number in range(12)}
    named = {sample.name: sample.value for sample in samples(exporter)}
    assert (named["metaverse_bridge_zones"], named["metaverse_bridge_hidden_zones"]) == (20.0, 8.0)


def test_t80_labels_that_somebody_else_words_are_bounded(exporter: Exporter) -> None:
    for number in range(500):
        exporter.count("metaverse_bridge_policy_failures_total", reason=f"reason {number}")
    found = {
        s.labels["reason"]: s.value for s in samples(exporter) if s.name == "metaverse_bridge_policy_failures_total"
    }
    assert len(found) == 65
    assert found["other"] == 500 - 64


def test_one_mode_at_a_time(exporter: Exporter) -> None:
    for mode in MODES:
        exporter.mode(mode)
        found = {s.labels["mode"]: s.value for s in samples(exporter) if s.name == "metaverse_bridge_mode"}
        assert found == {name: float(name == mode) for name in MODES}


def test_what_there_is_not_cannot_be_set(exporter: Exporter) -> None:
    with pytest.raises(ConfigurationError, match="no metric 'stgnn_cpu_cores'"):
        exporter.publish({"plaza": ZoneReport(5.0, {"stgnn_cpu_cores": 1.0})})
    with pytest.raises(ConfigurationError, match="no counter 'metaverse_bridge_leader'"):
        exporter.count("metaverse_bridge_leader")
    with pytest.raises(ConfigurationError, match="positive"):
        Exporter(ManualClock(), "hpa", keep_s=0.0)


def test_every_name_of_the_catalogue_is_on_the_page(exporter: Exporter) -> None:
    text = exporter.page()[0].decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in BRIDGE.values():
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
    assert all(not name.endswith(("_mb", "_mbps", "_ms")) or name in REQUIRED for name in catalogue())


def test_units_of_what_is_shown_by_hand() -> None:
    readings: Mapping[str, Reading] = {
        "memory_mb": Reading(48.0, 2.0, "fresh"),
        "bandwidth_mbps": Reading(8.0, 2.0, "fresh"),
        "latency_ms": Reading(90.0, 2.0, "fresh"),
        "latency_p99_ms": Reading(190.0, 2.0, "fresh"),
        "cpu_cores": Reading(0.25, 400.0, "stale", "Old"),
        "users": Reading(None, None, "missing", "NoSeries"),
    }
    assert measured(readings) == {
        "metaverse_bridge_measured_memory_bytes": 48e6,
        "metaverse_bridge_measured_bandwidth_bytes_per_second": 1e6,
        "metaverse_bridge_measured_latency_seconds": 0.09,
    }
    assert ages_s(readings)["cpu_cores"] == 400.0
    assert "users" not in ages_s(readings)


def test_a_zone_has_what_its_pods_have_together() -> None:
    assert allocated(WORKLOAD) == pytest.approx({
        "metaverse_bridge_allocated_cpu_cores": 1.5,
        "metaverse_bridge_allocated_memory_bytes": 384e6,
        "metaverse_bridge_allocated_bandwidth_bytes_per_second": 3e6,
        "metaverse_bridge_replicas": 3.0,
        "metaverse_bridge_ready_replicas": 2.0,
    })  # fmt: skip
    assert proposed(Change("plaza", requests=Amounts(0.6, None), replicas=2), WORKLOAD) == {
        "metaverse_bridge_proposed_cpu_cores": 2.0,
        "metaverse_bridge_proposed_memory_bytes": None,
        "metaverse_bridge_proposed_bandwidth_bytes_per_second": 2e6,
        "metaverse_bridge_proposed_replicas": 2.0,
    }
    shown = (*allocated(WORKLOAD), *proposed(Change("plaza"), WORKLOAD))
    fresh = measured({field: Reading(1.0, 0.0, "fresh") for field in FIELDS})
    assert {*shown, *fresh} | {"metaverse_bridge_zone_writable"} <= set(ZONE_NAMES)


def test_t59_pods_that_have_not_got_their_size_are_counted() -> None:
    rig = Rig(Scripted())
    exporter = Exporter(rig.clock, "scripted")
    Showing(exporter, 100.0, lambda: {"zone-1": 2}).show(rig.run(1)[0], 0.1)
    assert exporter.registry.get_sample_value("metaverse_bridge_drifted_pods", {"zone": "zone-1"}) == 2.0
