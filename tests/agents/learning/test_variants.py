"""Worlds to learn from that differ."""

import pytest

from agents.learning.variants import SPREADS, eased, variants
from metaverse_env.scenario import load_scenario


def test_the_first_is_the_scenario_itself_and_the_others_lie_around_it() -> None:
    base, *others = variants("complex", 9, seed=4)
    assert base == load_scenario("complex")
    for group, spreads in SPREADS.items():
        for name, (down, up) in spreads.items():
            middle = getattr(getattr(base, group), name)
            values = [getattr(getattr(other, group), name) for other in others]
            assert all(middle / down <= value <= middle * up for value in values)
            assert len(set(values)) == 8


def test_a_seed_says_which() -> None:
    assert variants("complex", 3, seed=1) == variants("complex", 3, seed=1)
    assert variants("complex", 3, seed=1)[1:] != variants("complex", 3, seed=2)[1:]


@pytest.mark.parametrize(("hardness", "outages"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_hardness_is_the_rate_of_disturbances(hardness: float, outages: float) -> None:
    scenario = eased(load_scenario("complex"), hardness)
    assert scenario.disturbances.outage_per_day == outages
    assert scenario.disturbances.drift_sigma == pytest.approx(0.05 * hardness)
