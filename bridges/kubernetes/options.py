"""How to speak to a server: names, times and sizes."""

import math
from dataclasses import dataclass, field

from bridges.kubernetes.retrying import RetryPolicy
from metaverse_env.errors import ConfigurationError

MOST_MANAGER_CHARACTERS = 128
LIMITS = ("call_timeout_s", "try_timeout_s", "page", "largest_answer_mb")


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """How to speak to the server.

    Attributes:
        field_manager: Under this name the server records what we own; without one no ownership can be told.
        call_timeout_s: For a whole call with all its tries, waits and pages.
        try_timeout_s: For one try, so that one that hangs leaves time for another.
        page: Objects per page of a list.
        largest_answer_mb: A larger answer is refused, MB of 10^6 bytes.
        retry: How patient.
    """

    field_manager: str = "metaverse-bridge"
    call_timeout_s: float = 15.0
    try_timeout_s: float = 5.0
    page: int = 250
    largest_answer_mb: float = 64.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        name = self.field_manager
        if not (1 <= len(name) <= MOST_MANAGER_CHARACTERS and name.isprintable()):
            raise ConfigurationError(
                f"field_manager {name!r} has {len(name)} characters; it needs 1 to {MOST_MANAGER_CHARACTERS}, printable"
            )
        for limit in LIMITS:
            value = getattr(self, limit)
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(f"{limit} {value!r}: a finite number above 0 is needed")
