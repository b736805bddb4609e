"""Watches a trial's zones: who serves them, and what they may use.

In a process of its own: what it reads would otherwise hold up the requests whose latencies are measured.
"""

import json
import signal
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.trial.arms import PORT, Zone, given_cores, serving
from benchmarks.trial.scoring import Sample
from bridges.clock import SystemClock
from bridges.contracts import Snapshot
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.settings import ClusterSettings
from metaverse_env.errors import ClusterError

PERIOD_S: Final = 0.5
"""Between two looks: a pod that goes serves for a second more [choice]."""


class Watched(NamedTuple):
    """What is watched.

    Attributes:
        settings: Which Deployments.
        zone: What their pods are.
        kubeconfig: How to reach the cluster, or ``None`` as kubectl does.
        targets_file: Where to write whom Prometheus is to scrape (its ``file_sd_configs``), or ``None``.
    """

    settings: ClusterSettings
    zone: Zone
    kubeconfig: Path | None = None
    targets_file: Path | None = None


class Look(NamedTuple):
    """What one look found: who serves each zone, and what each may use; or why it failed."""

    serving: Mapping[str, Sequence[str]]
    sample: Sample
    failure: str = ""


class Watch:
    """Looks at a cluster again and again while it is entered."""

    def __init__(self, watched: Watched) -> None:
        self.samples: list[Sample] = []
        self.failures: list[str] = []
        self._serving: Mapping[str, Sequence[str]] = {}
        context = get_context("spawn")
        self._looks, far = context.Pipe(duplex=False)
        self._stop = context.Event()
        self._process = context.Process(target=look_on, args=(watched, far, self._stop), daemon=True)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._far = far

    def __enter__(self) -> "Watch":
        self._process.start()
        self._far.close()  # the other process has its own: this one's would hide that it ended
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._process.join()
        self._thread.join()
        self._looks.close()

    def targets(self, zone: str) -> Sequence[str]:
        """Return the addresses that serve a zone."""
        return self._serving.get(zone, ())

    def _receive(self) -> None:
        while True:
            try:
                look: Look = self._looks.recv()
            except EOFError:
                return
            if look.failure:
                self.failures.append(look.failure)
            else:
                self._serving = look.serving
                self.samples.append(look.sample)


def look_on(watched: Watched, looks: Connection, stop: threading.Event) -> None:
    """Look until it is told to stop; what a process of its own does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends it
    clock = SystemClock()
    with ApiClient.from_kubeconfig(watched.kubeconfig) as client:
        cluster = KubernetesCluster(client, watched.settings)
        while not stop.wait(PERIOD_S):
            now_s = clock.monotonic_s()
            try:
                snapshot = cluster.read()
            except ClusterError as error:
                looks.send(Look({}, Sample(now_s, {}), str(error)))
                continue
            looks.send(Look(serving(snapshot, watched.zone), Sample(now_s, given_cores(snapshot))))
            if watched.targets_file is not None:
                write_targets(snapshot, watched.targets_file)


def write_targets(snapshot: Snapshot, path: Path) -> None:
    """Write the pods that Prometheus is to scrape, in one go."""
    found = [
        {"targets": [f"{pod.address}:{PORT}"], "labels": {"pod": pod.name, "deployment": workload.name}}
        for workload in snapshot.workloads
        for pod in workload.pods
        if pod.ready and pod.address
    ]
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(found), encoding="utf-8")
    fresh.replace(path)
