"""The search on problems whose answers are known, and that an interruption changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from agents.baselines.parameters import Range
from benchmarks.tuning.search import LEG, LEGS, RANDOM_TRIALS, Judge, Search, Trial, best_of, journal
from metaverse_env.errors import ConfigurationError

HEADROOM = {"headroom": Range(0.0, 100.0, search=(0.0, 10.0))}


def cheap_but_short(parameters: dict[str, float]) -> tuple[float, float]:
    """Cost what is given, and violate by what lacks to 5: with a limit of 0.5 the answer is 4.5, at a cost of 4.5."""
    return parameters["headroom"], max(0.0, 5.0 - parameters["headroom"])


def search(folder: Path, ranges: dict[str, Range] | None = None, start: Any = 9.0, **changes: Any) -> Search:
    ranges = HEADROOM if ranges is None else ranges
    options = {"limit_percent": 0.5, "seed": 7, "facts": {"scenario": "made up"}, **changes}
    start = start if isinstance(start, dict) else dict.fromkeys(ranges, start)
    return Search(journal(folder / "trials.journal"), "mine", ranges, start, **options)


def advance(found: Search, judge: Judge, trials: int) -> list[Trial]:
    while len(found.trials) < trials:
        found.advance(judge)
    return found.trials


def test_finds_the_cheapest_within_the_limit(tmp_path: Path) -> None:
    best = best_of(advance(search(tmp_path), cheap_but_short, 60), 0.5)
    assert best.violated_percent <= 0.5
    assert 4.5 <= best.cost_eur_per_h < 4.6


def test_begins_with_the_start_as_it_is(tmp_path: Path) -> None:
    first = advance(search(tmp_path, start=8.87654321), cheap_but_short, 1)[0]
    assert first == Trial({"headroom": 8.87654321}, 8.87654321, 0.0)


def test_where_nothing_is_within_the_limit_the_least_violation_counts() -> None:
    trials = [Trial({}, 1.0, 9.0), Trial({}, 5.0, 2.0), Trial({}, 3.0, 4.0)]
    assert best_of(trials, 0.5) == trials[1]
    assert best_of(trials, 4.0) == trials[2]
    assert best_of(trials, 10.0) == trials[0]


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir()
    halves.mkdir()
    trials, interruptions = LEG * LEGS + 12, (0, RANDOM_TRIALS + 3, LEG * LEGS + 9)
    expected = advance(search(whole), cheap_but_short, trials)
    calls = iter(range(1000))

    def interrupted(parameters: dict[str, float]) -> tuple[float, float]:
        if next(calls) in interruptions:
            raise KeyboardInterrupt
        return cheap_but_short(parameters)

    for _ in interruptions:
        with pytest.raises(KeyboardInterrupt):
            advance(search(halves), interrupted, trials)
    assert LEG * LEGS < len(search(halves).trials) < trials
    assert advance(search(halves), interrupted, trials) == expected


def test_a_leg_knows_nothing_of_those_before_and_then_it_goes_down_from_the_best(tmp_path: Path) -> None:
    seen = advance(search(tmp_path), cheap_but_short, LEG * LEGS + 30)
    far = [abs(trial.parameters["headroom"] - 4.5) for trial in seen]
    settled = [sum(far[start : start + 20]) / 20 for start in (LEG - 20, LEG, LEG * LEGS + 10)]
    assert settled[0] < 1.0
    assert settled[1] > 2.0  # at random over [0, 10] the mean distance to 4.5 is 2.5
    assert settled[2] < 1.0


def test_another_seed_tries_something_else(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one = advance(search(tmp_path), cheap_but_short, 3)
    other = advance(search(tmp_path / "other", seed=8), cheap_but_short, 3)
    assert one[0] == other[0]
    assert one[1:] != other[1:]


def test_values_are_whole_where_they_must_be_within_the_range_and_of_three_digits(tmp_path: Path) -> None:
    ranges = {
        "replicas": Range(1.0, 1000.0, search=(2, 300), logarithmic=True, whole=True),
        "share": Range(0.0, 1.0, search=(0.12345, 0.54321)),
    }
    trials = advance(
        search(tmp_path, ranges, start={"replicas": 2.0, "share": 0.3}),
        lambda given: (given["share"], float(given["replicas"] < 9)),
        40,
    )
    for trial in trials[1:]:
        replicas, share = trial.parameters["replicas"], trial.parameters["share"]
        assert replicas == int(replicas)
        assert 2 <= replicas <= 300
        assert 0.12345 <= share <= 0.54321
        assert share in (0.12345, 0.54321, float(f"{share:.3g}"))
    assert best_of(trials, 0.0).parameters["share"] < 0.2


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"facts": {"scenario": "another"}}, "scenario was made up, and now it is another"),
        ({"ranges": {"headroom": Range(0.0, 100.0, search=(0.0, 5.0))}}, "search was"),
    ],
)
def test_trials_of_other_conditions_are_not_gone_on_with(tmp_path: Path, other: dict[str, Any], message: str) -> None:
    advance(search(tmp_path), cheap_but_short, 1)
    with pytest.raises(ConfigurationError, match=message):
        search(tmp_path, **other)
