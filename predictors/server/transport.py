"""Sockets, and what uvicorn is told of them: light, so that anything can be served the same way."""

import socket
from ipaddress import ip_address
from typing import Any, Final

import uvicorn

from metaverse_env.errors import MetaverseError

KEEP_ALIVE_S: Final = 75
"""How long an idle connection is kept: longer than Prometheus and load balancers wait between requests, s [choice]."""
FINISH_S: Final = 10
"""How long requests may take to finish after the drain, s [choice]."""
MOST_CONNECTIONS: Final = 4096
"""More connections are answered 503, before they cost memory [choice]."""
_BACKLOG: Final = 2048


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        MetaverseError: The address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise MetaverseError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --host or --port"
        ) from error


def url_of(listening: socket.socket) -> str:
    """Return where a listening socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def uvicorn_config(application: Any, websockets: bool = False) -> uvicorn.Config:
    """Return how applications are served here; a benchmark, and the live picture with WebSockets, do with the same."""
    return uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio" if websockets else "none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,  # else uvicorn asks the environment, and the zones would be spread over processes
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_S,
    )
