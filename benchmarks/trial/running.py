"""Runs a trial: makes zones, lets the controller loose on one arm, sends the load, takes everything away again."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.trial.arms import ARM_LABEL, CONTROLLED
from benchmarks.trial.load import Load, send_all
from benchmarks.trial.plan import Plan
from benchmarks.trial.results import Results
from benchmarks.trial.scoring import Sample
from benchmarks.trial.watching import Watch
from bridges.contracts import Clock
from bridges.errors import NotFoundError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.resources import DEPLOYMENTS
from metaverse_env.errors import ClusterError

READY_S: Final = 60.0
"""For all zones to serve [choice]."""
GRACE_S: Final = 10.0
"""For the controller to end after it was asked to [choice]."""


@contextmanager
def zones_of(plan: Plan, client: ApiClient, namespace: str) -> Iterator[None]:
    """Make the Deployments of a trial, and take them away whatever happens.

    Raises:
        ClusterError: They cannot be made.
    """
    names = [name for _, _, name in plan.each()]
    try:
        for arm, number, name in plan.each():
            client.apply(DEPLOYMENTS.at(namespace, name), plan.zone.deployment(arm, number))
        yield
    finally:
        for name in names:
            _remove(client, namespace, name)


def _remove(client: ApiClient, namespace: str, name: str) -> None:
    target = DEPLOYMENTS.at(namespace, name)
    try:
        client.delete(target, client.get(target)["metadata"]["uid"])
    except NotFoundError:
        return  # it was never made


def wait_until_serving(watch: Watch, plan: Plan, clock: Clock) -> None:
    """Return as soon as every zone has a pod that serves.

    Raises:
        ClusterError: That takes too long.
    """
    end_s = clock.monotonic_s() + READY_S
    while waiting := [name for _, _, name in plan.each() if not watch.targets(name)]:
        if clock.monotonic_s() > end_s:
            raise ClusterError(f"after {READY_S:g} s nothing serves {', '.join(waiting)}; is the image there?")
        clock.wait_until(clock.monotonic_s() + 0.2)


@contextmanager
def controller(arguments: Sequence[str], log: Path) -> Iterator[Callable[[], None]]:
    """Run ``metaverse bridge run`` beside the trial, and end it in good order; yields a check that it still runs.

    Raises:
        ClusterError: It ended by itself, or did not end when it was asked to.
    """

    def alive() -> None:
        if process.poll() is not None:
            raise ClusterError(f"the controller ended by itself with status {process.returncode}; see {log}")

    command = [sys.executable, "-m", "metaverse_env.cli", "bridge", "run", *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process,  # noqa: S603 (our own command)
    ):
        try:
            yield alive
            alive()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise ClusterError(f"the controller did not end within {GRACE_S:g} s; see {log}") from None


def selector() -> str:
    """Return the label selector of the controlled arm."""
    return f"{ARM_LABEL}={CONTROLLED}"


def send_load(plan: Plan, watch: Watch, clock: Clock, second: Callable[[], None] = lambda: None) -> Results:
    """Send the load of all zones and return what was found; call ``second`` every second."""
    loads = {
        name: Load(partial(watch.targets, name), plan.rate(number), plan.seconds, plan.seed + number)
        for _, number, name in plan.each()
    }
    started_s = clock.monotonic_s()
    asyncio.run(_send(list(loads.values()), second))
    samples = [
        Sample(sample.at_s - started_s, sample.cores)
        for sample in watch.samples
        if started_s <= sample.at_s <= started_s + plan.seconds
    ]
    return Results(plan, {name: load.answers for name, load in loads.items()}, samples)


async def _send(loads: Sequence[Load], second: Callable[[], None]) -> None:
    sending = asyncio.create_task(send_all(loads))
    try:
        while not sending.done():
            await asyncio.wait([sending], timeout=1.0)
            second()
    finally:
        sending.cancel()  # does nothing to one that is done
    sending.result()
