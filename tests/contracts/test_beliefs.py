"""Every forecaster of the table against every rule of a predictor."""

import pytest

from metaverse_env.forecasters import load_forecaster
from metaverse_env.testing import PREDICTOR_RULES, check_predictor
from metaverse_env.testing.predictors import Seen, observe
from metaverse_env.testing.rules import Rule, check

FORECASTERS = ("persistence", "stgnn")


@pytest.fixture(scope="module", params=FORECASTERS)
def forecaster(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("scenario", ["single_zone", "multi_zone", "complex"])
@pytest.mark.parametrize("rule", PREDICTOR_RULES, ids=lambda rule: rule.__name__)
def test_rule(rule: Rule, forecaster: str, scenario: str) -> None:
    predictor = load_forecaster(forecaster)
    assert predictor is not None
    seen: Seen = observe(scenario, getattr(predictor, "needs_intents", False))
    check(predictor, [rule], predictor, seen)


def test_check_predictor_runs_the_rules(forecaster: str) -> None:
    predictor = load_forecaster(forecaster)
    assert predictor is not None
    check_predictor(predictor)
