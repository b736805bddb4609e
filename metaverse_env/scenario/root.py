"""The scenario: the groups of constants and how the zones are laid out."""

from typing import Final, Literal

from pydantic import Field, model_validator

from metaverse_env.scenario.fields import Spec, choice, quantity
from metaverse_env.scenario.infrastructure import (
    ActuationSpec,
    CostSpec,
    DemandSpec,
    DisturbanceSpec,
    MonitoringSpec,
    ServiceSpec,
)
from metaverse_env.scenario.workload import IntentSpec, WorkloadSpec

Scaling = Literal["vertical", "horizontal"]

MOST_METRIC_AGE_TICKS: Final = 2
"""So many ticks of measurements are kept beside the present one."""


class LayoutSpec(Spec):
    """How many zones there are, who neighbours whom, and on which nodes they live."""

    zones: int = quantity(30, "zones", "choice", "Number of zones.", ge=1, le=10_000)
    names: tuple[str, ...] = choice((), "One name per zone; empty gives zone-1, zone-2, ….")
    topology: Literal["grid", "ring"] = choice("grid", "Who neighbours whom.")
    zones_per_node: int = quantity(5, "zones", "choice", "Zones that share a node.", ge=1, le=1000)
    node_headroom: float = quantity(
        2.0,
        "1",
        "E",
        "Capacity of a node over the static peak of its zones; below 1 they compete always.",
        gt=0,
        le=100,
    )
    seed: int = quantity(0, "1", "choice", "Draws ranks, phases, round trips and travel times of the layout.", ge=0)

    @model_validator(mode="after")
    def _one_name_each(self) -> "LayoutSpec":
        if self.names and (len(self.names) != self.zones or len(set(self.names)) != self.zones):
            raise ValueError(f"names must hold {self.zones} different names, one per zone, got {len(set(self.names))}")
        return self


class Scenario(Spec):
    """Every constant of a world. Construct with keywords, or load from a TOML or YAML file of the same keys."""

    name: str = Field(min_length=1, description="Shown in tables and plots.")
    description: str = Field("", description="One sentence for people.")
    tick_s: float = quantity(15.0, "s", "V", "One control step; Kubernetes' HPA period.", ge=1, le=60)
    episode_ticks: int = quantity(240, "ticks", "choice", "Length of an episode; 240 ticks of 15 s are one hour.", ge=1)
    scaling: Scaling = choice("vertical", "One pod that changes its size, or more pods of one size.")
    layout: LayoutSpec = LayoutSpec()
    workload: WorkloadSpec = WorkloadSpec()
    intents: IntentSpec = IntentSpec()
    demand: DemandSpec = DemandSpec()
    service: ServiceSpec = ServiceSpec()
    actuation: ActuationSpec = ActuationSpec()
    monitoring: MonitoringSpec = MonitoringSpec()
    cost: CostSpec = CostSpec()
    disturbances: DisturbanceSpec = DisturbanceSpec()

    @model_validator(mode="after")
    def _travel_exceeds_a_tick(self) -> "Scenario":
        if self.workload.travel_s[0] <= self.tick_s:
            raise ValueError(f"workload.travel_s {self.workload.travel_s} s must exceed one tick of {self.tick_s} s")
        return self

    @model_validator(mode="after")
    def _metrics_are_remembered_long_enough(self) -> "Scenario":
        if self.monitoring.metric_age_s[1] > MOST_METRIC_AGE_TICKS * self.tick_s:
            raise ValueError(
                f"monitoring.metric_age_s {self.monitoring.metric_age_s} s must be at most {MOST_METRIC_AGE_TICKS} "
                f"ticks of {self.tick_s} s: older measurements are not kept"
            )
        return self

    def with_changes(self, **changes: object) -> "Scenario":
        """Return a validated copy with top-level fields or groups replaced."""
        return Scenario.model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})
