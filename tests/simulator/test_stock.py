"""A stock never hands out what someone holds, in whatever way, and makes nothing new for who holds nothing."""

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.simulator.records import COMMAND, OUTCOME, TELEMETRY, WEATHER
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Records

SHAPE = (2, 3)
HOLDS: dict[str, Callable[[np.ndarray], Any]] = {
    "the array": lambda array: array,
    "a column": lambda array: array["users"],
    "a view of a view": lambda array: array[0]["usage"][1:, 0],
    "a row": lambda array: array[0, 0],
    "a number in a list": lambda array: [array[1:].reshape(-1)],
    "another class": lambda array: array.view(np.recarray),
    "a buffer": lambda array: memoryview(array["users"]),
    "records of one world": lambda array: Records(array[0]),
}


def stock() -> Stock:
    return Stock((1, WEATHER), (2, TELEMETRY), (2, OUTCOME))


def addresses(stock: Stock, ticks: int = 12) -> set[int]:
    return {stock.take(SHAPE)[1].ctypes.data for _ in range(ticks)}


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
def test_what_is_held_is_never_handed_out_again(hold: Callable[[np.ndarray], Any]) -> None:
    arrays = stock()
    held, taken = [], set()
    for tick in range(12):
        telemetry = arrays.take(SHAPE)[1]
        telemetry["users"] = tick
        taken.add(telemetry.ctypes.data)
        held.append(hold(telemetry))
        del telemetry
    gc.collect()
    assert len(taken) == len(held) == 12


def test_who_holds_one_array_of_a_tick_keeps_all_of_them() -> None:
    arrays = stock()
    weather, *_ = arrays.take(SHAPE)
    weather["time_s"] = 7.0
    for _ in range(12):
        arrays.take(SHAPE)[0]["time_s"] = 8.0
    assert weather["time_s"].tolist() == [7.0, 7.0]


def test_what_nobody_holds_is_used_again() -> None:
    assert len(addresses(stock())) == 3


def test_holding_now_and_then_makes_little_new() -> None:
    arrays = stock()
    first = addresses(arrays)
    held = arrays.take(SHAPE)
    assert len(addresses(arrays) - first) == 1
    assert held[1].shape == SHAPE


def test_arrays_of_a_tick_do_not_overlap() -> None:
    weather, telemetry, outcome = stock().take(SHAPE)
    assert (weather.shape, telemetry.shape, outcome.shape) == ((2,), SHAPE, SHAPE)
    for array in (weather, telemetry, outcome):
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert array.flags.writeable
    before = [array.copy() for array in (weather, outcome)]
    telemetry.view(np.uint8)[...] = 0xFF
    assert [array.tobytes() for array in (weather, outcome)] == [array.tobytes() for array in before]


def test_another_shape_is_another_stock() -> None:
    arrays = Stock((2, COMMAND))
    (small,), (large,), (again,) = arrays.take((1, 2)), arrays.take((4, 2)), arrays.take((1, 2))
    assert (small.shape, large.shape, again.shape) == ((1, 2), (4, 2), (1, 2))
    assert not np.shares_memory(small, again)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda stock: pickle.loads(pickle.dumps(stock))])
def test_a_copy_shares_nothing(duplicate: Callable[[Stock], Stock]) -> None:
    arrays = stock()
    mine = arrays.take(SHAPE)
    theirs = duplicate(arrays).take(SHAPE)
    assert not any(np.shares_memory(own, other) for own, other in zip(mine, theirs, strict=True))
