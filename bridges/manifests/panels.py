"""How a dashboard of Grafana is written: panels in rows, thresholds, legends, the choice of zones."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bridges.manifests.parts import Json

SOURCE: Final = "metaverse-prometheus"
"""Uid of the data source."""
SCHEMA_VERSION: Final = 41
_COLUMNS: Final = 24


class Query(NamedTuple):
    """An expression and what its series are called."""

    expression: str
    legend: str


class Panel(NamedTuple):
    """A panel.

    Attributes:
        title: Of the panel.
        about: What it tells.
        unit: In Grafana's words.
        queries: What it shows.
        width: Of 24 columns.
        kind: ``"timeseries"`` or ``"stat"``.
        limits: Values from which it turns orange and red.
        most: The top of its axis.
        stacked: Whether series are stacked.
    """

    title: str
    about: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 12
    kind: str = "timeseries"
    limits: tuple[float, float] | None = None
    most: float | None = None
    stacked: bool = False


def dashboard(uid: str, title: str, panels: Sequence[Panel]) -> Json:
    """Return a dashboard as Grafana imports it."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["metaverse"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "timezone": "browser",
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_variable()]},
        "annotations": {"list": []},
        "panels": _placed(panels),
    }


def _variable() -> Json:
    query = "label_values(metaverse_bridge_replicas, zone)"
    return {
        "name": "zone",
        "label": "Zone",
        "type": "query",
        "datasource": _source(),
        "query": {"query": query, "refId": "zones"},
        "definition": query,
        "refresh": 2,
        "sort": 3,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """Return panels in rows of 24 columns, from left to right."""
    found, x, y = [], 0, 0
    for number, panel in enumerate(panels, start=1):
        height = 4 if panel.kind == "stat" else 8
        found.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x += panel.width
        if x >= _COLUMNS:
            x, y = 0, y + height
    return found


def _panel(number: int, panel: Panel, place: Json) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _source(),
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _source(),
                "editorMode": "code",
                "expr": query.expression,
                "legendFormat": query.legend.strip(),
                "range": panel.kind != "stat",
                "instant": panel.kind == "stat",
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.limits:
        steps += [{"color": colour, "value": at} for colour, at in zip(("orange", "red"), panel.limits, strict=True)]
    found: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.most is not None:
        found["max"] = panel.most
    if panel.kind == "timeseries":
        found["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 20 if panel.stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
        }
    return found


def _options(panel: Panel) -> Json:
    if panel.kind == "stat":
        reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        text = "name" if panel.title == "Mode" else "value"
        return {"colorMode": "value", "graphMode": "none", "textMode": text, "reduceOptions": reduce}
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _source() -> Json:
    return {"type": "prometheus", "uid": SOURCE}
