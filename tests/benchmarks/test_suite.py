"""Comparisons: the same users for all, finished results kept, and every mistake said before anything runs."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.conditions import Conditions, conditions
from benchmarks.plots import plot_costs
from benchmarks.report import print_report, summary
from benchmarks.scores import CLOCKED, METRICS, Result
from benchmarks.suite import best_classical, compare, load_policy, policy_names
from metaverse_env.errors import ConfigurationError, MetaverseError, TraceError, UnknownNameError
from metaverse_env.recording import play

PHYSICS = {"dynamics": "physics", "forecaster": "none"}


def small(**changes: object) -> Conditions:
    return conditions(**{**PHYSICS, "seeds": 3, "ticks": 10, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return list(compare(small(), ("hold", "static", "threshold")))


def made_up(policy: str, reward: float, cost: float = 1.0) -> Result:
    scores = {metric.name: np.array([cost, cost + 2.0]) for metric in METRICS}
    return Result(policy, {**scores, "reward": np.array([reward - 1.0, reward + 1.0])})


def lived(result: Result) -> dict[str, np.ndarray]:
    """Return what the machine has no say in."""
    return {name: values for name, values in result.scores.items() if name not in CLOCKED}


def test_each_policy_once_and_the_best_classical_through_the_codec(results: list[Result]) -> None:
    names = [result.policy for result in results]
    assert names[:3] == ["hold", "static", "threshold"]
    assert names[3] == f"{best_classical(results[:3])}+codec"
    for result in results:
        assert {metric.name for metric in METRICS} == set(result.scores)
        assert all(values.shape == (3,) and np.isfinite(values).all() for values in result.scores.values())


def test_a_batch_of_seeds_equals_each_seed_alone(results: list[Result]) -> None:
    for world, seed in enumerate((0, 1, 2)):
        (alone,) = compare(small(seeds=1, seed=seed), ("threshold",), codec=False)
        for name, values in lived(alone).items():
            assert values[0] == pytest.approx(results[2].scores[name][world], rel=1e-6), name


def test_blocks_are_of_eight_seeds_and_the_last_of_the_rest() -> None:
    blocks = small(seeds=20, seed=3).blocks
    assert blocks == [tuple(range(3, 11)), tuple(range(11, 19)), (19, 20, 21, 22)]


def test_many_blocks_give_what_each_of_their_seeds_gives(results: list[Result]) -> None:
    (many,) = compare(small(seeds=11), ("threshold",), codec=False)
    for name, values in lived(many).items():
        np.testing.assert_allclose(values[:3], results[2].scores[name], rtol=1e-6)
    (last,) = compare(small(seeds=3, seed=8), ("threshold",), codec=False)
    np.testing.assert_allclose(many.scores["reward"][8:], last.scores["reward"], rtol=1e-6)


def test_all_meet_the_same_users() -> None:
    terms = small()
    shell = terms.shell(3)
    first = [next(play(shell, load_policy(name, terms.scenario), terms.seeds, 1)) for name in ("hold", "random")]
    users = [turn.step.tick.outcome.zones["users"] for turn in first]
    np.testing.assert_array_equal(users[0], users[1])
    assert (first[0].command.allocation != first[1].command.allocation).any()


def test_the_codec_is_not_run_twice_or_for_nobody() -> None:
    names = [result.policy for result in compare(small(seeds=1), ("hold+codec", "hold"))]
    assert names == ["hold+codec", "hold"]
    assert best_classical([made_up("mine:Policy", 0.0)]) is None


def test_the_best_has_the_highest_mean_reward() -> None:
    assert best_classical([made_up("hold", -2.0), made_up("static", -1.0), made_up("mine:It", 0.0)]) == "static"


@pytest.mark.parametrize("listed", ["", " , ", "hold,static,hold"])
def test_names_are_different_and_at_least_one(listed: str) -> None:
    with pytest.raises(ConfigurationError, match="different names"):
        policy_names(listed)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "seeds = 0; must be at least 1"),
        ({"seeds": 10**7}, "at most 100000"),
        ({"ticks": 0}, "ticks = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"mean_users": 5.0}, "--trace FILE"),
        ({"scenario": "mulit_zone"}, "Did you mean 'multi_zone'"),
        ({"scaling": "diagonal"}, "vertical"),
        ({"trace": "nowhere.csv", "dynamics": None}, "does not exist"),
    ],
)
def test_conditions_that_cannot_be_met(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(MetaverseError, match=message):
        small(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"dynamics": "phyics"}, "Did you mean 'physics'"), ({"forecaster": "persistance"}, "Did you mean 'persistence'")],
)
def test_names_of_parts_are_asked_back(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        next(compare(small(**wrong), ("hold",)))


def test_every_policy_is_made_before_the_first_runs() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'static'"):
        next(compare(small(), ("hold", "statik")))


def users_file(folder: Path, rows: int) -> str:
    path = folder / "req.csv"
    path.write_text("\n".join(["time,req_per_min", *(f"{60 * t},{100 + t}" for t in range(rows))]), encoding="utf-8")
    return str(path)


def test_a_trace_is_scaled_to_the_scenario_and_said_so(tmp_path: Path) -> None:
    terms = conditions(trace=users_file(tmp_path, 40), ticks=20, forecaster="none", seeds=2)
    assert terms.dynamics == "trace"
    assert terms.trace is not None
    assert float(terms.trace.users.mean()) == pytest.approx(60.0)
    text = " ".join(terms.sentences())
    assert "requests/min (proxy for users)" in text
    assert "No gaps" in text
    assert "a mean of 60 users per zone" in text
    assert terms.origin("hold").trace_scale == pytest.approx(60.0 / 119.5)
    (result,) = compare(terms, ("hold",), codec=False)
    assert result.scores["latency_ms"].shape == (2,)


def test_a_trace_can_be_scaled_to_another_mean(tmp_path: Path) -> None:
    terms = conditions(trace=users_file(tmp_path, 40), ticks=20, mean_users=7.0)
    assert terms.trace is not None
    assert float(terms.trace.users.mean()) == pytest.approx(7.0)


def test_a_trace_too_short_for_the_episode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="does not fit"):
        next(compare(conditions(trace=users_file(tmp_path, 40), forecaster="none"), ("hold",)))


def test_one_seed_has_no_bounds_in_json() -> None:
    result = Result("hold", {metric.name: np.array([1.0]) for metric in METRICS})
    found = summary(small(seeds=1), [result])
    assert found["policies"]["hold"]["reward"] == {"mean": 1.0, "low": None, "high": None}


def test_the_table_fits_a_terminal_of_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    named = [made_up("threshold+codec", -1.0, cost=123.4), made_up("hold", -2.0)]
    print_report(Console(width=80), small(seeds=2), named)
    text = capsys.readouterr().out
    assert "…" not in text
    assert "threshold+codec" in text
    assert "95% t-interval" in text


def test_pairs_tell_what_the_hour_of_the_week_hides(capsys: pytest.CaptureFixture[str]) -> None:
    cheap, dear = made_up("hold", -1.0, cost=10.0), made_up("static", -2.0, cost=10.5)
    print_report(Console(width=200), small(seeds=2), [cheap, dear])
    line = next(line for line in capsys.readouterr().out.splitlines()[::-1] if line.strip().startswith("static"))
    assert line.split()[1:3] == ["0.50", "±0.00"]  # in either seed, whose own costs are two apart


def test_the_plot_is_a_picture(tmp_path: Path, results: list[Result]) -> None:
    path = plot_costs(tmp_path / "costs.png", small(), results)
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    plot_costs(tmp_path / "single.png", small(seeds=1), [made_up("hold", -1.0, cost=0.0)])
