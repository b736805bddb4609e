"""One way to refuse a controller's parameter."""

from metaverse_env.errors import ConfigurationError


def checked(
    policy: str, name: str, value: float, least: float, most: float, unit: str = "", *, whole: bool = False
) -> float:
    """Return a parameter that lies in [least, most], and is a whole number where only those make sense.

    Raises:
        ConfigurationError: It does not, or is no number.

    >>> checked("threshold", "tolerance", 0.1, 0.0, 1.0)
    0.1
    """
    number = not isinstance(value, bool) and isinstance(value, float | int) and least <= value <= most
    if not number or (whole and not float(value).is_integer()):
        kind, unit = "whole number" if whole else "number", f" {unit}" if unit else ""
        raise ConfigurationError(
            f"policy {policy!r}: {name} = {value!r}; must be a {kind} in [{least:g}, {most:g}]{unit}"
        )
    return float(value)
