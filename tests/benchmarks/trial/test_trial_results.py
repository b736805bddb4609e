"""What a trial found: figures computed by hand, and a picture with every zone in it."""

import math
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.trial.arms import CONTROLLED, Arm, Zone
from benchmarks.trial.load import Answer
from benchmarks.trial.plan import Plan
from benchmarks.trial.results import Results, draw, fewer
from benchmarks.trial.scoring import Sample, core_seconds, p95_by_window, recovered_s, score
from metaverse_env.errors import ConfigurationError

PLAN = Plan(zones=1, lead_s=5.0, step_s=10.0, tail_s=5.0)


def answers(slow_until_s: float, latency_s: float = 0.4) -> list[Answer]:
    """One request a second for 25 s; those due from 5 s on until then are slow."""
    return [Answer(due, latency_s if 5.0 <= due < slow_until_s else 0.02, ok=True) for due in map(float, range(25))]


def test_a_score_by_hand() -> None:
    found = score([Answer(0.0, 0.1, True), Answer(1.0, 0.3, True), Answer(2.0, 10.0, False)], 7.5, objective_ms=100.0)
    assert (found.requests, found.failed, found.violated) == (3, 1, 2)
    assert found.violated_request_s == pytest.approx(0.2 + 9.9)
    assert found.core_s == 7.5


def test_no_requests_have_no_latency() -> None:
    assert math.isnan(score([], 0.0, 100.0).p95_ms)


def test_cpu_time_is_an_integral_over_uneven_looks() -> None:
    samples = [Sample(0.0, {"a": 0.3}), Sample(1.0, {"a": 0.3}), Sample(4.0, {"a": 0.9}), Sample(5.0, {})]
    assert core_seconds(samples, "a") == pytest.approx(0.3 + 3 * 0.6 + 0.45)


def test_windows_without_requests_are_gaps() -> None:
    middles, p95 = p95_by_window([Answer(1.0, 0.2, True), Answer(11.0, 0.1, True)], 15.0)
    assert list(middles) == [2.5, 7.5, 12.5]
    assert p95[0] == 200.0
    assert math.isnan(p95[1])
    assert p95[2] == 100.0


@pytest.mark.parametrize(("slow_until_s", "expected"), [(5.0, 0.0), (10.0, 5.0), (25.0, None)])
def test_recovery(slow_until_s: float, expected: float | None) -> None:
    assert recovered_s(answers(slow_until_s), 5.0, 25.0, 100.0) == expected


def test_less_and_more() -> None:
    assert fewer(1.0, 0.0) is None
    assert fewer(3.0, 2.0) == -50.0


def test_arms_are_alike_but_for_their_cpu() -> None:
    zone = Zone("zone:1")
    small, large, controlled = (zone.deployment(arm, 1) for arm in PLAN.arms)
    assert [arm.controlled for arm in PLAN.arms] == [False, False, True]
    limits = [
        each["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
        for each in (small, large, controlled)
    ]
    assert limits == ["300m", "1000m", "300m"]
    assert len({each["metadata"]["name"] for each in (small, large, controlled)}) == 3


@pytest.mark.parametrize("wrong", [{"zones": 0}, {"zones": 31}, {"step_s": 1e5}])
def test_a_trial_ends(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Plan(**wrong)  # type: ignore[arg-type]


def results() -> Results:
    names = {arm.name: arm.zone(1) for arm in PLAN.arms}
    cores = {names["fixed-300m"]: 0.3, names["fixed-1000m"]: 1.0}
    samples = [
        Sample(0.0, {**cores, names[CONTROLLED]: 0.3}),
        Sample(10.0, {**cores, names[CONTROLLED]: 0.9}),
        Sample(25.0, {**cores, names[CONTROLLED]: 0.3}),
    ]
    found = {
        names["fixed-300m"]: answers(15.0),
        names["fixed-1000m"]: answers(5.0),
        names[CONTROLLED]: answers(7.0),
    }
    return Results(PLAN, found, samples)


def test_the_figures_that_a_trial_is_judged_by() -> None:
    facts = results().facts()
    assert facts["fewer_violated_percent"] == pytest.approx(80.0)  # 2 of 10
    assert facts["less_cpu_time_percent"] == pytest.approx(100.0 * (1.0 - (6.0 + 9.0) / 25.0))
    assert facts["given_back"] is True
    assert facts["recovered_s"] == [5.0]


def test_the_picture(tmp_path: Path) -> None:
    draw(results(), tmp_path / "trial.png")
    with Image.open(tmp_path / "trial.png") as picture:
        assert picture.width > 300
        assert len(set(picture.convert("RGB").resize((200, 200)).get_flattened_data())) > 20


def test_zone_names() -> None:
    assert Arm(CONTROLLED, 300).zone(2) == "controlled-zone-2"
