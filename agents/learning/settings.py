"""How to train: everything that decides what comes out, frozen, and written beside it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from metaverse_env.errors import ConfigurationError

Algorithm = Literal["mappo", "ippo", "ppo", "dqn"]

TRAINING_SEED: Final = 2_000_000
"""Worlds that are learnt from start here, apart from those of tuning (1,000,000) and of benchmarks (0)."""
VALIDATION_SEED: Final = 3_000_000
"""Worlds that say which weights to keep."""
SEEDS_APART: Final = 10_000
"""Between the worlds of two seeds of training."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        algorithm: What learns.
        scenario: A name or a file.
        dynamics: Of the worlds that are learnt from; what is kept is decided in the physics.
        forecaster: A name, or ``"none"``.
        seed: Of worlds, weights and exploration.
        agent_steps: How many to learn from, over all zones of all worlds.
        worlds: Side by side.
        global_weight: ``g`` in ``(1 - g) local + g global`` reward.
        central: Whether the critic sees all zones pooled.
        violated_percent: Share of user-seconds above the objective to aim at.
        violated_eur_per_user_h: The charge for them at first.
        price_follows: Whether that charge then moves until as many are violated; not for a learner from memory, whose
            rewards of the past were paid at the prices of the past.
        randomised: How many variants of the scenario to learn from; 1 is the scenario itself.
        curriculum: Hardness of the disturbances in each equal part of the training, 0 for none to 1 for all.
        validation_worlds: That say which weights to keep.
    """

    algorithm: Algorithm = "mappo"
    scenario: str = "multi_zone"
    dynamics: Literal["physics", "stgnn"] = "physics"
    forecaster: str = "stgnn"
    seed: int = 0
    agent_steps: int = 30_000_000
    worlds: int = 128
    global_weight: float = 0.5
    central: bool = True
    violated_percent: float = 0.4
    violated_eur_per_user_h: float = 0.06
    price_follows: bool = True
    randomised: int = 1
    curriculum: tuple[float, ...] = (1.0,)
    validation_worlds: int = 32

    def __post_init__(self) -> None:
        """Check what one value alone does not show.

        Raises:
            ConfigurationError: The worlds cannot be shared evenly among the variants.
        """
        if self.worlds % self.randomised:
            raise ConfigurationError(
                f"worlds = {self.worlds} cannot be shared evenly among randomised = {self.randomised} variants; "
                f"give a multiple of {self.randomised}, or --randomised 1 for the scenario alone"
            )

    @property
    def first_seed(self) -> int:
        """Seed of the first world."""
        return TRAINING_SEED + SEEDS_APART * self.seed

    def hardness_at(self, share: float) -> float:
        """Return the hardness after a share of the training, 0 to 1."""
        return self.curriculum[min(int(share * len(self.curriculum)), len(self.curriculum) - 1)]

    def facts(self) -> dict[str, Any]:
        """Return what a run that goes on must share with the one before, ready for JSON."""
        facts = asdict(self) | {"curriculum": list(self.curriculum)}
        del facts["agent_steps"]
        return facts


DEFAULTS: Final[Mapping[Algorithm, Settings]] = {
    "mappo": Settings(violated_percent=0.25, randomised=8),
    "ippo": Settings("ippo", global_weight=0.0, central=False, violated_percent=0.25, randomised=8),
    "ppo": Settings(
        "ppo",
        "single_zone",
        agent_steps=6_000_000,
        worlds=1024,
        global_weight=0.0,
        central=False,
        validation_worlds=128,
    ),
    "dqn": Settings(
        "dqn",
        "single_zone",
        agent_steps=2_000_000,
        worlds=128,
        global_weight=0.0,
        central=False,
        violated_percent=0.3,
        violated_eur_per_user_h=0.3,
        price_follows=False,
        validation_worlds=128,
    ),
}
"""What suits each algorithm."""
