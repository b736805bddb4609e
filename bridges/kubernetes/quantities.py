"""Kubernetes' quantities, exactly, both ways: text to numbers, and our units to text.

The grammar and the canonical form are those of ``k8s.io/apimachinery/pkg/api/resource``: a signed decimal number and
a suffix that is decimal (``n u m k M G T P E``), binary (``Ki Mi Gi Ti Pi Ei``) or an exponent (``e3``, ``E-2``). What
is finer than 10^-9 is rounded away from zero when read; resources of containers are further rounded to 10^-3.
"""

import math
import re
from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from typing import NamedTuple

from metaverse_env.errors import ConfigurationError

BYTES_PER_MB = 1_000_000
MOST = 2**63 - 1
LONGEST = 64
_TEXT = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?", re.ASCII)
_DECIMAL = {suffix: 3 * index for index, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)}
_BINARY = {f"{letter}i": 10 * index for index, letter in enumerate("KMGTPE", 1)}
_EXACT = Context(prec=200, Emin=-(10**6), Emax=10**6)
_NANO, _MILLI, _ONE = Decimal(1).scaleb(-9), Decimal(1).scaleb(-3), Decimal(1)


class _Read(NamedTuple):
    value: Decimal
    family: str


def parse(text: str) -> Decimal:
    """Return a quantity's value, in cores or bytes or whatever it is of.

    >>> parse("1500m"), parse("1.5Gi"), parse("2e3"), parse("0.15") == parse("150m")
    (Decimal('1.500'), Decimal('1610612736.0'), Decimal('2E+3'), True)

    Raises:
        ConfigurationError: It is no quantity, or beyond what Kubernetes can count.
    """
    return _read(text).value


def _read(text: str) -> _Read:
    match = _TEXT.fullmatch(text) if isinstance(text, str) and len(text) <= LONGEST else None
    if match is None:
        raise ConfigurationError(f"quantity {text!r} is none; write it as 250m, 0.25, 64Mi, 1.5G or 2e3")
    sign, digits, suffix, exponent = match.groups()
    number = Decimal(f"{sign}{digits}")
    if suffix in _BINARY:
        value, family = _EXACT.multiply(number, Decimal(2 ** _BINARY[suffix])), "binary"
    elif exponent is not None:
        value, family = number.scaleb(int(exponent), _EXACT), "exponent"
    else:
        value, family = number.scaleb(_DECIMAL[suffix or ""], _EXACT), "decimal"
    if abs(value) > MOST:
        raise ConfigurationError(f"quantity {text!r} is beyond 2^63 - 1, the most that Kubernetes counts")
    return _Read(_rounded(value, _NANO), family)


def canonical(text: str) -> str:
    """Return the canonical form of a container's amount.

    The server answers in this form, or, for some amounts that it need not round, in the very text that it was given:
    so amounts are compared by :func:`parse`, never as texts (T24).

    >>> [canonical(text) for text in ("0.15", "1e-10", "1024Mi", "1.5", "1000000Ki", "0.5Gi", "12e2", "100Ki")]
    ['150m', '1e-3', '1Gi', '1500m', '1000000Ki', '512Mi', '1200', '100Ki']

    Raises:
        ConfigurationError: It is no quantity.
    """
    value, family = _read(text)
    value = _rounded(value, _MILLI)
    if family == "binary" and abs(value) >= 1024 and value == value.to_integral_value():
        power, number = _stripped(int(value), 1024, len(_BINARY))
        return f"{number}{['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][power - 1] if power else ''}"
    power, number = _stripped(int(value.scaleb(3, _EXACT)), 1000, 7)
    if family == "exponent":
        return f"{number}e{3 * (power - 1)}" if power != 1 else str(number)
    return f"{number}{('m', '', 'k', 'M', 'G', 'T', 'P', 'E')[power]}"


def _stripped(number: int, factor: int, most: int) -> tuple[int, int]:
    """Return how often a factor can be taken out, and what is left. Zero is written as a plain 0."""
    if number == 0:
        return int(factor == 1000), 0
    power = 0
    while power < most and number % factor == 0:
        number, power = number // factor, power + 1
    return power, number


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    """Round away from zero, leaving alone what is fine enough."""
    exponent = value.as_tuple().exponent
    finer = isinstance(exponent, int) and exponent < step.adjusted()
    return value.quantize(step, ROUND_UP, _EXACT) if finer else value


def cpu_cores(text: str) -> float:
    """Return cores.

    >>> cpu_cores("250m")
    0.25
    """
    return float(parse(text))


def memory_mb(text: str) -> float:
    """Return MB of 10^6 bytes.

    >>> memory_mb("64Mi")
    67.108864
    """
    return float(parse(text) / BYTES_PER_MB)


def cpu_quantity(cores: float) -> str:
    """Return cores as the nearest whole number of millicores, but never 0 for what is more (T64).

    >>> [cpu_quantity(cores) for cores in (0.25, 0.1 + 0.2, 2.0, 0.0001)]
    ['250m', '300m', '2', '1m']

    Raises:
        ConfigurationError: Negative, not finite, or too many (T63).
    """
    return canonical(f"{_whole(cores, 1000, 'CPU', 'cores')}m")


def memory_quantity(megabytes: float) -> str:
    """Return MB of 10^6 bytes as the nearest whole number of bytes (T64), in binary units where those are whole.

    >>> [memory_quantity(megabytes) for megabytes in (64.0, 67.108864, 1.5, 0.0)]
    ['62500Ki', '64Mi', '1500k', '0']

    Raises:
        ConfigurationError: Negative, not finite, or too much (T63).
    """
    number = _whole(megabytes, BYTES_PER_MB, "memory", "MB")
    return canonical(f"{number // 1024}Ki") if number % 1024 == 0 and number else canonical(str(number))


def _whole(value: float, per_unit: int, what: str, unit: str) -> int:
    """Return the nearest whole number of small units; exact where the value's shortest decimal form is."""
    most = MOST / per_unit
    if isinstance(value, bool) or not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= most):
        raise ConfigurationError(f"{what} {value!r} {unit} cannot be asked for: 0 to {most:.3g}, finite")
    scaled = _EXACT.multiply(Decimal(repr(float(value))), Decimal(per_unit))
    return max(int(scaled.quantize(_ONE, ROUND_HALF_EVEN, _EXACT)), int(value > 0))


def check_amounts(requests: dict[str, str], limits: dict[str, str], zone: str) -> None:
    """Refuse a container's amounts that the server would refuse, before it is asked (T63).

    Args:
        requests: Quantities by resource, such as ``"cpu"``.
        limits: Likewise.
        zone: For messages.

    Raises:
        ConfigurationError: One is negative or no quantity, or a request is above its limit.
    """
    for kind, amounts in (("request", requests), ("limit", limits)):
        for name, text in amounts.items():
            if parse(text) < 0:
                raise ConfigurationError(f"zone {zone!r}: {name} {kind} {text} is negative; 0 or more is possible")
    for name in requests.keys() & limits.keys():
        if parse(requests[name]) > parse(limits[name]):
            raise ConfigurationError(
                f"zone {zone!r}: {name} request {requests[name]} is above its limit {limits[name]}; "
                "lower the one or raise the other"
            )
