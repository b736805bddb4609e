"""Expressions of PromQL: which names they use, and how Grafana would ask them."""

import re
from typing import Any

_STRINGS = re.compile(r'"(\\.|[^"\\])*"' + r"|'(\\.|[^'\\])*'")
_BRACES = re.compile(r"\{[^{}]*\}")
_RANGES = re.compile(r"\[[^\]]*\]")
_GROUPED = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_OFFSET = re.compile(r"\boffset\s+-?\w+")
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
_OPERATORS = {"and", "or", "unless", "bool", "on", "by", "offset", "Inf", "NaN", "inf", "nan", "e"}


def names_in(expression: str) -> set[str]:
    """Return the names of the series that an expression asks for."""
    bare = expression
    for pattern in (_STRINGS, _BRACES, _RANGES, _GROUPED, _OFFSET):
        bare = pattern.sub(" ", bare)
    return {word for word in _WORD.findall(bare) if word not in _OPERATORS}


def as_asked(expression: str, zone: str = ".*", interval: str = "60s") -> str:
    """Return an expression of a dashboard with its variables filled in, as Grafana does."""
    return expression.replace("$__rate_interval", interval).replace("$zone", zone)


def expressions(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]
