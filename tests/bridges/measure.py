"""Measure real zones under a bounded Poisson load, as panels to calibrate on and to be judged by.

``python tests/bridges/measure.py KUBE_FOLDER STATE OUT.npz PLAN``, with a node running (``up.sh STATE node``) and a plan
such as ``300m:6,12,18/500m:10,20,30``: for each CPU limit a zone and its rates, one after the other, so that zones do not
disturb each other. A row is 20 s; latency is that of the clients, from the moment a request was due; CPU is what the zone itself counts as busy.
"""

import contextlib
import random
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import yaml

from bridges.errors import NotFoundError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.resources import DEPLOYMENTS, PODS
from metaverse_env.panels import Panel, save_panel

FEATURES = (
    "users",
    "cpu_cores",
    "memory_mb",
    "latency_p50_ms",
    "latency_ms",
    "latency_p99_ms",
    "requests_per_s",
    "allocated_cpu_cores",
)
STEP_S, ROW_S, MOST_RATE = 40.0, 20.0, 50.0
BUSY = re.compile(r"^zone_busy_seconds_total\{.*\} (\S+)$", re.MULTILINE)


def load_deployment(folder: Path) -> Any:
    return next(iter(yaml.safe_load_all((folder / "zone.yaml").read_text(encoding="utf-8"))))


class Plane:
    """The API of a cluster, as its admin."""

    def __init__(self, state: Path) -> None:
        self.client = ApiClient.from_kubeconfig(state / "kubeconfig")

    def deploy(self, manifest: Any) -> None:
        target = DEPLOYMENTS.at("default", manifest["metadata"]["name"])
        with contextlib.suppress(NotFoundError):
            self.client.delete(target, self.client.get(target)["metadata"]["uid"])
            time.sleep(1.0)
        self.client.create(DEPLOYMENTS.at("default"), manifest)

    def address(self, name: str) -> str:
        for pod in self.client.list(PODS.at("default"), f"app={name}").items:
            conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions", [])}
            if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
                return str(pod["status"]["podIP"])
        return ""


def drive(address: str, rate: float, seconds: float, seed: int) -> list[tuple[float, float]]:
    """Send Poisson arrivals; return when each was due, s from the start, and how long it took, ms."""
    draws, found, lock = random.Random(seed), [], threading.Lock()
    start = due = time.monotonic()

    def one(due: float) -> None:
        connection = HTTPConnection(address, 8080, timeout=20)
        connection.request("GET", "/work", headers={"Connection": "close"})
        connection.getresponse().read()
        connection.close()
        with lock:
            found.append((due - start, 1e3 * (time.monotonic() - due)))

    with ThreadPoolExecutor(48) as pool:
        while (due := due + draws.expovariate(min(rate, MOST_RATE))) < start + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(one, due)
    return found


def busy_s(address: str) -> float:
    text = httpx.get(f"http://{address}:8080/metrics", trust_env=False, timeout=20.0).text
    match = BUSY.search(text)
    assert match is not None
    return float(match[1])


def measure_zone(address: str, rate: float, seed: int, cores: float, rows: list[Any]) -> None:
    moments: list[float] = []

    def watch() -> None:
        begin = time.monotonic()
        for row in range(round(STEP_S / ROW_S) + 1):
            time.sleep(max(0.0, begin + row * ROW_S - time.monotonic()))
            moments.append(busy_s(address))

    watcher = threading.Thread(target=watch)
    watcher.start()
    found = drive(address, rate, STEP_S, seed)
    watcher.join()
    for row in range(round(STEP_S / ROW_S)):
        own = np.array([ms for due, ms in found if row * ROW_S <= due < (row + 1) * ROW_S])
        used = (moments[row + 1] - moments[row]) / ROW_S
        p50, p95, p99 = np.percentile(own, [50, 95, 99])
        per_s = len(own) / ROW_S
        rows.append([per_s, used, np.nan, p50, p95, p99, per_s, cores])


def main(folder: Path, state: Path, out: Path, plan: str) -> None:
    zones = [entry.split(":") for entry in plan.split("/")]
    rates = [[float(rate) for rate in text.split(",")] for _, text in zones]
    plane, names = Plane(state), [f"zone-{limit}" for limit, _ in zones]
    for (limit, _), name in zip(zones, names, strict=True):
        text = yaml.safe_dump(load_deployment(folder)).replace("zone-1", name).replace("cpu: 300m", f"cpu: {limit}")
        plane.deploy(yaml.safe_load(text))
    while not all(plane.address(name) for name in names):
        time.sleep(0.5)
    time.sleep(2.0)
    addresses = [plane.address(name) for name in names]
    rows: list[Any] = []
    times: list[float] = []
    for step in range(max(map(len, rates))):
        for z, (limit, _) in enumerate(zones):
            if step < len(rates[z]):
                own: list[Any] = []
                begin = time.time()
                measure_zone(addresses[z], rates[z][step], 100 * step + z, float(limit[:-1]) / 1e3, own)
                for number, row in enumerate(own, 1):
                    rows.append([row if index == z else [np.nan] * len(FEATURES) for index in range(len(names))])
                    times.append(begin + number * ROW_S)
                print(names[z], f"{rates[z][step]:g} requests/s", np.round(own[-1], 3).tolist(), flush=True)
    save_panel(out, Panel(np.array(rows, dtype=np.float32), FEATURES, tuple(names), timestamps=np.array(times)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
