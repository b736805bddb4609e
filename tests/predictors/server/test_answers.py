"""Answers of every endpoint, checked by hand against a forecaster that echoes what it is shown."""

import json
import re
import subprocess
from typing import Any

import numpy as np
import pytest

from metaverse_env.history import History
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.units import TARGETS
from predictors.stgnn import StgnnForecaster
from tests.predictors.server.servers import ROOT, Server, Start


@pytest.fixture(scope="module")
def graphed(start: Start) -> Server:
    return start("echo", scenario="multi_zone")


def test_predict_answers_the_four_targets(shipped: Server, embedding: list[float]) -> None:
    answer = shipped.predict("plaza", 42, embedding=embedding)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert tuple(answer.json()) == TARGETS
    assert all(value >= 0.0 for value in answer.json().values())


@pytest.mark.parametrize("page", ["README.md", "docs/serving.md"])
def test_what_the_pages_tell_people_to_type_works(page: str, shipped: Server) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    commands = re.findall(r"```bash\n(curl .*?)```", text, flags=re.DOTALL)
    assert commands
    for command in commands:
        asked = command.replace("http://127.0.0.1:8000", shipped.url).replace("curl ", "curl -s --fail-with-body ")
        run = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        assert json.loads(run.stdout)


def test_predict_without_an_embedding_or_with_null_is_the_same(shipped: Server) -> None:
    assert shipped.predict("nothing said", 5).json() == shipped.predict("nothing said", 5, embedding=None).json()


def test_predict_takes_the_tick_and_the_quantile_that_were_chosen(start: Start) -> None:
    server = start("echo", ticks_ahead=4, quantile=0.9)
    answer = server.predict("plaza", 5).json()
    assert answer["cpu_cores"] == pytest.approx(5 + 3000 + 0.9)


def test_neighbours_count_as_they_last_reported(graphed: Server) -> None:
    neighbours = {zone["zone_name"]: zone["neighbours"] for zone in graphed.client.get("/zones").json()["zones"]}
    one, two = neighbours["zone-8"][:2]
    graphed.predict(one, 100)
    graphed.predict(two, 10)
    graphed.predict(two, 20)
    answer = graphed.predict("zone-8", 3).json()
    assert answer == {"cpu_cores": 3.0, "memory_mb": 3.0, "bandwidth_mbps": 120.0, "latency_ms": 1.0}
    assert graphed.predict("an outsider", 3).json()["bandwidth_mbps"] == 0.0


def test_zones_lists_those_of_the_scenario_and_those_that_reported(start: Start) -> None:
    server = start("echo", scenario="multi_zone")
    server.predict("outside", 1)
    server.predict("zone-2", 1)
    listed = server.client.get("/zones").json()["zones"]
    assert [zone["zone_name"] for zone in listed] == [*(f"zone-{number}" for number in range(1, 31)), "outside"]
    assert [zone["zone_name"] for zone in listed if zone["last_report_s"] is not None] == ["zone-2", "outside"]


def test_a_batch_answers_in_order_and_takes_a_zone_twice(echo: Server) -> None:
    reports = [{"zone_name": name, "active_users": count} for name, count in (("b1", 1), ("b2", 2), ("b1", 3))]
    found = echo.client.post("/predict/batch", json={"reports": reports}).json()["predictions"]
    assert [(entry["zone_name"], entry["cpu_cores"]) for entry in found] == [("b1", 1.0), ("b2", 2.0), ("b1", 3.0)]


def forecast(server: Server, **body: Any) -> dict[str, Any]:
    answer = server.client.post("/forecast", json={"time_s": 1_767_571_200, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_forecast_answers_every_tick_target_and_quantile(echo: Server) -> None:
    past = [{"active_users": 4}, None, {"active_users": 6}]
    found = forecast(echo, zones={"a": past, 'b/"ü"': [{"active_users": 1}]}, ticks_ahead=[4.0, 1])
    assert (found["ticks_ahead"], found["quantiles"], found["tick_s"]) == ([1, 4], [0.5, 0.9, 0.99], 3600.0)
    assert list(found["zones"]) == ["a", 'b/"ü"']
    np.testing.assert_allclose(found["zones"]["a"]["cpu_cores"], [[6, 6.9, 6.99], [3006, 3006.9, 3006.99]], atol=1e-3)
    assert found["zones"]["a"]["memory_mb"][0][0] == 4 + 4 + 6
    assert found["zones"]['b/"ü"']["memory_mb"][0][0] == 1


def test_forecast_looks_sixteen_ticks_ahead_if_nothing_is_said(echo: Server) -> None:
    found = forecast(echo, zones={"a": [{"active_users": 1}]})
    assert found["ticks_ahead"] == list(range(1, 17))
    assert np.array(found["zones"]["a"]["latency_ms"]).shape == (16, 3)


def test_forecast_uses_the_graph_of_the_scenario(graphed: Server) -> None:
    zones = {"zone-1": [{"active_users": 1}], "zone-2": [{"active_users": 20}], "outside": [{"active_users": 5}]}
    found = forecast(graphed, zones=zones, ticks_ahead=[1])["zones"]
    assert {name: found[name]["bandwidth_mbps"][0][0] for name in zones} == {"zone-1": 20, "zone-2": 1, "outside": 0}


def test_forecast_remembers_nothing(echo: Server) -> None:
    listed = echo.client.get("/zones").json()
    body = {"zones": {"passing": [{"active_users": 1}]}, "ticks_ahead": [1]}
    assert forecast(echo, **body) == forecast(echo, **body)
    assert echo.client.get("/zones").json() == listed


@pytest.mark.parametrize(
    "change",
    [
        {"zones": {}},
        {"zones": {"a": []}},
        {"zones": {"a": [None, None]}},
        {"zones": {"a": [{"active_users": 1}] * 13}},
        {"zones": {"": [{"active_users": 1}]}},
        {"ticks_ahead": []},
        {"ticks_ahead": [0]},
        {"ticks_ahead": [17]},
        {"ticks_ahead": [1, 1]},
        {"ticks_ahead": [1.5]},
        {"time_s": -1},
        {"time_s": None},
        {"zones": {str(number): [{"active_users": 1}] for number in range(257)}},
    ],
)
def test_forecast_refuses(echo: Server, change: dict[str, Any]) -> None:
    body = {"time_s": 0, "zones": {"a": [{"active_users": 1}]}, "ticks_ahead": [1]} | change
    assert echo.post("/forecast", json.dumps(body)).status_code == 422


def test_forecast_is_that_of_the_network_from_telemetry(start: Start) -> None:
    """Whole telemetry of a simulated world through HTTP gives what the network says of it in the process."""
    world = SimulatedWorld("multi_zone", 1, "physics", intents=True)
    seen = [world.reset(seeds=[7])]
    seen += [world.step(Command.of(seen[0].allocation)).telemetry for _ in range(11)]
    history = History(1, world.zones, 32)
    for telemetry in seen:
        telemetry.zones["age_s"], telemetry.zones["observed"] = 0.0, 1.0  # HTTP reports are of now
        telemetry.zones["signals"] = np.minimum(telemetry.zones["signals"], 1.0)
        history.append(telemetry)
    direct = StgnnForecaster().forecast(history).values[0].astype(float)
    server = start("command", "--scenario", "multi_zone", "--max-body-bytes", "4000000")
    zones = {
        name: [_observation(telemetry.zones[0, zone], telemetry.intents[0, zone]) for telemetry in seen]
        for zone, name in enumerate(world.zones.names)
    }
    # weeks begin on Monday; 1970-01-05 was one
    answer = forecast(server, zones=zones, time_s=float(4 * 86_400 + seen[-1].weather["time_s"][0]))["zones"]
    through = np.array([[answer[name][target] for target in TARGETS] for name in zones]).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(through, direct, rtol=2e-3, atol=1e-4)


def _observation(zone: Any, intent: Any) -> dict[str, Any]:
    cpu, memory, bandwidth = zone["usage"].tolist()
    given = dict(zip(TARGETS[:3], zone["allocation"].tolist(), strict=True))
    return {
        "active_users": float(zone["users"]),
        "embedding": intent.tolist() if zone["signals"] else None,
        "usage": {"cpu_cores": cpu, "memory_mb": memory, "bandwidth_mbps": bandwidth, "latency_ms": float(zone["latency_ms"])},
        "allocation": given,
    }  # fmt: skip
