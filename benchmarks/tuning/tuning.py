"""Controllers tuned one after the other in the same worlds, with the same number of trials."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import agents
from agents.baselines.parameters import Parameter, parameters_of
from benchmarks.conditions import Conditions
from benchmarks.suite import run_policy
from benchmarks.tuning.search import Search, Trial, best_of, journal
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError

JOURNAL: Final = "trials.journal"
NO_FORECASTER: Final = "none"


@dataclass(frozen=True)
class Budget:
    """What every controller is given.

    Attributes:
        trials: How many sets of parameters; the first is the defaults.
        limit_percent: Most user-seconds above the objective, mean over the training worlds.
    """

    trials: int
    limit_percent: float

    def __post_init__(self) -> None:
        if self.trials < 1 or not 0.0 <= self.limit_percent <= 100.0:
            raise ConfigurationError(
                f"trials = {self.trials}, violated_percent = {self.limit_percent:g}; must be at least 1 trial, and a "
                f"limit in [0, 100] %"
            )


class Tuned(NamedTuple):
    """What a search has found so far.

    Attributes:
        policy: Name of the controller.
        forecaster: What it was tuned with.
        trials: All that are finished, the defaults first.
        best: The cheapest within the limit, or the one that violates least.
    """

    policy: str
    forecaster: str
    trials: list[Trial]
    best: Trial


class Candidate(NamedTuple):
    """A controller that can be tuned: its name, what to search for, and what it needs."""

    name: str
    searched: tuple[Parameter, ...]
    start: dict[str, float]
    forecaster: str


def candidate(name: str, terms: Conditions) -> Candidate:
    """Look at a controller.

    Raises:
        MetaverseError: As :func:`agents.load`; it has no parameters to search for.
    """
    policy = agents.load(name)
    searched = tuple(one for one in parameters_of(policy) if one.range.search is not None)
    if not searched:
        raise ConfigurationError(
            f"policy {name!r} has no parameters worth searching; make them with agents.baselines.parameters.parameter"
            f"(..., search=(low, high)), or leave it out"
        )
    start = {one.name: _inside(getattr(policy, one.name), one) for one in searched}
    return Candidate(name, searched, start, forecaster_for(policy, terms.forecaster))


def _inside(value: float, one: Parameter) -> float:
    low, high = one.range.search or (one.range.least, one.range.most)
    return min(max(value, low), high)


def forecaster_for(policy: Policy, wanted: str) -> str:
    """Return the forecaster that is wanted, or none for a policy that does not read forecasts."""
    return wanted if getattr(policy, "reads_forecast", True) else NO_FORECASTER


class Tuning:
    """The searches of several controllers.

    Args:
        terms: The training worlds.
        budget: The same for all.
        names: Controllers; all are looked at before the first is tuned.
        folder: Takes the journal.
        resume: Whether to go on with the trials that are there; else they are dropped.

    Raises:
        MetaverseError: A controller that cannot be tuned; trials that came about under other conditions.
    """

    def __init__(self, terms: Conditions, budget: Budget, names: Sequence[str], folder: Path, resume: bool) -> None:
        self.terms, self.budget = terms, budget
        self._candidates = [candidate(name, terms) for name in names]
        self._shell = cache(self._made_shell)
        self._shell(terms.forecaster, len(terms.blocks[0]))  # a name that does not exist shows before anything is tuned
        if not resume:
            (folder / JOURNAL).unlink(missing_ok=True)
        storage = journal(folder / JOURNAL)
        self._searches = [self._search(storage, one) for one in self._candidates]

    def _search(self, storage: Any, one: Candidate) -> Search:
        ranges = {parameter.name: parameter.range for parameter in one.searched}
        limit, seed = self.budget.limit_percent, self.terms.seeds[0]
        return Search(storage, one.name, ranges, one.start, limit, seed, self.facts() | {"forecaster": one.forecaster})

    def facts(self) -> dict[str, Any]:
        """Return what trials depend on, ready for JSON."""
        facts = self.terms.facts()
        return facts | {"seeds": len(self.terms.seeds), "violated_percent_limit": self.budget.limit_percent}

    @property
    def trials_left(self) -> int:
        """How many trials there are to do."""
        return sum(max(0, self.budget.trials - len(search.trials)) for search in self._searches)

    @property
    def found(self) -> list[Tuned]:
        """What there is of every controller with at least one finished trial."""
        pairs = [(one, search.trials) for one, search in zip(self._candidates, self._searches, strict=True)]
        limit = self.budget.limit_percent
        return [Tuned(one.name, one.forecaster, trials, best_of(trials, limit)) for one, trials in pairs if trials]

    def run(self, trial_done: Callable[[str], object] = lambda name: None) -> Iterator[str]:
        """Tune one controller after the other; yield the name of each that is done.

        Args:
            trial_done: Called after every trial with the controller's name.
        """
        for one, search in zip(self._candidates, self._searches, strict=True):
            for _ in range(len(search.trials), self.budget.trials):
                search.advance(partial(self.judge, one))
                trial_done(one.name)
            yield one.name

    def judge(self, one: Candidate, parameters: dict[str, float]) -> tuple[float, float]:
        """Let a controller act in all training worlds; return its cost in EUR/h and its violations in per cent."""
        policy = agents.load(one.name, **parameters)
        scores = [
            run_policy(self._shell(one.forecaster, len(seeds)), policy, seeds, self.terms.ticks)
            for seeds in self.terms.blocks
        ]
        cost, violated = (
            float(np.concatenate([block[name] for block in scores]).mean())
            for name in ("cost_eur_per_h", "violated_percent")
        )
        return cost, violated

    def _made_shell(self, forecaster: str, worlds: int) -> Shell:
        return replace(self.terms, forecaster=forecaster).shell(worlds)
