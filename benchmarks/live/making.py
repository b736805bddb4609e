"""What ``metaverse live`` shows: a session of a simulation, a recording or a cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bridges.connecting import connect, connect_memory
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.replaying import Replay
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from metaverse_env.live.sources import Source


class What(NamedTuple):
    """What is to be shown."""

    scenario: str | None
    policy: str
    seed: int
    dynamics: str
    forecaster: str | None
    replay: Path | None
    cluster: str | None
    selector: str | None
    dry_run_cluster: bool
    kubeconfig: Path | None
    prometheus: str | None
    queries: str
    tick_s: float | None
    keep: Path | None


@contextmanager
def session_of(what: What, speed: float, calls: ServerCalls | None) -> Iterator[Session]:
    """Make a session, and close it."""
    closing: Callable[[], object] = (lambda: None) if calls is None else calls.close
    try:
        session = Session(_source(what), ticks_per_s=speed, scenario=what.scenario or "", calls=calls)
        closing = session.close
        yield session
    finally:
        closing()


def _source(what: What) -> Source:
    """Make what is shown."""
    if what.replay is not None:
        return Replay(what.replay, forecaster=what.forecaster or "none")
    if what.cluster is None and not what.dry_run_cluster:
        scenario, forecaster = what.scenario or "multi_zone", what.forecaster or "stgnn"
        terms = Terms(scenario, what.policy, what.seed, what.dynamics, forecaster)
        return Simulation(terms, keep=what.keep is not None)
    return _cluster(what)


def _cluster(what: What) -> Source:
    from benchmarks.live.clusters import ClusterSource  # noqa: PLC0415  a simulation needs no bridges

    scenario = what.scenario
    if what.cluster is None:
        scenario = scenario or "multi_zone"
        site, text = connect_memory(scenario, what.seed), "in memory"
    else:
        text = f"namespace {what.cluster}"
        site = connect(
            what.cluster,
            selector=what.selector,
            kubeconfig=what.kubeconfig,
            prometheus=what.prometheus,
            queries=what.queries,
        )
    return ClusterSource(
        site,
        text,
        what.policy,
        forecaster=what.forecaster or "stgnn",
        tick_s=what.tick_s,
        scenario=scenario,
        paced=what.cluster is not None,
    )
