"""``metaverse serve``."""

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from metaverse_env.forecasters import HORIZON
from metaverse_env.scenario import load_scenario
from metaverse_env.zones import build_graph
from predictors.server.access import VARIABLE, load_keys
from predictors.server.graphs import NO_ZONES
from predictors.server.logs import start_logging
from predictors.server.running import serve as run
from predictors.server.service import Service
from predictors.server.settings import TICK_S, Settings
from predictors.server.transport import is_loopback, listen, url_of
from predictors.stgnn import StgnnForecaster
from predictors.stgnn.card import WEIGHTS

LOG: Final = logging.getLogger(__name__)


class Quantile(StrEnum):
    """Which quantile is answered."""

    MEDIAN = "0.5"
    NINETY = "0.9"
    NINETY_NINE = "0.99"


class Level(StrEnum):
    """What is logged at least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8000,
    model: Annotated[
        Path, typer.Option(help="Network to serve: its files without suffix.", show_default="the shipped one")
    ] = WEIGHTS / "stgnn_forecaster",
    scenario: Annotated[
        str | None,
        typer.Option(
            help="Names zones and their neighbours: single_zone, multi_zone, complex, or a file.",
            show_default="zones are known once they report, without neighbours",
        ),
    ] = None,
    tick_s: Annotated[float, typer.Option(min=0.1, max=3600.0, help="Length of a tick, s.")] = TICK_S,
    ticks_ahead: Annotated[int, typer.Option(min=1, max=HORIZON, help="Which tick ahead /predict answers.")] = 1,
    quantile: Annotated[Quantile, typer.Option(help="Which quantile /predict answers.")] = Quantile.MEDIAN,
    max_zones: Annotated[int, typer.Option(min=1, help="Zones at most, those of the scenario included.")] = 256,
    max_queue: Annotated[int, typer.Option(min=1, help="Reports that may wait; more are answered 429.")] = 1024,
    max_body_bytes: Annotated[int, typer.Option(min=1024, help="Larger requests are answered 413.")] = 1 << 20,
    max_rate: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="Requests/s of one key, or of all without keys; else 429.", show_default="no limit"
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help=f"A key a line, then its scopes: predict, read, forget. {VARIABLE} holds one for all.",
            show_default="no key is asked for",
        ),
    ] = None,
    drain_s: Annotated[float, typer.Option(min=0.0, help="How long to go on answering after SIGTERM, s.")] = 2.0,
    log_level: Annotated[Level, typer.Option(help="What is logged at least.")] = Level.INFO,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address and log as JSON.")] = False,
) -> None:
    """Serve predictions over HTTP, and metrics for Prometheus.

    Prints where it listens; /openapi.json says what can be asked. SIGTERM ends it with status 0.
    """
    settings = Settings(
        graph=NO_ZONES if scenario is None else build_graph(load_scenario(scenario)),
        tick_s=tick_s,
        ticks_ahead=ticks_ahead,
        quantile=float(quantile),
        max_zones=max_zones,
        max_queue=max_queue,
        max_body_bytes=max_body_bytes,
        max_rate_per_s=max_rate,
        keys=load_keys(api_key_file),
    )
    start_logging(log_level, as_json)
    start(Service(settings, lambda: StgnnForecaster(model)), host, port, drain_s, as_json)


def start(service: Service, host: str, port: int, drain_s: float, as_json: bool) -> None:
    """Listen, say where, and serve."""
    listening = listen(host, port)
    url = url_of(listening)
    if not (service.settings.keys.digests or is_loopback(host)):
        LOG.warning("everyone who reaches %s may ask for predictions; --api-key-file or %s limits that", url, VARIABLE)
    if service.settings.tick_s != TICK_S:
        LOG.warning("the shipped network was trained for ticks of %g s, not %g s", TICK_S, service.settings.tick_s)
    run(service, listening, drain_s, lambda: typer.echo(json.dumps({"url": url}) if as_json else f"Serving on {url}"))
