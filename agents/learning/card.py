"""The card of a learned policy: what it sees, what its outputs mean, how it was made and how good it is.

A policy is two files of one stem: ``.safetensors`` with the weights, which cannot hold code, and ``.json``, the card.
Features are plain columns, so a policy of another layout would run and be wrong; the card is compared in full.
"""

import hashlib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from agents.learning.dead_band import DeadBand
from agents.learning.settings import Algorithm
from metaverse_env.errors import CheckpointError, ConfigurationError
from metaverse_env.observation import FORECAST_FEATURES, WORLD_FEATURES, ZONE_FEATURES

Weights = dict[str, Any]

SHIPPED: Final = Path(__file__).parents[1] / "weights"
"""The policies that come with the package."""


def zone_features(forecast: bool) -> tuple[str, ...]:
    """Return the names of a zone's features in the observation, with or without a forecaster."""
    return tuple(feature.name for feature in ZONE_FEATURES + (FORECAST_FEATURES if forecast else ()))


class Card(BaseModel):
    """What a learned policy is.

    Attributes:
        algorithm: What trained it.
        zone_features: Names of a zone's features, in order; a row has them twice, as own and as the neighbours' mean.
        world_features: Names of the world's features, which stand between.
        action: What the outputs are: ``"continuous"`` scalings, or values of combinations of the codec's ``"factors"``.
        choices: How many outputs there are; for ``"factors"``, how many of each resource.
        dead_band: Of continuous scalings; see :class:`~agents.learning.dead_band.DeadBand`.
        neighbours: Whether it learned what neighbours say; otherwise it hears none.
        scenario: What it was trained in.
        command: What trained it.
        seed: Of the training.
        metrics: Figures on held-out seeds.
        digest: SHA-256 of the weights' file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    algorithm: Algorithm
    zone_features: tuple[str, ...]
    world_features: tuple[str, ...] = tuple(feature.name for feature in WORLD_FEATURES)
    action: Literal["continuous", "factors"] = "continuous"
    choices: tuple[int, ...] = (4,)
    dead_band: DeadBand = DeadBand(0.0, 0.0)
    neighbours: bool = True
    scenario: str = "multi_zone"
    command: str = ""
    seed: int = 0
    metrics: dict[str, Any] = {}
    digest: str = ""

    @property
    def forecast(self) -> bool:
        """Whether the policy sees forecasts."""
        return len(self.zone_features) > len(ZONE_FEATURES)

    @property
    def row_size(self) -> int:
        """How many numbers the policy sees of each zone."""
        return 2 * len(self.zone_features) + len(self.world_features)


def save_policy(stem: Path, card: Card, weights: Weights) -> Card:
    """Write both files of a policy; return the card as written, digest included."""
    file = stem.with_suffix(".safetensors")
    save_file(weights, file)
    card = card.model_copy(update={"digest": _digest(file)})
    stem.with_suffix(".json").write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return card


def load_policy(source: Path) -> tuple[Card, Weights]:
    """Read a policy.

    Args:
        source: The path of either of its files.

    Raises:
        ConfigurationError: There is no such file.
        CheckpointError: The files are damaged, do not belong together, or are for another layout of observations.
    """
    stem = source.with_suffix("")
    paths = stem.with_suffix(".json"), stem.with_suffix(".safetensors")
    for path in paths:
        if not path.is_file():
            raise ConfigurationError(
                f"no learned policy {source}: there is no {path.name}; train one with `metaverse train`"
            )
    try:
        card = Card.model_validate_json(paths[0].read_text(encoding="utf-8"))
        weights = load_file(paths[1])
    except (ValidationError, UnicodeDecodeError, SafetensorError) as error:
        raise CheckpointError(f"{stem.name}: not the files of a learned policy: {error}; train it again") from error
    _check(stem.name, card, paths[1])
    return card, weights


def _check(name: str, card: Card, file: Path) -> None:
    """Refuse weights that the card does not belong to, and observations that are not today's."""
    if card.digest != _digest(file):
        raise CheckpointError(f"{file.name} is not the file that {name}.json describes; take both from one training")
    wanted = zone_features(card.forecast)
    if card.zone_features != wanted:
        different = next((pair for pair in zip(card.zone_features, wanted, strict=False) if pair[0] != pair[1]), None)
        found = f"{different[0]!r} where now is {different[1]!r}" if different else f"{len(card.zone_features)} of them"
        raise CheckpointError(f"{name} was trained on other features of a zone ({found}); train it again")
    if card.world_features != Card.model_fields["world_features"].default:
        raise CheckpointError(f"{name} was trained on other features of the world; train it again")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
