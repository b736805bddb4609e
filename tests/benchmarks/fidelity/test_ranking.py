"""The better controller of one world is the better one of the other."""

import pytest

from benchmarks.fidelity.ranking import CONTROLLERS, kendall_tau, rank


@pytest.mark.parametrize(
    ("other", "tau"),
    [
        ([1.0, 2.0, 3.0, 4.0], 1.0),
        ([4.0, 3.0, 2.0, 1.0], -1.0),
        ([2.0, 1.0, 3.0, 4.0], 0.667),  # five pairs of six agree
        ([1.0, 1.0, 3.0, 4.0], 0.833),  # a tie agrees with nobody and contradicts nobody
    ],
)
def test_tau_by_hand(other: list[float], tau: float) -> None:
    assert kendall_tau([1.0, 2.0, 3.0, 4.0], other) == tau


@pytest.mark.parametrize("scenario", ["multi_zone", "complex"])
def test_controllers_rank_the_same_in_both_worlds(scenario: str) -> None:
    found = rank(scenario, "stgnn", range(900, 906), 240)
    assert len(found.physics) == len(CONTROLLERS) == 9
    assert found.tau >= 0.8
    for name, reward in found.physics.items():
        assert found.learned[name] == pytest.approx(reward, rel=0.35, abs=0.1), name
