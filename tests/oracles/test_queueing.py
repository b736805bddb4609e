"""The service models against discrete-event simulations that share no code with them (ciw and simpy).

Stated error: 5 %, of the figure that a test's name gives. A busy queue converges slowly because its realised load
wanders, so the samples of a run are scaled to have exactly the mean that they stand for.
"""

import math
from collections.abc import Generator
from typing import Any

import ciw
import numpy as np
import pytest
import simpy

from metaverse_env.simulator.queueing import processor_sharing_mean_sojourn_ms, sakasegawa_mean_wait_ms
from metaverse_env.simulator.service import request_latency_ms, tick_latency_ms
from metaverse_env.simulator.tick_surface import axis_of, load_tick_surface

ERROR = 0.05
PERIOD_MS = 100.0
Process = Generator[simpy.Event, Any, None]


def exponential(random: np.random.Generator, mean: float, size: int) -> np.ndarray:
    """Draw exponential times whose sample mean is exact."""
    times = random.exponential(mean, size)
    return times * (mean / times.mean())


def fifo_queue(rho: float, servers: int, requests: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulate an M/M/c queue with a mean service time of 1 in simpy; return the waits and the service times."""
    random = np.random.default_rng(seed)
    gaps, services = exponential(random, 1.0 / (rho * servers), requests), exponential(random, 1.0, requests)
    waits = np.empty(requests)
    env = simpy.Environment()
    resource = simpy.Resource(env, servers)

    def request(number: int) -> Process:
        arrival = env.now
        with resource.request() as turn:
            yield turn
            waits[number] = env.now - arrival
            yield env.timeout(services[number])

    def arrivals() -> Process:
        for number, gap in enumerate(gaps):
            yield env.timeout(gap)
            env.process(request(number))

    env.process(arrivals())
    env.run()
    return waits, services


def processor_sharing_queue(rho: float, requests: int, seed: int) -> np.ndarray:
    """Simulate an M/M/1 queue with processor sharing and a mean service time of 1 in ciw; return the sojourns."""
    random = np.random.default_rng(seed)
    gaps, services = exponential(random, 1.0 / rho, requests), exponential(random, 1.0, requests)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*gaps, math.inf])],
        service_distributions=[ciw.dists.Sequential([*services])],
        number_of_servers=[math.inf],
    )
    simulation = ciw.Simulation(network, node_class=ciw.PSNode)
    simulation.simulate_until_max_customers(requests)
    return np.array([record.exit_date - record.arrival_date for record in simulation.get_all_records()])


def tick_server(rho: float, u: float, frame_ms: float, cv: float, frames: int, seed: int) -> np.ndarray:
    """Simulate a tick server under a quota in simpy, by events; return its response times, ms.

    One process refills the budget, the other works until its frame is done, the budget is spent or it is refilled.
    """
    random = np.random.default_rng(seed)
    sigma = math.sqrt(math.log(1.0 + cv**2))
    works = random.lognormal(math.log(u * frame_ms) - 0.5 * sigma**2, sigma, frames)
    quota_ms = min(1.0, u / rho) * PERIOD_MS
    response_ms = np.empty(frames)
    env = simpy.Environment()
    budget = simpy.Container(env, init=quota_ms, capacity=quota_ms)
    refill = env.event()

    def quota() -> Process:
        nonlocal refill
        while True:
            yield env.timeout(PERIOD_MS)
            if budget.level < quota_ms:
                yield budget.put(quota_ms - budget.level)
            refill.succeed()
            refill = env.event()

    def server() -> Process:
        for frame, work in enumerate(works):
            due, left = frame * frame_ms, work
            if env.now < due:
                yield env.timeout(due - env.now)
            while left > 1e-6:
                if budget.level <= 1e-6:
                    yield refill
                    continue
                begin, refilled = env.now, refill
                yield env.timeout(min(left, budget.level)) | refilled
                left -= env.now - begin
                if not refilled.triggered:
                    yield budget.get(env.now - begin)
            response_ms[frame] = env.now - due

    env.process(quota())
    env.run(until=env.process(server()))
    return response_ms


def erlang_c(rho: float, servers: int) -> float:
    """Return the exact share of requests that wait in an M/M/c queue."""
    offered = rho * servers
    waiting = offered**servers / math.factorial(servers) / (1.0 - rho)
    return waiting / (sum(offered**k / math.factorial(k) for k in range(servers)) + waiting)


@pytest.mark.parametrize("rho", [0.5, 0.8], ids="M/M/1-PS mean sojourn rho={}".format)
def test_processor_sharing_against_ciw(rho: float) -> None:
    sojourns = processor_sharing_queue(rho, requests=80_000, seed=1)
    assert processor_sharing_mean_sojourn_ms(1.0, rho) == pytest.approx(sojourns.mean(), rel=ERROR)


@pytest.mark.parametrize("rho", [0.8, 0.9], ids="rho={}".format)
@pytest.mark.parametrize("servers", [2, 4], ids="M/M/{} mean wait".format)
def test_sakasegawa_against_simpy(servers: int, rho: float) -> None:
    waits, _ = fifo_queue(rho, servers, requests=200_000, seed=2)
    assert sakasegawa_mean_wait_ms(1.0, rho, servers, 1.0, 1.0) == pytest.approx(waits.mean(), rel=ERROR)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8, 0.9, 0.98], ids="rho={}".format)
@pytest.mark.parametrize("servers", [1, 2, 4, 16], ids="M/M/{} mean sojourn".format)
def test_sakasegawa_against_erlang(servers: int, rho: float) -> None:
    exact = 1.0 + erlang_c(rho, servers) / (servers * (1.0 - rho))
    assert 1.0 + sakasegawa_mean_wait_ms(1.0, rho, servers, 1.0, 1.0) == pytest.approx(exact, rel=ERROR)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.9], ids="M/M/1 p95 sojourn rho={}".format)
def test_request_latency_against_simpy(rho: float) -> None:
    waits, services = fifo_queue(rho, servers=1, requests=300_000, seed=3)
    _, p95, _ = request_latency_ms(rho, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    assert p95 == pytest.approx(np.quantile(waits + services, 0.95), rel=ERROR)


@pytest.mark.parametrize("rho", [0.5, 0.8], ids="rho={}".format)
@pytest.mark.parametrize("servers", [2, 4], ids="M/M/{} p95 sojourn no lower and 17 % higher".format)
def test_request_latency_of_several_cores_errs_on_the_safe_side(servers: int, rho: float) -> None:
    waits, services = fifo_queue(rho, servers, requests=100_000, seed=4)
    _, p95, _ = request_latency_ms(rho * servers, servers, 64.0, 1.0, 1.0, 1.0, 0.0)
    assert 0.98 < p95 / np.quantile(waits + services, 0.95) < 1.17


@pytest.mark.parametrize(
    ("rho", "threads_per_quota", "server_tick_hz", "cv"),
    [
        pytest.param(0.5, 1.0, 20.0, 0.3, id="D/G/1 tick p95 rho=0.5"),
        pytest.param(0.8, 1.0, 20.0, 0.3, id="D/G/1 tick p95 rho=0.8"),
        pytest.param(0.9, 1.0, 20.0, 0.3, id="D/G/1 tick p95 rho=0.9"),
        pytest.param(0.9, 2.0, 20.0, 0.3, id="throttled tick p95 rho=0.9, threads = 2 quotas"),
        pytest.param(0.8, 4.0, 30.0, 0.5, id="throttled tick p95 rho=0.8, threads = 4 quotas"),
    ],
)
def test_tick_surface_against_simpy(rho: float, threads_per_quota: float, server_tick_hz: float, cv: float) -> None:
    surface = load_tick_surface(server_tick_hz, cv)
    _, p95, _ = tick_latency_ms(
        rho,
        1.0,
        threads_per_quota,
        0.0,
        axis_of(surface.rho_grid),
        axis_of(surface.threads_utilisation_grid),
        surface.latency_ms,
    )
    response_ms = tick_server(rho, rho / threads_per_quota, 1000.0 / server_tick_hz, cv, frames=60_000, seed=5)
    assert p95 == pytest.approx(np.quantile(response_ms, 0.95), rel=ERROR)
