"""``behavior`` as an autoscaler's manifest writes it: JSON in, :class:`~.behaviour.Behaviour` and tolerances out.

::

    {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "tolerance": 0.1,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
        "scaleDown": {"stabilizationWindowSeconds": 300},
    }

What is left out has Kubernetes' default, as in the API [V], or that of whoever reads it; a name that the API does not
know is refused.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from metaverse_env.autoscaling.behaviour import Behaviour, RatePolicy, Rules
from metaverse_env.autoscaling.tolerance import Tolerance
from metaverse_env.errors import ConfigurationError, UnknownNameError

_DIRECTIONS: Final = ("scaleUp", "scaleDown")
_RULES: Final = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
_POLICY: Final = ("type", "value", "periodSeconds")


class Pace(NamedTuple):
    """How fast something may change, and how much is not worth a change."""

    behaviour: Behaviour = Behaviour()
    tolerance: Tolerance = Tolerance()


def pace_of(behavior: Any, default: Pace = Pace()) -> Pace:  # noqa: B008  # frozen
    """Read ``behavior``; what is left out is as in ``default``.

    Raises:
        ConfigurationError: What Kubernetes' API refuses.

    >>> pace_of({"scaleDown": {"stabilizationWindowSeconds": 30}}).behaviour.down.window_s
    30.0
    """
    both = _table("behavior", behavior, _DIRECTIONS)
    up, up_tolerance = _rules("scaleUp", both.get("scaleUp", {}), default.behaviour.up, default.tolerance.up)
    down, down_tolerance = _rules(
        "scaleDown", both.get("scaleDown", {}), default.behaviour.down, default.tolerance.down
    )
    return Pace(Behaviour(up, down), Tolerance(down=down_tolerance, up=up_tolerance))


def shape_of(pace: Pace) -> dict[str, Any]:
    """Return ``behavior`` as JSON.

    >>> shape_of(Pace())["scaleDown"]["policies"]
    [{'type': 'Percent', 'value': 100, 'periodSeconds': 15.0}]
    """
    sides = (pace.behaviour.up, pace.tolerance.up), (pace.behaviour.down, pace.tolerance.down)
    return {name: _shape(*side) for name, side in zip(_DIRECTIONS, sides, strict=True)}


def _shape(rules: Rules, tolerance: float) -> dict[str, Any]:
    policies = [{"type": one.type, "value": one.value, "periodSeconds": one.period_s} for one in rules.policies]
    values = rules.window_s, rules.select, policies, tolerance
    return dict(zip(_RULES, values, strict=True))


def _table(where: str, value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} = {value!r}; must be a table of {', '.join(known)}")
    for name in value:
        if name not in known:
            raise UnknownNameError(f"field of {where}", name, known)
    return value


def _rules(where: str, given: Any, default: Rules, held: float) -> tuple[Rules, float]:
    table = _table(where, given, _RULES)
    policies = table.get("policies")
    if policies is not None and not isinstance(policies, list):
        raise ConfigurationError(f"{where}.policies = {policies!r}; must be a list")
    chosen = default.policies if policies is None else tuple(_policy(f"{where}.policies", one) for one in policies)
    window_s = _number(f"{where}.stabilizationWindowSeconds", table.get(_RULES[0], default.window_s), 0.0)
    tolerance = _number(f"{where}.tolerance", table.get("tolerance", held), 0.0)
    return Rules(chosen, table.get("selectPolicy", default.select), window_s), tolerance


def _policy(where: str, given: Any) -> RatePolicy:
    table = _table(where, given, _POLICY)
    lacking = [name for name in _POLICY if name not in table]
    if lacking:
        raise ConfigurationError(f"{where}: a policy lacks {', '.join(lacking)}; give {', '.join(_POLICY)}")
    value, period_s = (_number(f"{where}.{name}", table[name], 0.0) for name in _POLICY[1:])
    return RatePolicy(table["type"], value, period_s)


def _number(where: str, value: Any, least: float) -> float:
    """Return a number; ``tolerance`` is a quantity in the API, and so may be text."""
    try:
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not least <= number < float("inf"):
        raise ConfigurationError(f"{where} = {value!r}; must be a number of at least {least:g}")
    return number
