"""One controller's search for the cheapest parameters that keep violations within a limit.

Optuna's tree-structured Parzen estimator proposes, with the limit as its constraint. It settles early in one valley,
and in which one is a matter of luck; so the first trials are made in legs that know nothing of each other, and what
comes then knows them all. Every trial goes to a journal on disk as soon as it is there. What is proposed depends on the
trials so far and their number alone, so that a search that was interrupted goes on as if it had not been.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from agents.baselines.parameters import Range
from metaverse_env.errors import ConfigurationError

LEG: Final = 80
"""Trials of a leg [choice]; two searches of 240 trials in one go, for ``hpa`` in 8 worlds, ended 3 % apart [M]."""
LEGS: Final = 3
"""How many legs there are before the search goes on with all that was found [choice]."""
RANDOM_TRIALS: Final = 20
"""Trials of a leg before the estimator has something to go by; drawn at random [choice]."""
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


def leg_start(number: int) -> int:
    """Return the number of the first trial that the trial of this number may know.

    >>> [leg_start(number) for number in (0, 79, 80, 200, 239, 240, 999)]
    [0, 0, 80, 160, 160, 0, 0]
    """
    return 0 if number >= LEG * LEGS else number - number % LEG


def journal(path: Path) -> BaseStorage:
    """Open the file that keeps the trials of all controllers."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return JournalStorage(JournalFileBackend(str(path)))


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
        self._start, self._bounds = dict(start), {name: _bounds(allowed) for name, allowed in ranges.items()}
        self._space: dict[str, BaseDistribution] = {name: _distribution(allowed) for name, allowed in ranges.items()}
        self._kept = optuna.create_study(storage=storage, study_name=policy, load_if_exists=True)
        self._check(facts | {"search": {name: list(bounds) for name, bounds in self._bounds.items()}})
        self._leg = self._remembering(len(self.trials))

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
        """Try one more set of parameters. An interruption leaves no trace of it."""
        number = len(self.trials)
        if leg_start(number) == number or number == LEG * LEGS:
            self._leg = self._remembering(number)
        stream = np.random.SeedSequence([self._seed, number]).generate_state(1)
        self._leg.sampler = TPESampler(n_startup_trials=RANDOM_TRIALS, seed=int(stream[0]), constant_liar=False)
        asked = self._leg.ask(self._space)
        parameters = self._start if number == 0 else {name: self._rounded(name, asked) for name in self._space}
        trial = Trial(parameters, *judge(parameters))
        asked.set_constraint("violated_percent", trial.violated_percent - self.limit_percent)
        asked.set_user_attr(_TRIAL, trial._asdict())
        self._kept.add_trial(self._leg.tell(asked, trial.cost_eur_per_h))
        return trial

    def _remembering(self, number: int) -> optuna.Study:
        """Return a study, in memory, that knows the trials which the proposal of this number may know."""
        leg = optuna.create_study()
        leg.add_trials(self._kept.get_trials()[leg_start(number) : number])
        if number == 0:
            leg.enqueue_trial(self._start)
        return leg

    def _rounded(self, name: str, asked: optuna.Trial) -> float:
        """Return a proposed value as it is tried."""
        low, high = self._bounds[name]
        return float(min(max(float(f"{asked.params[name]:.{DIGITS}g}"), low), high))


def _bounds(allowed: Range) -> tuple[float, float]:
    """Return the least and most that are tried."""
    return allowed.search or (allowed.least, allowed.most)


def _distribution(allowed: Range) -> FloatDistribution | IntDistribution:
    """Return a parameter's range worth searching as Optuna has it."""
    low, high = _bounds(allowed)
    if allowed.whole:
        return IntDistribution(round(low), round(high), log=allowed.logarithmic)
    return FloatDistribution(low, high, log=allowed.logarithmic)
