"""How a constant of the world is declared: with its unit, its range and the mark of its source.

The marks: **[M]** measured on data, **[V]** verified in a source, **[E]** an estimate. They stay beside the number so
that nobody takes a guess for a fact; a test walks every field and refuses one without unit or mark.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from metaverse_env.scenario.problems import explained

Mark = Literal["M", "V", "E", "choice"]
"""``"choice"`` marks what is a decision of ours and not a claim about the world, such as an episode's length."""


class Spec(BaseModel):
    """A frozen group of constants that refuses unknown keys, values of another type and values out of range.

    A text or a boolean never passes for a number. A whole number passes for a real one and a list for a tuple, since
    files know no better; so do NumPy's scalars and arrays.

    Raises:
        ScenarioError: Naming every problem at once, where pydantic alone would raise its own ``ValidationError``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __init__(self, /, **values: Any) -> None:
        with explained(type(self)):
            super().__init__(**values)

    # Without this mark pydantic would call __init__ for nested groups too, and their problems would lose their place.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Validate a mapping, or an instance, as the constructor does."""
        with explained(cls):
            return super().model_validate(obj, **options)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        value = value.tolist() if hasattr(value, "tolist") else value
        return tuple(value) if isinstance(value, list) else value


def quantity(
    default: Any,
    unit: str,
    mark: Mark,
    about: str,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> Any:
    """Declare one numeric constant.

    Args:
        default: The value when a scenario says nothing.
        unit: Its unit in words or symbols; ``"1"`` for a pure number.
        mark: Where the number comes from.
        about: One sentence on what it means.
        gt: The value must be greater.
        ge: The value must be as great or greater.
        lt: The value must be less.
        le: The value must be as little or less.
    """
    return Field(default, description=about, json_schema_extra={"unit": unit, "mark": mark}, gt=gt, ge=ge, lt=lt, le=le)


def interval(default: tuple[float, ...], unit: str, mark: Mark, about: str) -> Any:
    """Declare a tuple of numbers of one unit, such as a pair ``(low, high)``, or of one unit each."""
    return Field(default, description=about, json_schema_extra={"unit": unit, "mark": mark})


def choice(default: Any, about: str) -> Any:
    """Declare a named alternative."""
    return Field(default, description=about, json_schema_extra={"unit": "name", "mark": "choice"})
