"""What Prometheus is asked for each field of a zone: presets, and files that say otherwise.

A query is a PromQL text with ``$namespace``, ``$container``, ``$pods`` (a regular expression of the zones' pods),
``$window`` and ``$objective_s`` to be filled in. Its answer has one series per zone, told by a label, or one per pod,
which are added up for the pods that a zone really has.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Final, Literal, NamedTuple

from bridges.contracts import FIELDS
from metaverse_env.errors import ConfigurationError, UnknownNameError

By = Literal["zone", "pod"]


class Query(NamedTuple):
    """How one field is asked for.

    Attributes:
        value: PromQL of the value, in the unit of the field.
        by: Whether its series are zones or pods.
        stamp: PromQL of the Unix time at which the newest sample was taken, with the same series; without one the
            time of evaluation is taken for it, and staleness is Prometheus' own.
        label: The label that names the zone or pod.
    """

    value: str
    by: By = "zone"
    stamp: str = ""
    label: str = ""

    @property
    def key(self) -> str:
        """The label that names the zone or pod."""
        return self.label or self.by

    def filled(self, values: Mapping[str, str]) -> "Query":
        """Return it with its placeholders filled in.

        Raises:
            ConfigurationError: A placeholder that there is not.
        """
        try:
            return self._replace(
                value=Template(self.value).substitute(values), stamp=Template(self.stamp).substitute(values)
            )
        except (KeyError, ValueError) as error:
            known = ", ".join(f"${name}" for name in sorted(values))
            raise ConfigurationError(f"query {self.value!r}: {error} is no placeholder; there are {known}") from error


Queries = Mapping[str, Query]

_CONTAINER: Final = '{namespace="$namespace",container="$container",pod=~"$pods"}'
_POD_STAMP: Final = f"max by (pod) (timestamp(container_memory_working_set_bytes{_CONTAINER}))"
_CADVISOR: Final[dict[str, Query]] = {
    "cpu_cores": Query(
        f"sum by (pod) (rate(container_cpu_usage_seconds_total{_CONTAINER}[$window]))",
        "pod",
        f"max by (pod) (timestamp(container_cpu_usage_seconds_total{_CONTAINER}))",
    ),
    "memory_mb": Query(f"sum by (pod) (container_memory_working_set_bytes{_CONTAINER}) / 1e6", "pod", _POD_STAMP),
}


def _histogram(name: str, requests: str, zone: str = "zone") -> dict[str, Query]:
    """Return the queries of an application that counts requests and their seconds in a histogram."""
    stamp = f"max by ({zone}) (timestamp({name}_count))"
    buckets = f"sum by ({zone}, le) (rate({name}_bucket[$window]))"
    quantiles = {"latency_p50_ms": 0.5, "latency_ms": 0.95, "latency_p99_ms": 0.99}
    within = f'sum by ({zone}) (rate({name}_bucket{{le="$objective_s"}}[$window]))'
    share = f"1 - {within} / sum by ({zone}) (rate({name}_count[$window]))"
    return {
        "requests_per_s": Query(f"sum by ({zone}) (rate({requests}[$window]))", "zone", stamp, zone),
        **{
            field: Query(f"1e3 * histogram_quantile({q}, {buckets})", "zone", stamp, zone)
            for field, q in quantiles.items()
        },
        "violated_share": Query(share, "zone", stamp, zone),
    }


def _summary(name: str, requests: str, zone: str = "zone") -> dict[str, Query]:
    """Return the queries of an application that exports a summary: the slowest pod's quantile stands for the zone."""
    stamp = f"max by ({zone}) (timestamp({name}_count))"
    quantiles = {"latency_p50_ms": "0.5", "latency_ms": "0.95", "latency_p99_ms": "0.99"}
    return {
        "requests_per_s": Query(f"sum by ({zone}) (rate({requests}[$window]))", "zone", stamp, zone),
        **{
            field: Query(f'1e3 * max by ({zone}) ({name}{{quantile="{q}"}})', "zone", stamp, zone)
            for field, q in quantiles.items()
        },
    }


PRESETS: Final[dict[str, Queries]] = {
    "zone": {**_CADVISOR, **_histogram("zone_request_seconds", "zone_requests_total")},
    "http": {
        **_CADVISOR,
        **_histogram("http_request_duration_seconds", "http_request_duration_seconds_count"),
        "users": Query("sum by (zone) (active_users)", "zone", "max by (zone) (timestamp(active_users))"),
    },
    "summary": {**_CADVISOR, **_summary("request_seconds", "request_seconds_count")},
    "cadvisor": {
        **_CADVISOR,
        "bandwidth_mbps": Query(
            'sum by (pod) (rate(container_network_transmit_bytes_total{namespace="$namespace",pod=~"$pods"}[$window]))'
            " * 8e-6",
            "pod",
            _POD_STAMP,
        ),
    },
}
"""``"zone"``: the zone server's own metrics and cAdvisor's. ``"http"``: annotated pods with the customary names."""


def load_queries(name: str) -> Queries:
    """Return a preset by its name, or what a TOML file says of fields, on top of the preset that it names.

    ::

        preset = "zone"
        [users]
        value = "sum by (zone) (game_players)"
        stamp = "max by (zone) (timestamp(game_players))"

    Raises:
        ConfigurationError: The file is missing or says something impossible.
        UnknownNameError: No such preset or field.
    """
    if name in PRESETS:
        return PRESETS[name]
    if not name.endswith(".toml"):
        raise UnknownNameError("queries", name, (*PRESETS, "a file.toml"))
    try:
        read = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"queries {name}: {error}") from error
    preset = read.pop("preset", None)
    if preset is not None and preset not in PRESETS:
        raise UnknownNameError("preset of queries", preset, PRESETS)
    chosen = dict(PRESETS[preset]) if preset is not None else {}
    return {**chosen, **{field: _query(name, field, entry) for field, entry in read.items()}}


def _query(file: str, field: str, entry: Any) -> Query:
    if field not in FIELDS:
        raise UnknownNameError(f"field in {file}", field, FIELDS)
    known = set(Query._fields)
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str) or not set(entry) <= known:
        raise ConfigurationError(f"queries {file}, [{field}]: needs value = 'PromQL', and may have {sorted(known)}")
    query = Query(**{key: str(value) for key, value in entry.items()})  # type: ignore[arg-type]
    if query.by not in ("zone", "pod"):
        raise ConfigurationError(f"queries {file}, [{field}]: by = {query.by!r}; must be 'zone' or 'pod'")
    return query
