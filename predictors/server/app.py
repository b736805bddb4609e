"""The application: a service, its routes and its errors, as ASGI servers run it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from metaverse_env import __version__
from predictors.server.endpoints import add_routes
from predictors.server.metrics import Application, Measured
from predictors.server.openapi import document
from predictors.server.problems import install
from predictors.server.service import Service

_DESCRIPTION: Final = """
Zones report who is there and what they announce; the answer is what they will need. MB are 10^6 bytes, Mbps 10^6 bits
per second. Errors are problems (RFC 9457). The history is this process' own: run one process.
"""


def build_app(service: Service) -> Application:
    """Return the ASGI application of a service; its lifespan loads the model."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="Forecasts for the zones of a metaverse",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # both pages would load their programs from elsewhere
        redoc_url=None,
    )
    add_routes(app, service)
    install(app)
    app.openapi = document(app, bool(service.settings.keys.digests))  # type: ignore[method-assign]
    return Measured(app, service.meters)
