"""Leader election: reads and writes the lease as :mod:`bridges.kubernetes.lease` decides."""

import logging
import threading
from collections.abc import Callable

from bridges.errors import ConflictError, NotFoundError, NotLeaderError
from bridges.kubernetes.lease import (
    Held,
    LeaseSettings,
    Sight,
    Step,
    decide,
    lease_body,
    look,
    read_record,
    released_body,
)
from bridges.kubernetes.objects import Objects
from bridges.kubernetes.resources import LEASES, Json
from metaverse_env.errors import ClusterError, ConfigurationError

logger = logging.getLogger(__name__)


class Election:
    """Takes part in the election; whoever writes asks :meth:`check` right before.

    :meth:`step` does one try; :meth:`start` goes on trying on a thread of its own until :meth:`stop`, which gives the
    lease back. Give it a client of its own, so that renewing never waits for others.

    Args:
        client: Of the API.
        settings: How leadership is held.
        won: Called, on the thread of the election, each time that we begin to lead.
    """

    def __init__(self, client: Objects, settings: LeaseSettings, won: Callable[[], None] = lambda: None) -> None:
        self.settings, self._client, self._clock = settings, client, client.clock
        self._target = LEASES.at(settings.namespace, settings.name)
        self._won = won
        self._lease: Json | None = None
        self._sight: Sight | None = None
        self._held: Held | None = None
        self._last_epoch = -1
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run, daemon=True)
        self.problem = ""
        """Why the latest try failed; ``""`` if it did not."""

    @property
    def held(self) -> Held | None:
        """Leadership, or ``None`` when we do not lead, or may not use it any more (T46)."""
        held = self._held
        return held if held is not None and self._clock.monotonic_s() < held.until_s else None

    @property
    def leading(self) -> bool:
        """Whether we lead, by now and by our own clock."""
        return self.held is not None

    @property
    def epoch(self) -> int | None:
        """Number of our leadership; ``None`` without one."""
        held = self.held
        return None if held is None else held.epoch

    @property
    def holder(self) -> str:
        """Who held the lease when it was last seen; ``""`` for nobody."""
        return self._sight.record.holder if self._sight else ""

    def check(self) -> Held:
        """Return our leadership; to be asked before each write, as we may have slept since the last one (T45).

        Raises:
            NotLeaderError: We do not lead, or it is too late to be sure of it.
        """
        held = self.held
        if held is None:
            raise NotLeaderError(
                f"{self.settings.identity} does not lead; {self.holder or 'nobody'} held {self._target}"
            )
        return held

    def step(self) -> bool:
        """Try once, and return whether we lead.

        Raises:
            ConfigurationError: The lease is another application's.
        """
        bounded = self._client.until(self._clock.monotonic_s() + self.settings.renew_deadline_s / 2)
        try:
            self._look(bounded)
            self._act(bounded, decide(self._sight, self.settings, self.leading, self._clock.monotonic_s()))
            self.problem = ""
        except ConflictError:  # somebody else was faster (T44)
            self.problem = "another replica was faster"
        except ClusterError as error:
            self.problem = str(error)
            logger.warning("election: %s", error)
        return self.leading

    def _look(self, client: Objects) -> None:
        try:
            self._lease = client.get(self._target)
        except NotFoundError:
            self._lease = self._sight = None
            return
        record = read_record(self._lease, self.settings)
        self._sight = look(self._sight, record, self._clock.monotonic_s())
        self._last_epoch = max(self._last_epoch, record.epoch)
        if record.holder != self.settings.identity:
            self._held = None

    def _act(self, client: Objects, step: Step) -> None:
        if step == "wait":
            return
        sent_s = self._clock.monotonic_s()
        body = lease_body(step, self.settings, self._lease, self._last_epoch, self._clock.unix_s())
        if step == "create":
            self._lease = client.create(LEASES.at(self.settings.namespace), body)
        else:
            self._lease = client.replace(self._target, body)
        record = read_record(self._lease, self.settings)
        self._sight, self._last_epoch = Sight(record, self._clock.monotonic_s()), record.epoch
        self._held = Held(record.epoch, sent_s + self.settings.renew_deadline_s)
        if step != "renew":
            self._won()

    def release(self) -> None:
        """Give the lease back if it is ours; one that cannot be given back runs out."""
        held, self._held = self.held, None
        if held is None or self._lease is None:
            return
        try:
            bounded = self._client.until(self._clock.monotonic_s() + self.settings.renew_deadline_s / 2)
            bounded.replace(self._target, released_body(self._lease, self._clock.unix_s()))
        except ClusterError as error:
            logger.warning("the lease was not given back and will run out: %s", error)

    def start(self) -> None:
        """Take part from now on.

        Raises:
            ConfigurationError: The lease is another application's.
        """
        self.step()
        self._thread.start()

    def stop(self) -> None:
        """Take part no more, and give the lease back; after the last write."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.release()

    def _run(self) -> None:
        while not self._stop.wait(self.settings.retry_s):
            try:
                self.step()
            except ConfigurationError as error:  # somebody replaced our lease by theirs
                self._held, self.problem = None, str(error)
                logger.error("election: %s", error)
