"""What the server answers, as its OpenAPI document describes it."""

from pydantic import BaseModel, Field


class Prediction(BaseModel):
    """What a zone is expected to need, and its latency if allocations stay as they are."""

    cpu_cores: float
    memory_mb: float
    bandwidth_mbps: float
    latency_ms: float


class Problem(BaseModel):
    """What went wrong (RFC 9457); nothing of the request is repeated."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: list[dict[str, str]] = Field(default=[], description="Where in the request: a JSON pointer, and what.")


class NamedPrediction(Prediction):
    """The prediction for one report of a batch."""

    zone_name: str


class FailedPrediction(BaseModel):
    """Why one report of a batch has no prediction."""

    problem: Problem


class Batch(BaseModel):
    """One entry for each report, in their order."""

    predictions: list[NamedPrediction | FailedPrediction]


class TargetForecasts(BaseModel):
    """For each tick ahead the quantiles of each target."""

    cpu_cores: list[list[float]]
    memory_mb: list[list[float]]
    bandwidth_mbps: list[list[float]]
    latency_ms: list[list[float]]


class Forecasts(BaseModel):
    """Forecasts of the zones that were asked for."""

    tick_s: float
    ticks_ahead: list[int]
    quantiles: list[float]
    zones: dict[str, TargetForecasts]


class KnownZone(BaseModel):
    """A zone that the scenario names, or that reported lately."""

    zone_name: str
    neighbours: list[str]
    last_report_s: float | None = Field(description="Unix time of the last report, s; null if there is none to use.")


class ZoneList(BaseModel):
    """All zones, and how many there may be."""

    zones: list[KnownZone]
    max_zones: int


class Health(BaseModel):
    """How the server is."""

    status: str
