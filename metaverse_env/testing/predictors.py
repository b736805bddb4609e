"""The rules of whoever believes something about the future, and of the encoders that feed them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.contracts import Encoded, Encoder, Predictor
from metaverse_env.errors import SampleError
from metaverse_env.history import TICKS, History
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Telemetry
from metaverse_env.testing.rules import (
    check,
    pending_command,
    require,
    require_array,
    require_finite,
    require_within,
)
from metaverse_env.units import QUANTILES, TARGETS
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
WORLDS: Final = 3
_TOLERANCE: Final = 1e-4
"""Relative difference that float32 sums in another order may make."""


class Seen(NamedTuple):
    """What was observed of a few worlds, oldest first."""

    graph: ZoneGraph
    telemetry: Sequence[Telemetry]

    def history(self, worlds: Sequence[int] = range(WORLDS), ticks: int | None = None) -> History:
        """Return the history of some worlds alone, or only of the first ticks."""
        rows = list(worlds)
        history = History(len(rows), self.graph, self.telemetry[0].intents.shape[2])
        for then in self.telemetry[:ticks]:
            history.append(Telemetry(then.zones[rows], then.weather[rows], then.intents[rows]))
        return history


def check_predictor(predictor: Predictor, scenario: str | Scenario = "multi_zone") -> None:
    """Hold a predictor against :data:`PREDICTOR_RULES`, on what was observed of three worlds of a scenario.

    The histories hold intents if the predictor has an attribute ``needs_intents`` that is true.

    Raises:
        ContractError: The first rule that it breaks.
    """
    seen = observe(scenario, getattr(predictor, "needs_intents", False))
    check(predictor, PREDICTOR_RULES, predictor, seen)


def observe(scenario: str | Scenario, intents: bool) -> Seen:
    """Return one tick more of observations than a history keeps, with or without intents."""
    world = SimulatedWorld(scenario, WORLDS, "physics", intents=intents)
    first = world.reset(seeds=list(range(WORLDS)))
    return Seen(world.zones, [first, *(world.step(pending_command(first)).telemetry for _ in range(TICKS))])


def check_encoder(encoder: Encoder, samples: Sequence[object]) -> None:
    """Hold an encoder against :data:`ENCODER_RULES`.

    Args:
        encoder: Of one modality.
        samples: At least two raw samples of that modality, different from each other.

    Raises:
        ContractError: The first rule that it breaks.
    """
    check(encoder, ENCODER_RULES, encoder, samples)


def _close(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE))


def looks_ahead(predictor: Predictor, seen: Seen) -> None:
    """A forecast has a value for every world, zone, tick up to the horizon, target and quantile."""
    require(predictor.horizon >= 1, f"horizon is {predictor.horizon} ticks")
    forecast = predictor.forecast(seen.history())
    ticks = tuple(range(1, predictor.horizon + 1))
    require(tuple(forecast.ticks) == ticks, f"ticks is {forecast.ticks}, not {ticks}")
    shape = (WORLDS, len(seen.graph), len(ticks), len(TARGETS), len(QUANTILES))
    require_array("values", forecast.values, shape, np.float32)


def believes_possible_things(predictor: Predictor, seen: Seen) -> None:
    """A forecast is finite and not negative, and its quantiles do not cross."""
    values = predictor.forecast(seen.history()).values
    require_finite("values", values)
    require_within("values", values, 0.0)
    require((np.diff(values, axis=-1) >= 0.0).all(), "a higher quantile is below a lower one")


def answers_what_is_asked(predictor: Predictor, seen: Seen) -> None:
    """Asked for some ticks, a predictor gives those of its whole forecast, in that order."""
    history, some = seen.history(), tuple(sorted({1, predictor.horizon}))
    every, few = predictor.forecast(history), predictor.forecast(history, some)
    require(tuple(few.ticks) == some, f"ticks is {few.ticks}, not {some}")
    require(_close(few.values, every.values[:, :, [tick - 1 for tick in some]]), "the values differ from the whole")


def keeps_no_state(predictor: Predictor, seen: Seen) -> None:
    """The same history gives the same forecast, whatever was asked in between, and is not written to."""
    history = seen.history()
    before = history.values.tobytes()
    first = predictor.forecast(history).values.copy()
    predictor.forecast(seen.history(ticks=2))
    require(np.array_equal(predictor.forecast(history).values, first), "a second answer differs from the first")
    require(history.values.tobytes() == before, "the history was written to")


def separates_worlds(predictor: Predictor, seen: Seen) -> None:
    """The forecast of a world does not depend on the worlds beside it."""
    together = predictor.forecast(seen.history()).values
    alone = predictor.forecast(seen.history([1])).values
    require(_close(alone[0], together[1]), "a world alone is forecast differently")


def starts_from_nothing(predictor: Predictor, seen: Seen) -> None:
    """One observation is enough for a forecast that is finite."""
    require_finite("values after one observation", predictor.forecast(seen.history(ticks=1)).values)


PREDICTOR_RULES: Final = (
    looks_ahead,
    believes_possible_things,
    answers_what_is_asked,
    keeps_no_state,
    separates_worlds,
    starts_from_nothing,
)


def gives_text_and_embedding(encoder: Encoder, samples: Sequence[object]) -> None:
    """Every sample gives one text and one row of finite numbers, as long as the encoder says."""
    encoded = encoder.encode(samples)
    require(len(encoded.texts) == len(samples), f"{len(encoded.texts)} texts for {len(samples)} samples")
    require(all(isinstance(text, str) for text in encoded.texts), "a text is no string")
    require_array("the embedding", encoded.embeddings, (len(samples), encoder.dimension), np.float32)
    require_finite("the embedding", encoded.embeddings)


def says_who_it_is(encoder: Encoder, samples: Sequence[object]) -> None:
    """A result names the modality, the backend and the version that made it."""
    encoded = encoder.encode(samples)
    for name in ("modality", "backend", "version"):
        said = getattr(encoded, name)
        require(bool(said) and said == getattr(encoder, name), f"{name} is {said!r}, not {getattr(encoder, name)!r}")


def tells_samples_apart(encoder: Encoder, samples: Sequence[object]) -> None:
    """Different samples have different embeddings."""
    embeddings = encoder.encode(samples).embeddings
    require(len(np.unique(embeddings, axis=0)) == len(samples), "two samples have one embedding")


def encodes_each_alone(encoder: Encoder, samples: Sequence[object]) -> None:
    """The text and the embedding of a sample do not depend on the samples beside it."""
    together, alone = encoder.encode(samples), encoder.encode(samples[:1])
    require(_close(alone.embeddings[0], together.embeddings[0]), "a sample alone is encoded differently")
    require(alone.texts[0] == together.texts[0], "a sample alone has another text")


def refuses_what_is_no_sample(encoder: Encoder, samples: Sequence[object]) -> None:
    """What is no sample is refused by a problem that says why, and its mates are encoded as without it."""
    mixed = encoder.encode([samples[0], None, samples[1]], strict=False)
    require(set(mixed.problems) == {1} and bool(str(mixed.problems[1])), f"the problems are {dict(mixed.problems)}")
    require(bool(np.isnan(mixed.embeddings[1]).all()), "the embedding of what was refused is not NaN")
    require(
        _close(mixed.embeddings[[0, 2]], encoder.encode(samples[:2]).embeddings), "its mates are encoded differently"
    )
    try:
        encoder.encode([samples[0], None])
    except SampleError as error:
        require(isinstance(error.encoded, Encoded), "the error does not carry the result of its mates")
    else:
        require(False, "a strict encoder took None for a sample")


ENCODER_RULES: Final = (
    gives_text_and_embedding,
    says_who_it_is,
    tells_samples_apart,
    encodes_each_alone,
    refuses_what_is_no_sample,
)
