"""Who may do what: API keys with scopes, and how often.

A key is never an argument of the command line, where every user of the machine could read it, and never kept: only its
digest is. A key that is offered is compared with every known one, in constant time.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from fastapi import Request

from metaverse_env.errors import ConfigurationError
from predictors.server.problems import ProblemError

Scope = Literal["predict", "read", "forget"]
SCOPES: Final[frozenset[Scope]] = frozenset({"predict", "read", "forget"})
"""``predict``: every POST; ``read``: zones and metrics; ``forget``: to make the server forget a zone."""

VARIABLE: Final = "METAVERSE_API_KEY"
LEAST_CHARACTERS: Final = 16


@dataclass(frozen=True)
class KeyRing:
    """Digests of keys, and what each may do. Empty: nobody is asked for a key.

    >>> ring = KeyRing.of({"a-long-enough-key": {"read"}})
    >>> ring.scopes("a-long-enough-key"), ring.scopes("another-long-key")
    (frozenset({'read'}), None)
    """

    digests: Mapping[bytes, frozenset[Scope]] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Mapping[str, set[Scope] | frozenset[Scope]]) -> "KeyRing":
        """Return a ring of keys.

        Raises:
            ConfigurationError: A key is too short to be a secret, or cannot stand in a header.
        """
        if any(len(key) < LEAST_CHARACTERS or not key.isascii() for key in keys):
            raise ConfigurationError(
                f"an API key needs {LEAST_CHARACTERS} ASCII characters or more; make one with: openssl rand -hex 32"
            )
        return cls({_digest(key): frozenset(scopes) for key, scopes in keys.items()})

    def scopes(self, offered: str) -> frozenset[Scope] | None:
        """Return what a key may do, or ``None`` for a key that is not known."""
        digest, found = _digest(offered), None
        for known, scopes in self.digests.items():
            if hmac.compare_digest(known, digest):
                found = scopes
        return found


def load_keys(path: Path | None) -> KeyRing:
    """Read keys from a file and from the environment's ``METAVERSE_API_KEY``.

    A line of the file holds a key and, after it, the scopes that it has (all if none is named); ``#`` starts a comment.

    Raises:
        ConfigurationError: The file cannot be read or holds no key, a scope does not exist, or a key is too short.
    """
    keys: dict[str, frozenset[Scope]] = {}
    if VARIABLE in os.environ:
        keys[os.environ[VARIABLE]] = SCOPES
    if path is not None:
        try:
            lines = [line.split("#")[0].split() for line in path.read_text("utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"no API keys in {path}: {error}") from error
        found = {words[0]: _scopes(words[1:], f"{path}:{number}") for number, words in enumerate(lines, 1) if words}
        if not found:
            raise ConfigurationError(f"no API keys in {path}: a line holds a key and, if not all, its scopes")
        keys |= found
    return KeyRing.of(keys)


class RateLimit:
    """A bucket for each caller, which holds the requests of one second and fills steadily.

    Args:
        per_s: Requests that a caller may make on average.
        clock: Seconds, from anywhere.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s, self._clock = per_s, clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> float:
        """Take a request out of a caller's bucket; return how long to wait if it is empty, s."""
        now, most = self._clock(), max(1.0, self.per_s)
        left, then = self._buckets.get(caller, (most, now))
        left = min(most, left + (now - then) * self.per_s)
        allowed = left >= 1.0
        self._buckets[caller] = (left - allowed, now)
        return 0.0 if allowed else (1.0 - left) / self.per_s


class Guard:
    """Stands before an endpoint: first the key, then the rate.

    Args:
        keys: Who may do what.
        rate: How often; ``None`` for no limit.
    """

    def __init__(self, keys: KeyRing, rate: RateLimit | None) -> None:
        self.keys, self.rate = keys, rate

    def admit(self, request: Request, scope: Scope) -> None:
        """Let a request pass.

        Raises:
            ProblemError: 401 no key, or an unknown one; 403 the key may not do this; 429 too often.
        """
        caller = ""
        if self.keys.digests:
            caller = _offered(request)
            scopes = self.keys.scopes(caller)
            if scopes is None:
                raise ProblemError(401, "Send a known API key as X-API-Key or as a Bearer token.", _CHALLENGE)
            if scope not in scopes:
                raise ProblemError(403, f"This API key has no scope {scope!r}.")
        if self.rate is not None and (wait_s := self.rate.take(_digest(caller).hex())) > 0.0:
            detail = f"More than {self.rate.per_s:g} requests per second."
            raise ProblemError(429, detail, {"Retry-After": str(int(wait_s) + 1)})


_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


def _offered(request: Request) -> str:
    """Return the key of a request; empty without one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return request.headers.get("X-API-Key") or (token.strip() if kind.lower() == "bearer" else "")


def _scopes(words: list[str], line: str) -> frozenset[Scope]:
    if not SCOPES.issuperset(words):  # a word is not shown: it may be a key that went astray
        raise ConfigurationError(f"{line}: after the key stand scopes, and there are only {', '.join(sorted(SCOPES))}")
    return frozenset(scope for scope in SCOPES if scope in words) or SCOPES


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
