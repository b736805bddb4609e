"""A live session in browsers whose port and token are known beforehand, as no command lets them be."""

import json
import sys

import typer

from benchmarks.live.viewers import Audience
from benchmarks.live.web import run
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from predictors.server.logs import start_logging
from predictors.server.transport import listen, url_of


def show(token: str, port: int = 0, ticks_per_s: float = 2.0, **terms: str) -> None:
    start_logging("warning", as_json=False)
    session = Session(
        Simulation(Terms(**{"dynamics": "physics", "forecaster": "none", **terms})), ticks_per_s=ticks_per_s
    )
    listening = listen("127.0.0.1", port)
    url = f"{url_of(listening)}/#{token}"
    run(Audience(session), listening, "127.0.0.1", token, lambda: typer.echo(json.dumps({"url": url})))
    session.close()


if __name__ == "__main__":
    show(**json.loads(sys.argv[1]))
