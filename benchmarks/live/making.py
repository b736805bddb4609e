"""What ``metaverse live`` shows: a session of a simulation, a recording or a cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.conditions import conditions
from benchmarks.week import SPARE_SAMPLES
from bridges.connecting import connect, connect_memory
from metaverse_env.live.archive import Archive
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.replaying import FORECASTER, Replay
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from metaverse_env.live.sources import Source
from metaverse_env.traces import load_trace

SCENARIO: Final = "multi_zone"
POLICY: Final = "threshold"
DYNAMICS: Final = "stgnn"
"""What is shown by default."""


class What(NamedTuple):
    """What is to be shown."""

    scenario: str | None
    policy: str | None
    seed: int | None
    dynamics: str | None
    forecaster: str | None
    trace: Path | None
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
        return Replay(what.replay, forecaster=what.forecaster or "")
    if what.cluster is None and not what.dry_run_cluster:
        return Simulation(_terms(what), archive=None if what.keep is None else Archive(what.keep))
    return _cluster(what)


def _terms(what: What) -> Terms:
    """Return how a world is simulated; a trace is scaled as comparisons scale it."""
    scenario, forecaster = what.scenario or SCENARIO, what.forecaster or FORECASTER
    policy, seed = what.policy or POLICY, what.seed or 0
    if what.trace is None and what.dynamics != "trace":
        return Terms(scenario, policy, seed, what.dynamics or DYNAMICS, forecaster)
    trace, ticks = None, None
    if what.trace is not None:
        trace = load_trace(what.trace)
        first, stop = trace.longest_segment
        ticks = max(stop - first - SPARE_SAMPLES, 1)  # all of it
    users = conditions(scenario, dynamics=what.dynamics, forecaster=forecaster, seeds=1, ticks=ticks, trace=trace)
    return Terms(users.scenario, policy, seed, users.dynamics, forecaster, users.trace)


def _cluster(what: What) -> Source:
    from benchmarks.live.clusters import ClusterSource  # noqa: PLC0415  a simulation needs no bridges

    scenario = what.scenario
    if what.cluster is None:
        scenario = scenario or SCENARIO
        site, text = connect_memory(scenario, what.seed or 0), "in memory"
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
        what.policy or POLICY,
        forecaster=what.forecaster or FORECASTER,
        tick_s=what.tick_s,
        scenario=scenario,
        paced=what.cluster is not None,
    )
