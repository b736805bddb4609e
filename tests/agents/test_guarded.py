"""Noticing drift, and who decides then: sums by hand, and forecasts that begin to be wrong and end to be."""

from collections.abc import Sequence

import numpy as np
import pytest

import agents
from agents.drift import P90_SCORE, Cusum, standardised_errors
from agents.guarded import Guarded
from metaverse_env.contracts import Predictor
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.forecasters import load_forecaster
from metaverse_env.history import History
from metaverse_env.recording import play
from metaverse_env.telemetry import Forecast
from metaverse_env.testing import check_policy
from tests.agents.views import make_view


def told(median: float, p90: float) -> Forecast:
    values = np.zeros((1, 1, 1, 4, 3), dtype=np.float32)
    values[..., 0], values[..., 1], values[..., 2] = median, p90, 2 * p90
    return Forecast(values, (1,))


def test_an_error_is_in_standard_deviations_of_what_the_forecast_claims() -> None:
    forecast = told(2.0, 2.0 * float(np.exp(0.1 * P90_SCORE)))  # of the logarithm: 0.1
    seen = make_view([2.0 * np.exp(0.25), 500.0, 2.0 * np.exp(-0.3)], [10.0, 1000.0, 100.0])
    np.testing.assert_allclose(standardised_errors(seen, forecast)[0, 0], [2.5, -3.0], rtol=1e-4)


def test_what_was_not_seen_is_no_error() -> None:
    for column in ("observed", "ready"):
        seen = make_view([4.0, 500.0, 4.0], [10.0, 1000.0, 100.0], **{column: 0.0})
        np.testing.assert_array_equal(standardised_errors(seen, told(1.0, 1.1)), 0.0)


def test_usage_at_its_limit_is_no_sign_of_little_demand() -> None:
    full = make_view([1.0, 500.0, 1.0], [1.0, 1000.0, 100.0])
    np.testing.assert_allclose(standardised_errors(full, told(2.0, 2.4))[0, 0] < 0, [False, True])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_lasting_shift_is_noticed_after_as_many_ticks_as_the_sum_needs(sign: float) -> None:
    cusum = Cusum(allowance=1.5, threshold=12.0)
    cusum.reset(1, 2)
    errors = np.zeros((1, 2, 2))
    errors[0, 1, 0] = 3.0 * sign
    noticed = [cusum.update(errors)[0].copy() for _ in range(12)]
    first = int(np.argmax([zones[1] for zones in noticed]))
    assert first == 8  # nine times 1.5 is the first sum above 12
    assert not any(zones[0] for zones in noticed)


def test_noise_that_was_foretold_seldom_raises_an_alarm() -> None:
    cusum = Cusum()
    cusum.reset(100, 1)
    random = np.random.default_rng(0)
    alarms = [cusum.update(random.normal(size=(100, 1, 2))).any() for _ in range(1000)]
    assert not any(alarms)  # 100,000 zone-ticks


class Mistaken:
    """Persistence, times a factor that a test sets."""

    horizon = 16
    factor = 1.0

    def __init__(self) -> None:
        self.inner: Predictor = load_forecaster("persistence")  # type: ignore[assignment]  # it is one

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        right = self.inner.forecast(history, ticks)
        return Forecast(right.values * np.float32(self.factor), right.ticks)


def test_the_safe_policy_decides_while_forecasts_are_wrong_and_not_before_or_after() -> None:
    forecaster = Mistaken()
    shell = Shell("multi_zone", 2, "physics", forecaster, remember=True)
    policy = Guarded(agents.load("forecast"), agents.load("threshold"))
    drifting = []
    for tick, _ in enumerate(play(shell, policy, [1, 2], 120)):
        drifting.append(policy.drifting.mean())
        forecaster.factor = 0.2 if 40 <= tick < 70 else 1.0
    assert max(drifting[5:40]) < 0.1
    assert drifting[65] > 0.8
    assert drifting[-1] < 0.2


def test_undisturbed_it_decides_as_the_policy_it_guards() -> None:
    shells = [Shell("multi_zone", 1, "physics", "persistence", remember=True) for _ in range(2)]
    alone, guarded = agents.load("forecast"), Guarded(agents.load("forecast"), agents.load("threshold"), Cusum(9.0))
    for mine, theirs in zip(play(shells[0], alone, [3], 40), play(shells[1], guarded, [3], 40), strict=True):
        np.testing.assert_array_equal(mine.command.zones, theirs.command.zones)


def test_whoever_takes_over_takes_nothing_away() -> None:
    shell = Shell("multi_zone", 1, "physics", "persistence", remember=True)
    policy = Guarded(agents.load("forecast"), agents.load("threshold"), Cusum(0.0, 0.0, -1.0))
    for turn in play(shell, policy, [3], 10):
        if policy.drifting.any():
            safe = policy.safe.act(turn.view).allocation[policy.drifting]
            assert (turn.command.allocation[policy.drifting] >= safe - 1e-6).all()
            np.testing.assert_array_equal(turn.command.handover[policy.drifting], 0.0)


def test_it_keeps_the_contract() -> None:
    check_policy(Guarded(agents.load("forecast"), agents.load("threshold")))


def test_it_needs_a_forecast() -> None:
    with pytest.raises(ConfigurationError, match="forecast"):
        check_policy(Guarded(agents.load("hold"), agents.load("threshold")), forecaster="none")
