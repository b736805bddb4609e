"""The same state, users and noise under two allocations: less never gives less latency, and changes it by as much."""

from itertools import pairwise

import pytest

from benchmarks.fidelity.counterfactual import MULTIPLES, effects

MOST_ERROR = {2.0: 0.05, 1.4: 0.05, 1.15: 0.3, 0.9: 0.7, 0.6: 1.0}
"""Mean absolute error over zones, in doublings of latency, by the lesser multiple of demand. Around capacity latency grows
forty-fold within a tenth of load, so that zone by zone little of it can be told; the mean over zones can."""


@pytest.mark.parametrize("scenario", ["multi_zone", "complex"])
def test_effects_of_allocations(scenario: str) -> None:
    found = effects(scenario, "stgnn", range(600, 608))
    assert [(effect.more, effect.less) for effect in found] == list(pairwise(MULTIPLES))
    for effect in found:
        assert effect.wrong == 0.0, effect
        assert effect.error <= MOST_ERROR[effect.less], effect
        assert effect.learned == pytest.approx(effect.physics, rel=0.15, abs=0.15), effect


def test_the_physics_is_right_about_itself() -> None:
    for effect in effects("single_zone", "physics", range(20)):
        assert (effect.error, effect.wrong) == (0.0, 0.0)
        assert effect.physics == effect.learned >= 0.0
