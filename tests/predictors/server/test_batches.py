"""Requests that come together (checklist T88): each is answered on what it said, and none waits for ever."""

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.predictors.server.servers import Server, Start


def together(server: Server, bodies: Sequence[dict[str, Any]], path: str = "/predict") -> list[httpx.Response]:
    """Send requests at once, each on a connection of its own."""

    async def send() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=server.url, timeout=60.0, limits=limits) as client:
            return await asyncio.gather(*(client.post(path, json=body) for body in bodies))

    return asyncio.run(send())


def held_open(server: Server, body: dict[str, Any]) -> socket.socket:
    """Send a request, and return the connection on which nobody reads the answer."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    text = json.dumps(body).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall(head.encode() + text)
    return connection


def test_t88_many_at_once_get_what_each_would_get_alone(start: Start, embedding: list[float]) -> None:
    server = start("command", "--scenario", "multi_zone", "--tick-s", "3600")
    bodies = [
        {
            "zone_name": f"zone-{zone}",
            "active_users": 7 * zone,
            "embedding": embedding,
            "usage": {"cpu_cores": 0.1 * zone, "memory_mb": 300 + zone, "bandwidth_mbps": zone, "latency_ms": 40},
            "allocation": {"cpu_cores": 4, "memory_mb": 2000, "bandwidth_mbps": 60},
        }
        for zone in range(1, 31)
    ]
    together(server, bodies)  # what neighbours said before counts, so both rounds start from all having spoken
    alone = [server.predict(**body).json() for body in bodies]
    assert len({answer["cpu_cores"] for answer in alone}) == 30
    assert [answer.json() for answer in together(server, bodies)] == alone


def test_t88_who_contradict_each_other_are_each_answered_on_their_own_words(echo: Server) -> None:
    bodies = [{"zone_name": "contested", "active_users": users} for users in range(60)]
    answers = together(echo, bodies)
    assert [answer.json()["cpu_cores"] for answer in answers] == list(range(60))


def test_t88_reports_that_wait_together_are_forecast_together(start: Start) -> None:
    server = start("slow")
    began_s = time.monotonic()
    answers = together(server, [{"zone_name": f"zone {number}", "active_users": number} for number in range(40)])
    assert [answer.json()["cpu_cores"] for answer in answers] == list(range(40))
    assert time.monotonic() - began_s < 5.0  # one by one they would take 20 s


def test_t88_one_bad_item_does_not_fail_the_others(start: Start) -> None:
    server = start("not_finite")
    bodies = [{"zone_name": f"zone {number}", "active_users": 666 if number == 5 else number} for number in range(20)]
    answers = together(server, bodies)
    assert [answer.status_code for answer in answers] == [500 if number == 5 else 200 for number in range(20)]
    entries = server.client.post("/predict/batch", json={"reports": bodies}).json()["predictions"]
    assert [entry.get("cpu_cores") for entry in entries] == [None if number == 5 else number for number in range(20)]
    assert entries[5]["problem"]["status"] == 500
    assert set(entries[5]) == {"problem"}
    assert entries[6]["zone_name"] == "zone 6"


def test_t88_a_full_queue_is_429_and_says_when_to_come_back(start: Start) -> None:
    server = start("slow", max_queue=2)
    answers = together(server, [{"zone_name": "plaza", "active_users": number} for number in range(12)])
    found = [answer.status_code for answer in answers]
    assert 200 in found
    assert 429 in found
    assert set(found) == {200, 429}
    full = next(answer for answer in answers if answer.status_code == 429)
    assert full.headers["retry-after"] == "1"
    assert full.headers["content-type"] == "application/problem+json"
    assert server.predict("plaza", 1).status_code == 200


def test_t88_who_leaves_makes_room(start: Start) -> None:
    server = start("slow", max_queue=2)
    first = held_open(server, {"zone_name": "plaza", "active_users": 0})
    time.sleep(0.1)  # taken by the forecaster, for half a second; two more may wait
    waiting = [held_open(server, {"zone_name": "plaza", "active_users": number}) for number in (1, 2)]
    time.sleep(0.1)
    assert server.predict("plaza", 3).status_code == 429
    waiting[0].close()
    time.sleep(0.15)
    assert server.predict("plaza", 4).json()["cpu_cores"] == 4.0
    for connection in (first, waiting[1]):
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.close()


def test_a_batch_is_queued_whole_or_not_at_all(start: Start) -> None:
    server = start("echo", max_queue=3)
    reports = [{"zone_name": f"zone {number}", "active_users": number} for number in range(4)]
    assert server.client.post("/predict/batch", json={"reports": reports}).status_code == 429
    assert server.client.get("/zones").json()["zones"] == []
    entries = server.client.post("/predict/batch", json={"reports": reports[:3]}).json()["predictions"]
    assert [entry["zone_name"] for entry in entries] == ["zone 0", "zone 1", "zone 2"]


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_has_bounds(echo: Server, count: int) -> None:
    reports = [{"zone_name": "plaza", "active_users": 1}] * count
    assert echo.client.post("/predict/batch", json={"reports": reports}).status_code == 422


def test_health_is_answered_while_the_forecaster_works(start: Start) -> None:
    server = start("slow")
    connection = held_open(server, {"zone_name": "plaza", "active_users": 0})
    time.sleep(0.1)
    began_s = time.monotonic()
    assert server.client.get("/healthz").status_code == 200
    assert time.monotonic() - began_s < 0.3
    connection.close()
