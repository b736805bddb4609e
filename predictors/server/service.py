"""What all endpoints share: the queue to the forecaster, what was last predicted, and whether the server is ready."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

from metaverse_env.contracts import Predictor
from metaverse_env.errors import ConfigurationError
from predictors.server.access import Guard, RateLimit
from predictors.server.batching import Batcher
from predictors.server.board import Board
from predictors.server.engine import Engine, warm_up
from predictors.server.metrics import Meters
from predictors.server.problems import unavailable
from predictors.server.settings import Settings

Load = Callable[[], Predictor]
State = Literal["loading", "ready", "draining", "failed"]
LOG: Final = logging.getLogger(__name__)


class Service:
    """The server behind its endpoints.

    Args:
        settings: How it serves.
        load: Makes the forecaster; called in the forecaster's own thread, while the server already says it is alive.
    """

    def __init__(self, settings: Settings, load: Load) -> None:
        self.settings, self._load = settings, load
        self.board = Board(settings.memory_s)
        self.meters = Meters(self.board)
        self.batcher = Batcher(settings.max_queue, self.meters.batch.observe)
        self.guard = Guard(
            settings.keys, None if settings.max_rate_per_s is None else RateLimit(settings.max_rate_per_s)
        )
        self.state: State = "loading"
        self._drains = False
        self.error: BaseException | None = None
        self.meters.waiting.set_function(self.batcher.__len__)
        self.meters.ready.set_function(lambda: self.state == "ready")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the model beside the serving, and put the thread away in the end."""
        loading = asyncio.create_task(self._get_ready())
        try:
            yield
        finally:
            self.drain()
            await loading
            self.batcher.close()

    def require_ready(self) -> None:
        """Let work pass while there is a model; in a drain as well, for callers who have not heard of it yet.

        Raises:
            ProblemError: 503.
        """
        if self.state in ("loading", "failed"):
            raise unavailable("The model is still loading." if self.state == "loading" else "The model did not load.")

    def drain(self) -> None:
        """Say that no more requests should be sent here, and go on answering those that come."""
        self._drains = True
        if self.state == "ready":
            self.state = "draining"

    async def _get_ready(self) -> None:
        loading = asyncio.get_running_loop().run_in_executor(self.batcher.thread, self._loaded)
        await asyncio.wait([loading])
        if (error := loading.exception()) is not None:
            self.state, self.error = "failed", error
            return
        self.batcher.start(loading.result().work)
        # What the libraries made stays: without this, a full collection goes through all of it, for 130 ms [M].
        gc.collect()
        gc.freeze()
        self.state = "draining" if self._drains else "ready"
        LOG.info(self.state)

    def _loaded(self) -> Engine:
        predictor = self._load()
        if predictor.horizon < self.settings.ticks_ahead:
            raise ConfigurationError(
                f"the model forecasts {predictor.horizon} ticks ahead, not {self.settings.ticks_ahead}"
            )
        warm_up(predictor, self.settings)
        return Engine(predictor, self.settings, self.board, self.meters)
