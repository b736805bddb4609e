"""What requests hold. Every number has bounds, nothing is coerced, no key is let pass that has no meaning.

An observation may leave out what is not known: nothing is put in its place.
"""

import math
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from metaverse_env.forecasters import HORIZON
from metaverse_env.history import TICKS
from predictors.stgnn.features import EMBEDDING

MOST_IN_A_BATCH: Final = 256
"""Reports in one call of ``/predict/batch`` [choice]."""

_EMBEDDING_EXAMPLE: Final = [round(0.3 * math.cos(1.7 * entry), 3) for entry in range(EMBEDDING)]

ZoneName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00]+$",
        description="Any characters but NUL, as they are: quotes, slashes, line ends, any script.",
    ),
]
Users = Annotated[
    float, Field(ge=0.0, le=1e7, description="Users in the zone; a mean over the tick may be a fraction.")
]
Embedding = Annotated[
    list[Annotated[float, Field(ge=-10.0, le=10.0)]],
    Field(
        min_length=EMBEDDING,
        max_length=EMBEDDING,
        description="Intent: the mean embedding of what users do and announce. Left out where there is none.",
    ),
]
Cores = Annotated[float, Field(ge=0.0, le=1e5, description="CPU, cores.")]
Megabytes = Annotated[float, Field(ge=0.0, le=1e8, description="Memory, MB of 10^6 bytes.")]
Megabits = Annotated[float, Field(ge=0.0, le=1e7, description="Egress, Mbps of 10^6 bits per second.")]
Milliseconds = Annotated[float, Field(ge=0.0, le=1e6, description="p95 of the latency over the tick, ms.")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Usage(_Strict):
    """What was measured of a zone: all four. Left out, it is held from before, and grows older."""

    cpu_cores: Cores
    memory_mb: Megabytes
    bandwidth_mbps: Megabits
    latency_ms: Milliseconds


class Allocation(_Strict):
    """What a zone may use: all three. Left out, it is held from before."""

    cpu_cores: Annotated[Cores, Field(gt=0.0)]
    memory_mb: Annotated[Megabytes, Field(gt=0.0)]
    bandwidth_mbps: Annotated[Megabits, Field(gt=0.0)]


class Observation(_Strict):
    """What is known of a zone in one tick."""

    active_users: Users
    embedding: Embedding | None = None
    usage: Usage | None = None
    allocation: Allocation | None = None


class Report(Observation):
    """What a zone says of itself now; it stands for the current tick, and the last one that comes counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"zone_name": "plaza", "active_users": 42, "embedding": [*_EMBEDDING_EXAMPLE]}],
        }
    )
    zone_name: ZoneName


class BatchRequest(_Strict):
    """Reports of several zones."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reports": [{"zone_name": "plaza", "active_users": 42}, {"zone_name": "arena", "active_users": 7}]}
            ],
        }
    )
    reports: Annotated[list[Report], Field(min_length=1, max_length=MOST_IN_A_BATCH)]


def _observed(history: list[Observation | None]) -> list[Observation | None]:
    if all(observation is None for observation in history):
        raise ValueError("one tick at least must be observed")
    return history


def _whole(number: object) -> object:
    """Return 2 for 2.0: JSON Schema has but one kind of number, and both are integers there."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _distinct(ticks: list[int]) -> list[int]:
    if len(set(ticks)) < len(ticks):
        raise ValueError("a tick is asked for twice")
    return ticks


ZoneHistory = Annotated[
    list[Observation | None],
    Field(
        min_length=1,
        max_length=TICKS,
        description="Ticks, oldest first; the last is the current one, null one that was missed.",
        json_schema_extra={"contains": {"type": "object"}},
    ),
    AfterValidator(_observed),
]


class ForecastRequest(_Strict):
    """The whole past that a forecast is to be made of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "time_s": 1_767_608_100,
                    "zones": {"plaza": [{"active_users": 40}, None, {"active_users": 44}]},
                    "ticks_ahead": [1, 4, 16],
                }
            ]
        }
    )
    time_s: Annotated[float, Field(ge=0.0, le=4e9, description="Unix time at the end of the last tick, s.")]
    zones: Annotated[
        dict[ZoneName, ZoneHistory],
        Field(
            min_length=1, description="History by name of the zone.", json_schema_extra={"additionalProperties": False}
        ),
    ]
    ticks_ahead: Annotated[
        list[Annotated[int, Field(ge=1, le=HORIZON), BeforeValidator(_whole)]],
        Field(min_length=1, description="Which ticks ahead to forecast.", json_schema_extra={"uniqueItems": True}),
        AfterValidator(_distinct),
    ] = list(range(1, HORIZON + 1))


FIELD_NAMES: Final = frozenset(
    name for model in (Report, Usage, Allocation, BatchRequest, ForecastRequest) for name in model.model_fields
)
"""Every key of a request that has a meaning."""
