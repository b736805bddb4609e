"""A server from its first moment to its last (checklist T87), and what the command line says of it."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from metaverse_env.cli import app
from tests.predictors.server.servers import ROOT, Server, Start


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "metaverse_env.cli", "serve", "--port", "0", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60.0)


def test_t87_alive_while_the_model_loads_and_ready_afterwards(start: Start) -> None:
    server = start("late", wait=False)
    assert server.client.get("/healthz").json() == {"status": "alive"}
    for answer in (server.client.get("/readyz"), server.predict("plaza", 1)):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "loading" in answer.json()["detail"]
    assert "stgnn_ready 0.0" in server.client.get("/metrics").text
    server.wait_until_ready()
    assert server.client.get("/readyz").json() == {"status": "ready"}
    assert "stgnn_ready 1.0" in server.client.get("/metrics").text
    assert server.predict("plaza", 1).status_code == 200


def test_t87_in_a_drain_it_is_alive_not_ready_and_still_answers(start: Start) -> None:
    server = start("echo", drain_s=3.0)
    server.terminate()
    deadline_s = time.monotonic() + 2.5
    while server.client.get("/readyz").status_code == 200 and time.monotonic() < deadline_s:
        time.sleep(0.02)
    answer = server.client.get("/readyz")
    assert (answer.status_code, "drains" in answer.json()["detail"]) == (503, True)
    assert server.client.get("/healthz").status_code == 200
    assert httpx.get(f"{server.url}/healthz").status_code == 200  # on a new connection, too
    assert server.predict("plaza", 1).status_code == 200
    assert server.process.wait(20.0) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def test_what_was_begun_is_finished(start: Start) -> None:
    server = start("slow")
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(server.predict("plaza", 7)))
    asking.start()
    time.sleep(0.2)  # the forecaster takes 0.5 s
    server.terminate()
    asking.join(10.0)
    assert [answer.json()["cpu_cores"] for answer in answers] == [7.0]
    assert server.process.wait(20.0) == 0


def test_a_second_signal_ends_the_drain(start: Start) -> None:
    server = start("echo", drain_s=600.0)
    server.terminate()
    time.sleep(0.3)
    assert server.process.poll() is None
    server.terminate()
    assert server.process.wait(20.0) == 0


def test_ctrl_c_ends_it_at_once_as_interrupted(start: Start) -> None:
    server = start("command", "--drain-s", "600")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20.0) == 130
    assert "Traceback" not in server.log.read_text()


def test_a_signal_while_the_model_loads_ends_it_and_it_is_never_ready(start: Start) -> None:
    server = start("late", wait=False, drain_s=3.0)  # it takes two seconds to load
    server.terminate()
    time.sleep(2.5)
    assert server.client.get("/readyz").status_code == 503
    assert server.process.wait(20.0) == 0
    assert '"ready"' not in server.log.read_text()


def test_a_model_that_does_not_load_ends_the_process_with_its_error(start: Start) -> None:
    server = start("never", wait=False)
    assert server.process.wait(20.0) == 1
    assert "the disk is gone" in server.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--api-key-file", "nowhere.txt"], "metaverse: no API keys in nowhere.txt"),
        (["--scenario", "multi_zone", "--max-zones", "29"], "metaverse: room for 29 zones, but the scenario has 30"),
        (["--scenario", "multi_zne"], "Did you mean 'multi_zone'"),
        (["--port", "70000"], "--port"),
        (["--quantile", "0.8"], "--quantile"),
        (["--ticks-ahead", "17"], "--ticks-ahead"),
        (["--api-key", "a-key-for-all-to-see"], "--api-key"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], message: str) -> None:
    found = CliRunner().invoke(app, ["serve", *arguments], prog_name="metaverse")
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


def test_a_model_that_is_not_there_is_wrong_usage_too() -> None:
    found = run("--model", "nowhere/at_all", "--log-level", "error")
    assert found.returncode == 2
    assert "metaverse: no card nowhere/at_all.json" in found.stderr
    assert "Traceback" not in found.stderr


def test_an_address_that_cannot_be_had_is_1() -> None:
    found = run("--host", "203.0.113.9")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("metaverse: cannot listen on 203.0.113.9")


def test_logs_are_json_when_asked_for_and_hold_no_body(shipped: Server) -> None:
    shipped.predict("a zone that nobody should read of", 1)
    lines = [json.loads(line) for line in shipped.log.read_text().splitlines()]
    assert {"time_s", "level", "logger", "message"} <= set(lines[0])
    assert "ready" in [line["message"] for line in lines]
    assert "nobody should read of" not in shipped.log.read_text()


def test_a_server_for_everyone_without_a_key_warns(start: Start) -> None:
    server = start("command", "--host", "0.0.0.0", "--tick-s", "5", wait=False)
    server.url = server.url.replace("0.0.0.0", "127.0.0.1")
    server.client.base_url = server.url
    server.wait_until_ready()
    log = server.log.read_text()
    assert "--api-key-file" in log
    assert "15 s, not 5 s" in log


def test_the_address_is_printed_for_people(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "metaverse_env.cli", "serve", "--port", "0", "--drain-s", "0"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Serving on http://127.0.0.1:")
    process.terminate()
    process.communicate(timeout=30.0)
    assert process.returncode == 0
