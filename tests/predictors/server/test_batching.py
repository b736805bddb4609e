"""The queue without a server: what is taken together, what is quick, who is refused and who is dropped."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.server.batching import QUICK_S, Batcher
from predictors.server.engine import Forget, Work, runs
from predictors.server.problems import ProblemError
from predictors.server.requests import Report


async def here() -> bool:
    return False


def drive(scenario: Callable[[Batcher], Coroutine[Any, Any, None]], most: int = 100) -> list[int]:
    """Run a scenario with a queue, and return the sizes of its batches."""
    sizes: list[int] = []

    async def main() -> None:
        batcher = Batcher(most, sizes.append)
        try:
            await scenario(batcher)
        finally:
            batcher.close()

    asyncio.run(main())
    return sizes


def report(zone: str, users: float = 0.0) -> Report:
    return Report(zone_name=zone, active_users=users)


def echo(items: Sequence[Work]) -> list[Any]:
    return [item.zone_name for item in items if isinstance(item, Report | Forget)]


async def ask(batcher: Batcher, zone: str, gone: Callable[[], Awaitable[bool]] = here) -> Any:
    (result,) = await batcher.results([report(zone)], gone)
    return result


def test_what_is_there_in_one_turn_of_the_loop_is_one_batch() -> None:
    async def scenario(batcher: Batcher) -> None:
        batcher.start(echo)
        assert await asyncio.gather(*(ask(batcher, str(number)) for number in range(20))) == list(map(str, range(20)))
        assert await ask(batcher, "alone") == "alone"

    assert drive(scenario) == [20, 1]


def test_what_comes_while_it_works_is_the_next_batch() -> None:
    def slowly(items: Sequence[Work]) -> list[Any]:
        time.sleep(0.1)
        return echo(items)

    async def scenario(batcher: Batcher) -> None:
        batcher.start(slowly)
        first = asyncio.create_task(ask(batcher, "first"))
        await asyncio.sleep(0.03)
        rest = [asyncio.create_task(ask(batcher, str(number))) for number in range(5)]
        await asyncio.sleep(0.03)
        assert len(batcher) == 5
        assert await asyncio.gather(first, *rest) == ["first", *map(str, range(5))]

    assert drive(scenario) == [1, 5]


def test_quick_work_is_done_by_the_loop_and_slow_work_never() -> None:
    threads: list[bool] = []

    def work(items: Sequence[Work], pause_s: float) -> list[Any]:
        threads.append(threading.current_thread() is threading.main_thread())
        time.sleep(pause_s)
        return echo(items)

    async def scenario(batcher: Batcher) -> None:
        batcher.start(lambda items: work(items, 0.0))
        for _ in range(3):
            await ask(batcher, "quick")
        batcher.start(lambda items: work(items, 3.0 * QUICK_S))
        for _ in range(3):
            await ask(batcher, "slow")

    drive(scenario)
    assert threads[0] is False  # how long it takes is not known yet
    assert threads[4:] == [False, False]


def test_nobody_works_before_the_start_and_after_the_end() -> None:
    async def scenario(batcher: Batcher) -> None:
        for end in (False, True):
            if end:
                batcher.start(echo)
                batcher.close()
            problem = await ask(batcher, "early or late")
            assert isinstance(problem, ProblemError)
            assert problem.status == 503

    drive(scenario)


def test_a_full_queue_refuses_and_drops_only_those_who_left() -> None:
    release = threading.Event()

    def blocked(items: Sequence[Work]) -> list[Any]:
        release.wait(10.0)
        return echo(items)

    async def left() -> bool:
        return True

    async def scenario(batcher: Batcher) -> None:
        batcher.start(blocked)
        working = asyncio.create_task(ask(batcher, "working"))
        await asyncio.sleep(0.02)
        stays, leaves = (asyncio.create_task(ask(batcher, name, gone)) for name, gone in (("a", here), ("b", left)))
        await asyncio.sleep(0.02)
        late = asyncio.create_task(ask(batcher, "late"))
        await asyncio.sleep(0.02)
        with pytest.raises(ProblemError) as refusal:
            await ask(batcher, "too late")
        assert (refusal.value.status, refusal.value.headers) == (429, {"Retry-After": "1"})
        release.set()
        assert await asyncio.gather(working, stays, late) == ["working", "a", "late"]
        assert (await leaves).status == 503

    assert drive(scenario, most=2) == [1, 2]


@given(st.lists(st.one_of(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), st.none()), max_size=30))
def test_runs_keep_order_and_hold_no_contradiction(calls: list[tuple[str, int] | None]) -> None:
    items: list[Work] = [Forget("z") if call is None else report(*call) for call in calls]
    found = list(runs(items))
    assert [item for run in found for item in run] == items
    for run in found:
        if isinstance(run[0], Forget):
            assert len(run) == 1
        else:
            said = {item.zone_name: item for item in run if isinstance(item, Report)}
            assert all(said[item.zone_name] == item for item in run if isinstance(item, Report))
    for before, after in pairwise(found):  # and none is cut without need
        first = after[0]
        assert not isinstance(first, Report) or isinstance(before[0], Forget) or first.zone_name in echo(before)
