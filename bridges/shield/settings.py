"""What the shield lets through: every number that a site may want to set, checked once."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from bridges.shield.clamps import QUANTITIES
from metaverse_env.autoscaling.shape import Pace, pace_of, shape_of
from metaverse_env.errors import ConfigurationError

MOST_BYTES: Final = 1 << 20
_GROWS_TWICE: Final = {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
_VERTICAL: Final = pace_of(
    {
        "scaleUp": _GROWS_TWICE,
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
        },
    }
)
_REPLICAS: Final = pace_of({"scaleUp": {"tolerance": 0}, "scaleDown": {"tolerance": 0}})


def _read(value: Any, default: Pace) -> Pace:
    if isinstance(value, Pace):
        return value
    try:
        return pace_of(value, default)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


SizePace = Annotated[Pace, BeforeValidator(lambda value: _read(value, _VERTICAL)), PlainSerializer(shape_of)]
CountPace = Annotated[Pace, BeforeValidator(lambda value: _read(value, _REPLICAS)), PlainSerializer(shape_of)]


class ShieldSettings(BaseModel):
    """Rules of the shield. Paces are written as an autoscaler's ``behavior``.

    Attributes:
        cpu_cores: How fast a pod's CPU may change; ``tolerance`` is its dead band, per direction.
        memory_mb: The same of its memory.
        bandwidth_mbps: The same of its egress.
        replicas: The same of the number of pods.
        zone_changes_per_h: Writes to one zone within an hour.
        cluster_changes_per_h: Writes to all zones together within an hour.
        cycle_share: Share of the zones that one cycle may write to, at least one zone; those that grow come first.
        reversals_per_h: So often a quantity may turn round within an hour; then it only grows.
        utilisation: A wish may lie from the forecast's median over the larger of these to its .99 quantile over the
            smaller one.
        memory_margin: Memory in use, more by this, is not taken away.
        cool_off_s: How long memory stays above what a kill showed to be too little, s.
        kills_to_stop: So many kills within ``kill_window_s`` at the most that is allowed: no more is tried, an alarm.
        kill_window_s: See there, s.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    cpu_cores: SizePace = _VERTICAL
    memory_mb: SizePace = _VERTICAL
    bandwidth_mbps: SizePace = _VERTICAL
    replicas: CountPace = _REPLICAS
    zone_changes_per_h: int = Field(default=60, ge=1, le=3600)
    cluster_changes_per_h: int = Field(default=3600, ge=1, le=10_000_000)
    cycle_share: float = Field(default=0.5, gt=0.0, le=1.0)
    reversals_per_h: int = Field(default=6, ge=0, le=3600)
    utilisation: tuple[float, float] = (0.2, 1.0)
    memory_margin: float = Field(default=0.05, ge=0.0, le=10.0)
    cool_off_s: float = Field(default=3600.0, ge=0.0, le=7 * 86_400.0)
    kills_to_stop: int = Field(default=3, ge=1, le=100)
    kill_window_s: float = Field(default=600.0, gt=0.0, le=86_400.0)

    @property
    def paces(self) -> tuple[Pace, ...]:
        """Paces in the order of :data:`~bridges.shield.clamps.QUANTITIES`."""
        return self.cpu_cores, self.memory_mb, self.bandwidth_mbps, self.replicas

    @model_validator(mode="after")
    def _can_move(self) -> "ShieldSettings":
        """Refuse a dead band that no step of a rate policy leaves, and pods where pods cannot be counted."""
        least, most = self.utilisation
        if not 0.0 < least < most <= 10.0:
            raise ValueError(f"utilisation = {self.utilisation}; must be 0 < least < most <= 10")
        for name, pace in zip(QUANTITIES, self.paces, strict=True):
            both = (pace.behaviour.up, pace.tolerance.up), (pace.behaviour.down, pace.tolerance.down)
            for rules, tolerance in both:
                counted = [policy.value for policy in rules.policies if policy.type == "Pods"]
                if counted and name != "replicas":
                    raise ValueError(f"{name}: type Pods counts replicas; give Percent")
                percent = max((policy.value for policy in rules.policies), default=0.0)
                if rules.select != "Disabled" and not counted and percent <= 100.0 * tolerance:
                    raise ValueError(
                        f"{name}: a rate of {percent:g} % a period never leaves the dead band of {tolerance:g}; raise "
                        f"the rate or lower the tolerance"
                    )
        return self


def load_settings(path: Path | None) -> ShieldSettings:
    """Read settings from a JSON file; the defaults without one.

    Raises:
        ConfigurationError: The file cannot be read, or says something impossible.
    """
    if path is None:
        return ShieldSettings()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"{path}: larger than {MOST_BYTES} bytes; this is no file of settings")
        return ShieldSettings.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"{path}: {said}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: is no JSON: {error}") from error
