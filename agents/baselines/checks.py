"""One way to refuse a controller's parameter."""

from metaverse_env.errors import ConfigurationError


def checked(policy: str, name: str, value: float, least: float, most: float, unit: str = "") -> float:
    """Return a parameter that lies in [least, most].

    Raises:
        ConfigurationError: It does not, or is no number.

    >>> checked("threshold", "tolerance", 0.1, 0.0, 1.0)
    0.1
    """
    if isinstance(value, bool) or not isinstance(value, float | int) or not least <= value <= most:
        unit = f" {unit}" if unit else ""
        raise ConfigurationError(
            f"policy {policy!r}: {name} = {value!r}; must be a number in [{least:g}, {most:g}]{unit}"
        )
    return float(value)
