"""The pool from inside: what the parent sees of a process, and a process whose parent is gone."""

import time
from multiprocessing import Pipe

import numpy as np
import pytest

from benchmarks.conditions import Conditions, conditions
from benchmarks.grid.pool import Pool
from benchmarks.grid.worker import Gauge, Piece, WatchedClock, work
from metaverse_env.errors import PolicyError


def small() -> Conditions:
    return conditions("single_zone", dynamics="physics", forecaster="none", seeds=9, ticks=3)


def test_the_parent_sees_since_when_a_policy_thinks_and_about_which_tick() -> None:
    gauge = Gauge([0.0] * Gauge.SIZE)
    gauge.begin()
    clock = WatchedClock(gauge)
    with clock:
        time.sleep(0.02)
        assert gauge.thinking_s >= 0.02
        assert gauge.tick is None
    assert gauge.thinking_s == 0.0
    with clock:
        assert gauge.tick == 0
    with clock:
        assert gauge.tick == 1
    gauge.lived()
    assert gauge.ticks == 1
    gauge.begin()
    assert gauge.tick is None


def test_a_process_whose_parent_is_gone_ends_quietly() -> None:
    ours, theirs = Pipe()
    ours.close()
    work(theirs, [0.0] * Gauge.SIZE, ())


def test_pieces_are_answered_each_and_errors_are_answers() -> None:
    terms, passed = small(), []
    pieces = [Piece(0, name, seeds) for name in ("hold", "forecast", "static") for seeds in terms.blocks]
    with Pool([terms], 1, 60.0, lambda policy, ticks: passed.append(ticks)) as pool:
        reports = {report.piece: report.found for report in pool.run(pieces)}
    assert pieces[3] not in reports  # `forecast` needs a forecast, and failed in its first block
    assert isinstance(reports.pop(pieces[2]), Exception)
    for piece in (pieces[0], pieces[1], pieces[4], pieces[5]):
        scores = reports[piece]
        assert isinstance(scores, dict)
        assert all(values.shape == (len(piece.seeds),) and np.isfinite(values).all() for values in scores.values())
    assert sum(passed) == 4 * terms.ticks


def test_a_limit_that_nobody_can_keep_names_its_option() -> None:
    terms = small()
    with Pool([terms], 1, -1.0) as pool:
        found = [report.found for report in pool.run([Piece(0, "mpc", terms.blocks[0])] * 2)]
    assert found
    assert all(isinstance(error, PolicyError | ValueError) for error in found)


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_work_needs_no_process(jobs: int) -> None:
    with Pool([small()], jobs, 1.0) as pool:
        assert list(pool.run([])) == []
