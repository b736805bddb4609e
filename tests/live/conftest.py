"""Sessions that start in no time: three zones, the physics, no forecasts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation
from tests.live.showing import terms

Start = Callable[..., Session]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a session; it is closed afterwards."""
    begun: list[Session] = []

    def begin(zones: int = 3, seed: int = 0, keep: bool = False, ticks_per_s: float = 2.0, **others: Any) -> Session:
        session = Session(Simulation(terms(zones, seed, **others), keep), ticks_per_s=ticks_per_s)
        begun.append(session)
        return session

    yield begin
    for session in begun:
        session.close()
