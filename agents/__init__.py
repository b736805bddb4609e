"""Who decides: classical controllers and learned agents behind one contract, :class:`metaverse_env.contracts.Policy`.

Agents know worlds only by that contract and never import the bridges. Nothing heavy is imported with the package: a
policy is a name in :data:`POLICIES`, or any ``"module:name"`` of a user, imported when :func:`load` asks for it. Either
may be followed by ``"@scenario"`` or ``"@tuned.json"`` for the parameters that ``metaverse benchmark tune`` found.

>>> policy = load("threshold", cpu_target=0.5)
>>> type(policy).__name__
'Threshold'
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from agents.tuned import tuned_parameters
from metaverse_env.errors import ConfigurationError
from metaverse_env.plugins import resolve, resolve_own

if TYPE_CHECKING:
    from metaverse_env.contracts import Policy

POLICIES: Final = {
    "autothrottle": "agents.baselines.autothrottle.policy:Autothrottle",
    "dqn": "agents.learning.runtime:dqn",
    "forecast": "agents.baselines.forecast:ForecastDriven",
    "guarded": "agents.guarded:guarded",
    "hold": "agents.baselines.hold:Hold",
    "hpa": "agents.baselines.hpa.policy:Hpa",
    "ippo": "agents.learning.runtime:ippo",
    "keda": "agents.baselines.keda:Keda",
    "mappo": "agents.learning.runtime:mappo",
    "mpc": "agents.baselines.mpc.policy:Mpc",
    "oracle": "agents.baselines.oracle:Oracle",
    "oracle_users": "agents.baselines.oracle:UsersOracle",
    "pid": "agents.baselines.pid:Pid",
    "ppo": "agents.learning.runtime:ppo",
    "random": "agents.baselines.random:Random",
    "static": "agents.baselines.static:Static",
    "threshold": "agents.baselines.threshold:Threshold",
    "vpa": "agents.baselines.vpa.policy:Vpa",
}
"""Names that every command line and benchmark understands."""

CLASSICAL: Final = (
    "autothrottle",
    "forecast",
    "hold",
    "hpa",
    "keda",
    "mpc",
    "pid",
    "random",
    "static",
    "threshold",
    "vpa",
)
"""Those that give commands directly, where learned agents choose among coded actions."""

LEARNED: Final = ("dqn", "ippo", "mappo", "ppo")
"""Those that were trained; ``NAME@SCENARIO`` is the one trained for that scenario."""

CLAIRVOYANT: Final = ("oracle", "oracle_users")
"""Those that are handed the world and know its future: bounds, and no competitors."""


def load(name: str, **parameters: Any) -> "Policy":
    """Make a policy.

    Args:
        name: A name of :data:`POLICIES`, or ``"module:name"`` of a class, a function that makes a policy, or a policy.
            ``"NAME@SCENARIO"`` gives it the parameters that are shipped as tuned for that scenario,
            ``"NAME@FILE.json"`` those of a tuning of your own; of a learned policy, its weights in the same way.
        **parameters: Given to whatever makes it; they override tuned ones.

    Raises:
        UnknownNameError: No policy has this name, the module has no such attribute, or nothing was tuned for it.
        MissingDependencyError: It needs a package that is not installed.
        ConfigurationError: A parameter that it does not take or refuses; a module that cannot be found; or what the
            module holds is no policy.
    """
    plain, tuned, source = name.partition("@")
    maker = resolve_own("policy", plain) if ":" in plain else resolve("policy", plain, POLICIES, extra="agents")
    found = _found(plain, source) if tuned else {}
    policy: Policy = _made(name, maker, found | parameters)
    _check(name, policy)
    return policy


def _found(plain: str, source: str) -> dict[str, Any]:
    """Return what stands behind the @: a learned policy's weights, or a controller's tuned parameters."""
    return {"weights": source} if plain in LEARNED else tuned_parameters(plain, source)


def plain_name(name: str) -> str:
    """Return a policy's name without where its parameters come from.

    >>> plain_name("hpa@multi_zone"), plain_name("hpa")
    ('hpa', 'hpa')
    """
    return name.partition("@")[0]


def _made(name: str, source: Any, parameters: dict[str, Any]) -> Any:
    """Call a class or function; take an object as it is."""
    if not (inspect.isclass(source) or inspect.isroutine(source)):
        if parameters:
            raise ConfigurationError(
                f"policy {name!r} is made already and takes no parameters, but got {', '.join(parameters)}; "
                f"name its class instead"
            )
        return source
    factory: Callable[..., Any] = source
    signature = inspect.signature(factory)
    try:
        signature.bind(**parameters)
    except TypeError as error:
        raise ConfigurationError(f"policy {name!r}: {error}; its parameters are {signature}") from error
    return factory(**parameters)


def _check(name: str, policy: Any) -> None:
    missing = [method for method in ("reset", "act") if not callable(getattr(policy, method, None))]
    if missing:
        raise ConfigurationError(
            f"policy {name!r} is a {type(policy).__name__} without {' and '.join(missing)}; a policy has "
            f"reset(zones, worlds) and act(view) -> Command, see metaverse_env.Policy"
        )
