"""What the server answers, as its OpenAPI document describes it."""

from pydantic import BaseModel, Field


class Prediction(BaseModel):
    """What a zone is expected to need, and its latency if allocations stay as they are."""

    cpu_cores: float
    memory_mb: float
    bandwidth_mbps: float
    latency_ms: float = Field(
        description="What the zone's allocation makes of its load: of a zone that never told its allocation and usage "
        "it says nothing."
    )


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
    """Of each target a list for every one of ``ticks_ahead``, of a number for every one of ``quantiles``."""

    cpu_cores: list[list[float]] = Field(description="[ticks ahead][quantiles], cores.")
    memory_mb: list[list[float]] = Field(description="[ticks ahead][quantiles], MB of 10^6 bytes.")
    bandwidth_mbps: list[list[float]] = Field(description="[ticks ahead][quantiles], Mbps of 10^6 bits per second.")
    latency_ms: list[list[float]] = Field(
        description="[ticks ahead][quantiles], ms; says nothing of a zone whose past has no allocation and no usage."
    )


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
