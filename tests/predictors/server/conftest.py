"""Servers for the tests of a session; each is started once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.predictors.server.servers import Server, Start


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start servers: ``start("echo", max_zones=3)``, or the command itself with ``start("command", "--port", …)``."""
    servers: list[Server] = []
    folder = tmp_path_factory.mktemp("servers")

    def begin(
        forecaster: str,
        *arguments: str,
        environment: dict[str, str] | None = None,
        wait: bool = True,
        **options: Any,
    ) -> Server:
        if forecaster == "command":
            command = ["-m", "metaverse_env.cli", "serve", "--json", "--port", "0", *arguments]
        else:
            command = [str(Path(__file__).with_name("serving_with.py")), forecaster, json.dumps(options)]
        servers.append(Server(command, folder, environment or {}))
        if wait:
            servers[-1].wait_until_ready()
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def echo(start: Start) -> Server:
    """Return a server whose forecasts can be checked by hand."""
    return start("echo")


@pytest.fixture(scope="session")
def shipped(start: Start) -> Server:
    """Return a server of the shipped network."""
    return start("command")


@pytest.fixture(scope="session")
def embedding() -> list[float]:
    """Return an intent of the right width."""
    return [0.01 * entry for entry in range(32)]
