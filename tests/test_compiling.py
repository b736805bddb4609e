"""How pieces and entry points are compiled: once for every type, callable from both sides, and politely."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import event

from metaverse_env import compiling
from metaverse_env.compiling import compiled, entry_point


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile in every test, whatever an earlier run has left."""
    monkeypatch.setattr(compiling, "_cache_folder", lambda: tmp_path)


@pytest.fixture
def collecting() -> Iterator[list[bool]]:
    """Whether garbage is collected, at the start of each compilation."""
    seen: list[bool] = []

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            seen.append(gc.isenabled())

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield seen


def negation() -> Any:
    @entry_point
    def negate(value: float) -> float:
        return -value

    return negate


def test_a_piece_is_called_from_python_and_from_compiled_code() -> None:
    @compiled
    def weigh(value: float, place: int) -> float:
        """Weigh."""
        return value * (place + 1)

    @entry_point
    def weigh_both(values: Any) -> float:
        return weigh(values[0], 0) + weigh(values[1], 1)

    assert weigh(3.0, 2) == 9.0
    assert weigh_both(np.array([5.0, 7.0])) == 5.0 + 14.0
    assert weigh.__doc__ == "Weigh."


def test_a_piece_is_compiled_once_for_all_constants(collecting: list[bool]) -> None:
    @compiled
    def third(values: Any, place: int) -> float:
        return float(values[place] / 3.0)

    @entry_point
    def some(values: Any) -> float:
        return third(values, 0) + third(values, 1) + third(values, len(values) - 1)

    assert some(np.array([3.0, 6.0])) == 1.0 + 2.0 + 2.0
    assert len(collecting) == 2


def test_no_garbage_is_collected_while_an_entry_point_is_compiled(collecting: list[bool]) -> None:
    assert negation()(2) == -2
    assert collecting == [False]
    assert gc.isenabled()


def test_what_is_switched_off_stays_off() -> None:
    gc.disable()
    try:
        assert negation()(2) == -2
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_failing_to_compile_switches_collection_on_again() -> None:
    @entry_point
    def nonsense(value: Any) -> Any:
        return value.nothing

    with pytest.raises(Exception, match="nothing"):
        nonsense(1.0)
    assert gc.isenabled()
