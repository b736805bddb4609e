"""A controller's parameters as data: default, unit, range that is allowed and range worth searching.

A controller is a dataclass whose fields are made by :func:`parameter`, so that its signature, its checks, its
documentation and the search space of a tuner are one list, read by :func:`parameters_of`.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final, NamedTuple, cast, dataclass_transform

from agents.baselines.checks import checked

_KEY: Final = "parameter"


class Range(NamedTuple):
    """What a parameter may be.

    Attributes:
        least: Smallest value that is allowed.
        most: Largest value that is allowed.
        unit: Of the value; empty for a share or a factor.
        search: Lowest and highest value worth trying; ``None`` for what describes the world rather than the control.
        logarithmic: Whether a search should step by factors.
        whole: Whether only whole numbers are allowed, as of replicas.
        about: What it is, with its source.
    """

    least: float
    most: float
    unit: str = ""
    search: tuple[float, float] | None = None
    logarithmic: bool = False
    whole: bool = False
    about: str = ""


class Parameter(NamedTuple):
    """One parameter of a controller: its name, its default and its range."""

    name: str
    default: float
    range: Range


def parameter(
    default: float,
    least: float,
    most: float,
    about: str,
    *,
    unit: str = "",
    search: tuple[float, float] | None = None,
    logarithmic: bool = False,
    whole: bool = False,
) -> Any:
    """Make a field of a controller; see :class:`Range`."""
    return field(default=default, metadata={_KEY: Range(least, most, unit, search, logarithmic, whole, about)})


def down_window_parameter() -> Any:
    """Make the field of the stabilisation window of scaling down, which every controller of replicas has."""
    about = "Stabilisation window of scaling down [V]."
    return parameter(300.0, 0.0, 3600.0, about, unit="s", search=(0.0, 900.0))


def parameters_of(controlled: Any) -> tuple[Parameter, ...]:
    """Return the parameters of a controller or its class, in the order of its signature; none of anything else."""
    made = [one for one in fields(controlled) if _KEY in one.metadata] if is_dataclass(controlled) else []
    return tuple(Parameter(one.name, cast("float", one.default), one.metadata[_KEY]) for one in made)


def _checked(policy: str, one: Parameter, value: float) -> float:
    allowed = one.range
    return checked(policy, one.name, value, allowed.least, allowed.most, allowed.unit, whole=allowed.whole)


@dataclass_transform(field_specifiers=(parameter, down_window_parameter, field))
def controller(name: str) -> Any:
    """Make a class a controller: a dataclass that refuses parameters outside their ranges.

    Args:
        name: What the controller is called in messages.

    >>> @controller("proportional")
    ... class Proportional:
    ...     gain: float = parameter(1.0, 0.0, 10.0, "Answer to an error of 1.")
    >>> Proportional(gain=11.0)
    Traceback (most recent call last):
    metaverse_env.errors.ConfigurationError: policy 'proportional': gain = 11.0; must be a number in [0, 10]
    """

    def decorate(cls: type[Any]) -> type[Any]:
        then = getattr(cls, "__post_init__", lambda self: None)

        def check(self: Any) -> None:
            for one in parameters_of(self):
                setattr(self, one.name, _checked(name, one, getattr(self, one.name)))
            then(self)

        cls.__post_init__ = check  # dataclass calls it
        return dataclass(eq=False)(cls)

    return decorate
