"""The contracts as executable rules, for the parts of this package and for yours.

A part that passes its check works wherever an environment, a controller or a benchmark asks for one. Every rule is a
function whose first sentence is the rule; a :class:`ContractError` quotes the rule that was broken and says what was
found. The tables ``…_RULES`` list them, so that a test can run each under its own name.

>>> from metaverse_env.forecasters import PersistenceForecaster
>>> check_predictor(PersistenceForecaster())
"""

from metaverse_env.testing.environments import ENVIRONMENT_RULES, check_env_id
from metaverse_env.testing.policies import POLICY_RULES, check_policy
from metaverse_env.testing.predictors import ENCODER_RULES, PREDICTOR_RULES, check_encoder, check_predictor
from metaverse_env.testing.rules import ContractError, sentence
from metaverse_env.testing.worlds import DYNAMICS_RULES, WORLD_RULES, check_dynamics, check_world

__all__ = [
    "DYNAMICS_RULES",
    "ENCODER_RULES",
    "ENVIRONMENT_RULES",
    "POLICY_RULES",
    "PREDICTOR_RULES",
    "WORLD_RULES",
    "ContractError",
    "check_dynamics",
    "check_encoder",
    "check_env_id",
    "check_policy",
    "check_predictor",
    "check_world",
    "sentence",
]
