"""What a controller is told."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridges.controller.states import Aim, StateSettings
from bridges.shield.settings import ShieldSettings


class ControllerSettings(BaseModel):
    """How a controller works.

    Attributes:
        aim: How far it may rise; ``"shadow"`` makes no mutating call at all.
        canary: Zones that are written to first, and only, until they did well.
        policy_timeout_s: How long a policy may think; then the heuristic decides.
        window_cycles: Over how many cycles policy and heuristic are compared.
        margin: By what share more cost is worse.
        breach_tolerance: By what share the canary may be above its objective.
        dry_run: Whether the server is asked first, without effect.
        states: Patience of the state machine.
        shield: What is let through.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    aim: Aim = "shadow"
    canary: tuple[str, ...] = ()
    policy_timeout_s: float = Field(default=2.0, gt=0.0, le=600.0)
    window_cycles: int = Field(default=20, ge=1, le=100_000)
    margin: float = Field(default=0.1, ge=0.0, le=10.0)
    breach_tolerance: float = Field(default=0.0, ge=0.0, le=10.0)
    dry_run: bool = True
    states: StateSettings = StateSettings()
    shield: ShieldSettings = ShieldSettings()

    @model_validator(mode="after")
    def _canary_needs_zones(self) -> "ControllerSettings":
        if self.aim == "canary" and not self.canary:
            raise ValueError("mode canary needs canary zones; name them")
        return self
