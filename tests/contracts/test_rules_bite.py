"""Every rule of every contract is broken once, by a part that breaks nothing else on the way to it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from metaverse_env.contracts import Encoded, View
from metaverse_env.envs.shell import Shell
from metaverse_env.envs.single_zone import SingleZoneEnv
from metaverse_env.envs.vector import MetaverseVectorEnv
from metaverse_env.errors import ActionError, MetaverseError, SampleError
from metaverse_env.forecasters import PersistenceForecaster
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Forecast, Telemetry, Tick
from metaverse_env.testing import ContractError, check_encoder, environments, policies, predictors, sentence, worlds
from metaverse_env.testing.rules import check
from metaverse_env.zones import ZoneGraph


def assert_breaks(rule: Callable[..., None], part: object, *subject: Any) -> None:
    with pytest.raises(ContractError) as broken:
        check(part, [rule], *subject)
    assert f"breaks the rule “{sentence(rule)}”" in str(broken.value)
    assert isinstance(broken.value, MetaverseError)
    assert isinstance(broken.value, AssertionError)


# Worlds


class TamperedWorld(SimulatedWorld):
    """A world of two zones and two copies that is honest unless a subclass is not."""

    def __init__(self) -> None:
        scenario = load_scenario("multi_zone")
        layout = scenario.layout.model_copy(update={"zones": 2})
        monitoring = scenario.monitoring.model_copy(update={"missing_per_h": 120.0})
        super().__init__(scenario.with_changes(layout=layout, monitoring=monitoring), 2)


class Timeless(TamperedWorld):
    tick_s = 0.0


class Forgetful(TamperedWorld):
    def reset(self, **arguments: Any) -> Telemetry:
        telemetry = super().reset(**arguments)
        return telemetry._replace(zones=telemetry.zones[:, :1])


class Hasty(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        return tick._replace(outcome=tick.outcome._replace(tick_s=1.0))


class Unreal(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        tick.telemetry.zones["users"][1, 0] = np.nan
        return tick


class Recycling(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        if not hasattr(self, "buffer"):
            self.buffer = tick.telemetry.zones
        self.buffer[:] = tick.telemetry.zones
        return tick._replace(telemetry=tick.telemetry._replace(zones=self.buffer))


class Inventive(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        zones = tick.telemetry.zones.copy()
        zones["users"] += ~tick.telemetry.observed
        return tick._replace(telemetry=tick.telemetry._replace(zones=zones))


class Ageless(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        zones = tick.telemetry.zones.copy()
        zones["age_s"] = 20.0
        return tick._replace(telemetry=tick.telemetry._replace(zones=zones))


class Sweeping(TamperedWorld):
    def reset(self, **arguments: Any) -> Telemetry:
        return super().reset(seeds=arguments["seeds"])


class Gullible(TamperedWorld):
    def step(self, command: Command) -> Tick:
        try:
            return super().step(command)
        except ActionError:
            return super().step(Command.of(np.ones((2, 2, 3))))


class Random(TamperedWorld):
    def reset(self, **arguments: Any) -> Telemetry:
        return super().reset(seeds=[None] * self.worlds)


class Fixed(TamperedWorld):
    def reset(self, **arguments: Any) -> Telemetry:
        return super().reset(seeds=[0] * self.worlds)


class Needless(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        tick.outcome.zones["demand"] = -1.0
        return tick


class Crowding(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        self.state.zones["users"][0, 0, 0] += 1
        return tick


class Indifferent(TamperedWorld):
    def step(self, command: Command) -> Tick:
        tick = super().step(command)
        tick.outcome.zones["latency_ms"] = 50.0
        return tick


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (worlds.has_zones_and_time, Timeless),
        (worlds.tells_everything, Forgetful),
        (worlds.tells_what_happened, Hasty),
        (worlds.is_plausible, Unreal),
        (worlds.hands_out_new_arrays, Recycling),
        (worlds.holds_what_is_missing, Inventive),
        (worlds.holds_what_is_missing, Ageless),
        (worlds.restarts_some, Sweeping),
        (worlds.refuses_nonsense, Gullible),
        (worlds.repeats_itself, Random),
        (worlds.repeats_itself, Fixed),
        (worlds.needs_and_takes_time, Needless),
        (worlds.keeps_account_of_users, Crowding),
        (worlds.punishes_starving, Indifferent),
    ],
)
def test_world(rule: Callable[..., None], kind: type[TamperedWorld]) -> None:
    world = kind()
    assert_breaks(rule, world, world)


def test_the_honest_world_breaks_none() -> None:
    world = TamperedWorld()
    check(world, (*worlds.WORLD_RULES, worlds.repeats_itself, *worlds.DYNAMICS_RULES), world)


# Predictors


class TamperedPredictor(PersistenceForecaster):
    def __init__(self, tamper: Callable[[np.ndarray], Any]) -> None:
        self.tamper = tamper

    def forecast(self, history: Any, ticks: Sequence[int] | None = None) -> Forecast:
        forecast = super().forecast(history, ticks)
        changed = self.tamper(forecast.values)
        return Forecast(forecast.values if changed is None else changed, forecast.ticks)


def worsen(values: np.ndarray, where: Any, value: float) -> None:
    values[where] = value


class Drifting:
    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        self.asked += 1
        return values + self.asked


@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        (predictors.looks_ahead, lambda values: values.astype(np.float64)),
        (predictors.looks_ahead, lambda values: values[:, :, :-1]),
        (predictors.believes_possible_things, partial(worsen, where=(0, 0), value=np.nan)),
        (predictors.believes_possible_things, partial(worsen, where=(0, 0), value=-1.0)),
        (predictors.believes_possible_things, partial(worsen, where=(..., 2), value=0.0)),
        (predictors.answers_what_is_asked, lambda values: values * values.shape[2]),
        (predictors.keeps_no_state, Drifting()),
        (predictors.separates_worlds, lambda values: values + 0 * values.mean(axis=0) + len(values)),
        (predictors.starts_from_nothing, lambda values: values / values),
    ],
)
def test_predictor(rule: Callable[..., None], tamper: Callable[[np.ndarray], Any]) -> None:
    predictor, seen = TamperedPredictor(tamper), predictors.observe("single_zone", intents=False)
    if rule is predictors.starts_from_nothing:
        seen.telemetry[0].zones["usage"] = 0.0
        with np.errstate(invalid="ignore"):
            assert_breaks(rule, predictor, predictor, seen)
    else:
        assert_breaks(rule, predictor, predictor, seen)


# Encoders


class LengthEncoder:
    modality, backend, version, dimension = "speech", "length", "1", 2

    def __init__(self, tamper: Callable[[np.ndarray], np.ndarray] = np.copy, **said: str) -> None:
        self.tamper, self.said = tamper, {"modality": "speech", "backend": "length", "version": "1"} | said

    def encode(self, samples: Sequence[object], *, strict: bool = True) -> Encoded:
        problems = {place: SampleError("no text") for place, sample in enumerate(samples) if sample is None}
        lengths = np.array([[len(str(sample)), 1.0] for sample in samples], dtype=np.float32)
        lengths[list(problems)] = np.nan
        encoded = Encoded(
            texts=tuple(str(sample) for sample in samples),
            embeddings=self.tamper(lengths),
            problems=problems,
            **self.said,
        )
        if strict and problems:
            error = SampleError("no text")
            error.encoded = encoded
            raise error
        return encoded


def test_an_honest_encoder_passes() -> None:
    check_encoder(LengthEncoder(), ["one", "four"])


@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        (predictors.gives_text_and_embedding, lambda rows: rows[:1]),
        (predictors.gives_text_and_embedding, lambda rows: rows / 0.0),
        (predictors.tells_samples_apart, np.zeros_like),
        (predictors.encodes_each_alone, lambda rows: rows - rows.mean(axis=0)),
        (predictors.refuses_what_is_no_sample, np.nan_to_num),
    ],
)
def test_encoder(rule: Callable[..., None], tamper: Callable[[np.ndarray], np.ndarray]) -> None:
    encoder = LengthEncoder(tamper)
    with np.errstate(divide="ignore"):
        assert_breaks(rule, encoder, encoder, ["one", "four"])


def test_an_encoder_that_gives_another_name_than_its_own() -> None:
    encoder = LengthEncoder(backend="other")
    assert_breaks(predictors.says_who_it_is, encoder, encoder, ["one", "four"])


# Policies


class TamperedPolicy:
    """Holds what is pending, unless told otherwise; counts its decisions over all its life."""

    def __init__(self, act: Callable[["TamperedPolicy", View], Command]) -> None:
        self._act, self.decisions = act, 0

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget nothing: that is one of the faults."""

    def act(self, view: View) -> Command:
        self.decisions += 1
        return self._act(self, view)


def scribble(_: TamperedPolicy, view: View) -> Command:
    view.telemetry.zones["users"] = 0.0
    return view.pending


def rewrite(policy: TamperedPolicy, view: View) -> Command:
    command = policy.__dict__.setdefault("command", Command(view.pending.zones.copy()))
    command.zones["allocation"] *= 1.01
    return command


@pytest.mark.parametrize(
    ("rule", "act"),
    [
        (policies.asks_for_possible_things, lambda _, view: view.pending.zones),
        (policies.asks_for_possible_things, lambda _, view: Command(view.pending.zones[:, :1, None])),
        (policies.asks_for_possible_things, lambda _, view: Command.of(-view.pending.allocation)),
        (policies.asks_for_possible_things, lambda _, view: Command.of(view.pending.allocation * np.nan)),
        (policies.asks_for_possible_things, lambda _, view: Command.of(view.pending.allocation, 2.0)),
        (policies.only_looks, scribble),
        (policies.only_looks, rewrite),
        (policies.forgets_on_reset, lambda policy, view: Command.of(view.pending.allocation + policy.decisions)),
        (
            policies.steers_each_world_alone,
            lambda _, view: Command.of(view.pending.allocation * len(view.pending.zones)),
        ),
    ],
)
def test_policy(rule: Callable[..., None], act: Callable[[TamperedPolicy, View], Command]) -> None:
    policy = TamperedPolicy(act)
    assert_breaks(rule, policy, policy, lambda number: Shell("single_zone", number, "physics", "none"))


# Environments


class TamperedEnv(SingleZoneEnv):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(dynamics="physics", forecaster="none", **arguments)
        self.buffer: np.ndarray | None = None


class Boundless(TamperedEnv):
    def step(self, action: Any) -> Any:
        observation, *rest = super().step(action)
        return (observation * 100.0, *rest)


class Deadly(TamperedEnv):
    def step(self, action: Any) -> Any:
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, True, truncated, info


class Endless(TamperedEnv):
    def step(self, action: Any) -> Any:
        self._ticks_left = 2
        return super().step(action)


class Lawless(TamperedEnv):
    def step(self, action: Any) -> Any:
        if not self.shell.started:
            self.reset()
        self._ticks_left = max(self._ticks_left, 1)
        return super().step(action)


class Moody(TamperedEnv):
    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        return (observation, float(np.random.default_rng().random()), *rest)


class Stuck(TamperedEnv):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset(seed=3 if seed is None else seed, options=options)


class Sharing(TamperedEnv):
    def step(self, action: Any) -> Any:
        observation, *rest = super().step(action)
        self.buffer = observation if self.buffer is None else self.buffer
        self.buffer[:] = observation
        return (self.buffer, *rest)


class Shifted(TamperedEnv):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset(seed=None if seed is None else seed + 1, options=options)


class Undecided(TamperedEnv):
    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action)
        return (observation, np.array([reward]), *rest)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (environments.satisfies_gymnasium, Undecided),
        (environments.stays_within_its_space, Boundless),
        (environments.stays_within_its_space, Deadly),
        (environments.stays_within_its_space, Endless),
        (environments.refuses_wrong_order, Lawless),
        (environments.repeats_itself, Moody),
        (environments.repeats_itself, Stuck),
        (environments.hands_out_new_arrays, Sharing),
        (environments.agrees_with_its_vector, Shifted),
    ],
)
def test_environment(rule: Callable[..., None], kind: type[TamperedEnv]) -> None:
    def make(number: int = 0, **arguments: Any) -> Any:
        if number:
            return MetaverseVectorEnv(number, "single_zone", dynamics="physics", forecaster="none", **arguments)
        return kind(**arguments)

    assert_breaks(rule, "it", make)


def test_the_honest_environment_breaks_none_but_the_checkers_wish_for_a_spec() -> None:
    honest = [rule for rule in environments.ENVIRONMENT_RULES if rule is not environments.satisfies_gymnasium]

    def make(number: int = 0, **arguments: Any) -> gym.Env | gym.vector.VectorEnv:
        if number:
            return MetaverseVectorEnv(number, "single_zone", dynamics="physics", forecaster="none", **arguments)
        return TamperedEnv(**arguments)

    check("it", honest, make)
