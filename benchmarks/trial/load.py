"""Load whose arrivals do not wait for answers: a Poisson process whose rate steps up and down.

A latency counts from the moment at which a request was due, so that a server that is behind cannot hide it by slowing
the clients down. Bounded in rate, in time and in requests under way.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp
import numpy as np

from metaverse_env.errors import ConfigurationError

MOST_PER_S: Final = 200.0
"""Requests per second to one zone [choice]."""
MOST_S: Final = 3600.0
"""Length of a load [choice]."""
MOST_UNDER_WAY: Final = 64
"""Requests of one zone that wait for answers; one more is given up at once and counts as failed [choice]."""
GIVEN_UP_S: Final = 10.0
"""A request that takes longer counts as failed, with this latency [choice]."""

Targets = Callable[[], Sequence[str]]
"""Addresses that serve a zone now, such as ``http://10.88.0.5:8080/work?ms=12``."""


class Answer(NamedTuple):
    """What became of one request.

    Attributes:
        due_s: When it was due, from the start.
        latency_s: From then to the last byte.
        ok: Whether it was answered with 200.
    """

    due_s: float
    latency_s: float
    ok: bool


@dataclass(frozen=True)
class Rate:
    """A rate of requests that steps up and back.

    Attributes:
        usual_per_s: Outside the step.
        high_per_s: Within it.
        from_s: Where the step begins, from the start.
        to_s: Where it ends.
    """

    usual_per_s: float
    high_per_s: float
    from_s: float
    to_s: float

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ConfigurationError: A rate or a time out of bounds.
        """
        for name, value in (("usual_per_s", self.usual_per_s), ("high_per_s", self.high_per_s)):
            if not 0.0 < value <= MOST_PER_S:
                raise ConfigurationError(f"{name} = {value} requests/s must be above 0 and at most {MOST_PER_S:g}")
        if not 0.0 <= self.from_s <= self.to_s <= MOST_S:
            raise ConfigurationError(f"a step from {self.from_s} s to {self.to_s} s must lie within {MOST_S:g} s")

    def at(self, now_s: float) -> float:
        """Return the rate at a moment.

        >>> rate = Rate(5.0, 20.0, from_s=10.0, to_s=20.0)
        >>> [rate.at(now_s) for now_s in (9.9, 10.0, 20.0)]
        [5.0, 20.0, 5.0]
        """
        return self.high_per_s if self.from_s <= now_s < self.to_s else self.usual_per_s


def arrivals(rate: Rate, seconds: float, seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process of this rate, thinned out of one of the highest (Lewis and Shedler 1979).

    >>> moments = list(arrivals(Rate(5.0, 20.0, 10.0, 20.0), 30.0, seed=1))
    >>> sum(10.0 <= moment < 20.0 for moment in moments)
    201
    """
    random = np.random.default_rng(seed)
    highest, now_s = max(rate.usual_per_s, rate.high_per_s), 0.0
    while (now_s := now_s + random.exponential(1.0 / highest)) < seconds:
        if random.random() * highest < rate.at(now_s):
            yield now_s


class Load:
    """Requests to one zone.

    Args:
        targets: Who serves it; asked for every request, taken in turn.
        rate: Of requests.
        seconds: How long.
        seed: Of the arrivals: the same for zones that are to be compared.
    """

    def __init__(self, targets: Targets, rate: Rate, seconds: float, seed: int) -> None:
        if not 0.0 < seconds <= MOST_S:
            raise ConfigurationError(f"a load of {seconds} s must take more than 0 s and at most {MOST_S:g} s")
        self._targets, self._arrivals = targets, list(arrivals(rate, seconds, seed))
        self.answers: list[Answer] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(self, session: aiohttp.ClientSession, started_s: float) -> None:
        """Send every request when it is due, ``started_s`` being 0 on the loop's clock, and wait for the answers."""
        loop = asyncio.get_running_loop()
        for number, due_s in enumerate(self._arrivals):
            await asyncio.sleep(max(0.0, started_s + due_s - loop.time()))
            targets = self._targets()
            if not targets or len(self._under_way) >= MOST_UNDER_WAY:
                self.answers.append(Answer(due_s, GIVEN_UP_S, ok=False))
                continue
            task = asyncio.create_task(self._ask(session, targets[number % len(targets)], started_s, due_s))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)

    async def _ask(self, session: aiohttp.ClientSession, address: str, started_s: float, due_s: float) -> None:
        loop = asyncio.get_running_loop()
        ok = False
        try:
            async with session.get(address) as response:
                await response.read()
                ok = response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            ok = False
        latency_s = loop.time() - started_s - due_s
        self.answers.append(Answer(due_s, latency_s if ok else max(latency_s, GIVEN_UP_S), ok))


async def send_all(loads: Sequence[Load]) -> None:
    """Send several loads at the same time."""
    timeout = aiohttp.ClientTimeout(total=GIVEN_UP_S)
    # A connection for each request, as from users who come and go: a kept one would stay with a pod that is going.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        started_s = asyncio.get_running_loop().time()
        await asyncio.gather(*(load.send(session, started_s) for load in loads))
