"""One controller's search for the cheapest parameters that keep violations within a limit.

First it looks around: Optuna's tree-structured Parzen estimator proposes, with the limit as its constraint. It settles
early in one valley, and in which one is a matter of luck, so it does so in legs that know nothing of each other. Then
CMA-ES goes down from the best of them; what a step across the limit saves is less than what it is charged.

Every trial goes to a journal on disk as soon as it is there. What is proposed depends on the trials so far and their
number alone, so that a search that was interrupted goes on as if it had not been.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import create_trial

from agents.baselines.parameters import Range
from benchmarks.tuning.downhill import Downhill, searched
from metaverse_env.errors import ConfigurationError

LEG: Final = 60
"""Trials of a leg of looking around [choice]."""
LEGS: Final = 2
"""How many of them. With them and 160 trials of CMA-ES two searches for ``hpa`` in 8 worlds ended at 3.25 and 3.26
EUR/h; three of 240 trials by the estimator alone at 3.27, 3.33 and 3.37 [M]."""
RANDOM_TRIALS: Final = 20
"""Trials of a leg before the estimator has something to go by; drawn at random [choice]."""
CHARGE: Final = 0.5
"""What the logarithm of violations over the limit adds to that of cost, which along the fronts falls by 0.13 [M]."""
LEAST_PERCENT: Final = 0.01
"""Added to violations and limit before their logarithm is taken, for both may be 0 [choice]."""
DIGITS: Final = 3
"""Significant digits of a value that is tried: more would pretend to know more than the worlds tell [choice]."""
_TRIAL: Final = "trial"
_FACTS: Final = "facts"


class Trial(NamedTuple):
    """Parameters that were tried, and what they gave on the training seeds, means over worlds.

    Attributes:
        parameters: By name; those that are not searched have their defaults and are left out.
        cost_eur_per_h: Allocated resources and charges for changes, all zones.
        violated_percent: User-seconds whose p95 is above the objective.
    """

    parameters: dict[str, float]
    cost_eur_per_h: float
    violated_percent: float


Judge = Callable[[dict[str, float]], tuple[float, float]]
"""Tries parameters; returns cost in EUR/h and violations in per cent."""


def best_of(trials: list[Trial], limit_percent: float) -> Trial:
    """Return the cheapest trial within the limit; where there is none, the one that violates least.

    >>> cheap, dear = Trial({}, 1.0, 0.7), Trial({}, 3.0, 0.2)
    >>> best_of([cheap, dear], 0.5) is dear, best_of([cheap, dear], 0.1) is dear, best_of([cheap, dear], 1.0) is cheap
    (True, True, True)
    """
    within = [trial for trial in trials if trial.violated_percent <= limit_percent]
    if within:
        return min(within, key=lambda trial: trial.cost_eur_per_h)
    return min(trials, key=lambda trial: trial.violated_percent)


def charged(trial: Trial, limit_percent: float) -> float:
    """Return the logarithm of a trial's cost, and of what it violates above the limit its charge.

    >>> charged(Trial({}, 1.0, 0.5), 0.5), round(charged(Trial({}, 1.0, 1.01), 0.5), 3)
    (0.0, 0.347)
    """
    over = (trial.violated_percent + LEAST_PERCENT) / (limit_percent + LEAST_PERCENT)
    return math.log(max(trial.cost_eur_per_h, 1e-9)) + CHARGE * max(0.0, math.log(over))


def leg_start(number: int) -> int:
    """Return the number of the first trial of the leg that this trial belongs to.

    >>> [leg_start(number) for number in (0, 59, 60, 119, 120, 999)]
    [0, 0, 60, 60, 120, 120]
    """
    return min(number - number % LEG, LEG * LEGS)


def journal(path: Path) -> BaseStorage:
    """Open the file that keeps the trials of all controllers."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return JournalStorage(JournalFileBackend(str(path)))


class Leg(Protocol):
    """A part of a search: proposals by number, and answers."""

    def propose(self, number: int) -> dict[str, float]:
        """Return what to try next."""
        ...

    def learn(self, trial: Trial) -> None:
        """Take in what it gave."""
        ...


class Search:
    """The search of one controller, as far as its journal has come.

    Args:
        storage: Where trials are kept.
        policy: Name of the controller.
        ranges: Of the parameters to search for.
        start: What to try first: the defaults.
        limit_percent: Most violations.
        seed: Of what is drawn.
        facts: What trials depend on besides; a search under other facts is not gone on with.

    Raises:
        ConfigurationError: The storage has trials of this controller under other facts.
    """

    def __init__(
        self,
        storage: BaseStorage,
        policy: str,
        ranges: Mapping[str, Range],
        start: Mapping[str, float],
        limit_percent: float,
        seed: int,
        facts: dict[str, Any],
    ) -> None:
        self.policy, self.limit_percent, self._seed = policy, limit_percent, seed
        self._ranges, self._start = dict(ranges), dict(start)
        self._kept = optuna.create_study(storage=storage, study_name=policy, load_if_exists=True)
        space = {name: list(searched(allowed)) for name, allowed in ranges.items()}
        self._check(facts | {"optuna": optuna.__version__, "search": space})
        self._leg = self._replayed(len(self.trials))

    def _check(self, facts: dict[str, Any]) -> None:
        """Keep the facts of a search that begins; compare those of one that goes on."""
        found = self._kept.user_attrs.get(_FACTS)
        if found is None:
            self._kept.set_user_attr(_FACTS, facts)
        elif (other := [name for name in facts if found.get(name) != facts[name]]) != []:
            raise ConfigurationError(
                f"cannot resume {self.policy}: {other[0]} was {found.get(other[0])}, and now it is {facts[other[0]]}. "
                f"Leave --resume out to start anew, or name another folder."
            )

    @property
    def trials(self) -> list[Trial]:
        """Those that are finished, in their order."""
        return [Trial(**trial.user_attrs[_TRIAL]) for trial in self._kept.get_trials(deepcopy=False)]

    def advance(self, judge: Judge) -> Trial:
        """Try one more set of parameters. An interruption leaves no trace of it on disk."""
        number = len(self.trials)
        if number == leg_start(number):
            self._leg = self._replayed(number)
        proposed = self._leg.propose(number)
        parameters = self._start if number == 0 else {name: self._rounded(name, proposed[name]) for name in proposed}
        trial = Trial(parameters, *judge(parameters))
        self._leg.learn(trial)
        self._kept.add_trial(create_trial(value=trial.cost_eur_per_h, user_attrs={_TRIAL: trial._asdict()}))
        return trial

    def _replayed(self, number: int) -> Leg:
        """Return the leg of this number as far as it has come: its proposals made and answered again."""
        first, trials = leg_start(number), self.trials
        leg = self._begun(trials[:first])
        for place in range(first, number):
            leg.propose(place)
            leg.learn(trials[place])
        return leg

    def _begun(self, before: list[Trial]) -> Leg:
        """Return the leg that comes after these trials."""
        if len(before) < LEG * LEGS:
            return _LookingAround(self._ranges, self._start if not before else None, self.limit_percent, self._seed)
        best = best_of(before, self.limit_percent)
        return _GoingDown(Downhill(self._ranges, best.parameters, self._seed % 2**32), self.limit_percent)

    def _rounded(self, name: str, value: float) -> float:
        """Return a proposed value as it is tried."""
        low, high = searched(self._ranges[name])
        return float(min(max(float(f"{value:.{DIGITS}g}"), low), high))


class _LookingAround:
    """A leg of the estimator. Each proposal has a random stream of its own."""

    def __init__(
        self, ranges: Mapping[str, Range], start: Mapping[str, float] | None, limit_percent: float, seed: int
    ) -> None:
        self._space: dict[str, BaseDistribution] = {name: _distribution(allowed) for name, allowed in ranges.items()}
        self._limit_percent, self._seed = limit_percent, seed
        self._study = optuna.create_study()
        if start is not None:
            self._study.enqueue_trial(dict(start))
        self._asked: list[optuna.Trial] = []

    def propose(self, number: int) -> dict[str, float]:
        stream = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        self._study.sampler = TPESampler(n_startup_trials=RANDOM_TRIALS, seed=stream, constant_liar=False)
        self._asked = [self._study.ask(self._space)]
        return dict(self._asked[0].params)

    def learn(self, trial: Trial) -> None:
        asked = self._asked.pop()
        asked.set_constraint("violated_percent", trial.violated_percent - self._limit_percent)
        self._study.tell(asked, trial.cost_eur_per_h)


class _GoingDown:
    """The leg of CMA-ES."""

    def __init__(self, downhill: Downhill, limit_percent: float) -> None:
        self._downhill, self._limit_percent = downhill, limit_percent

    def propose(self, number: int) -> dict[str, float]:
        return self._downhill.ask()

    def learn(self, trial: Trial) -> None:
        self._downhill.tell(charged(trial, self._limit_percent))


def _distribution(allowed: Range) -> FloatDistribution | IntDistribution:
    """Return a parameter's range worth searching as Optuna has it."""
    low, high = searched(allowed)
    if allowed.whole:
        return IntDistribution(round(low), round(high), log=allowed.logarithmic)
    return FloatDistribution(low, high, log=allowed.logarithmic)
