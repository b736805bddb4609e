"""The command: what it refuses, what it serves, how it ends."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy

import pytest
from typer.testing import CliRunner, Result

import agents
from bridges.clock import ManualClock
from bridges.controller import checkpoint
from bridges.controller.health import Health, HealthServer
from bridges.prometheus import Exporter
from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError
from tests.bridges.controlling import Rig, Scripted

ROOT = Path(__file__).parents[2]
MEMORY = ["bridge", "run", "--dry-run-cluster", "--port", "0", "--scenario", "single_zone", "--forecaster", "none"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*MEMORY, *map(str, arguments)])


def test_t76_weights_that_are_not_those_of_the_card_are_refused_before_anything_starts(tmp_path: Path) -> None:
    weights = Path(agents.__file__).parent / "weights"
    for suffix in (".json", ".safetensors"):
        copy(weights / f"ppo_single_zone{suffix}", tmp_path / f"mine{suffix}")
    file = tmp_path / "mine.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    found = run("--policy", f"ppo@{tmp_path / 'mine.json'}", "--cycles", "1")
    assert found.exit_code == 2
    assert "is not the file that mine.json describes" in found.stderr
    assert found.stdout == ""


def test_t76_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'sprung'}",)

    for name in ("mine.pkl", "mine.safetensors", "mine.json"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        found = run("--policy", f"ppo@{tmp_path / name}", "--cycles", "1")
        assert found.exit_code == 2, found.output
        assert "ppo" in found.stderr or "mine" in found.stderr
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policy", "treshold"], "Did you mean 'threshold'"),
        (["--policy", "oracle"], "told a simulated world's future"),
        (["--mode", "canary"], "needs canary zones"),
        (["--mode", "canary", "--canary", "zone-9"], "canary zone 'zone-9' is not in this cluster"),
        (["--shield", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--decisions", "nowhere/log"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_2_and_said(arguments: list[str], words: str) -> None:
    found = run(*arguments, "--cycles", "1")
    assert (found.exit_code, words in found.stderr) == (2, True), found.output


def test_a_real_cluster_needs_a_namespace() -> None:
    found = CliRunner().invoke(app, ["bridge", "run"])
    assert (found.exit_code, "--namespace" in found.stderr) == (2, True)


def test_json_is_a_line_a_cycle_and_the_log_decides_again(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    found = run("--mode", "active", "--cycles", "5", "--json", "--decisions", log, "--keep-inputs")
    assert found.exit_code == 0, found.output
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert lines[0]["url"].startswith("http://127.0.0.1:")
    assert [line["state"]["mode"] for line in lines[1:]] == ["shadow", "shadow", "active", "active", "active"]
    again = CliRunner().invoke(app, ["bridge", "decisions", str(log), "--again", "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["different"] == []
    told = [json.loads(line) for line in log.read_text().splitlines()]
    told[3]["given"]["readings"]["zone-1"]["cpu_cores"]["value"] = 9.9
    log.write_text("".join(json.dumps(one) + "\n" for one in told))
    differs = CliRunner().invoke(app, ["bridge", "decisions", str(log), "--again", "--json"])
    assert (differs.exit_code, "cycle 4 differs" in differs.stderr) == (1, True)


def test_a_checkpoint_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    assert run("--mode", "active", "--cycles", "5", "--json", "--checkpoint", file).exit_code == 0
    rig = Rig(Scripted())
    assert checkpoint.load(rig.controller, file)
    assert rig.controller.guard.memory.logs[0]
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match="delete it to start anew"):
        checkpoint.load(rig.controller, file)
    assert not checkpoint.load(rig.controller, tmp_path / "none.json")


def test_a_fall_back_that_people_must_end_survives_a_restart(tmp_path: Path) -> None:
    rig = Rig(Scripted(1.4), heuristic=Scripted(0.3), window_cycles=3)
    while rig.controller.state.mode != "fallback":
        rig.run(1)
    checkpoint.save(rig.controller, tmp_path / "c.json")
    again = Rig(Scripted(1.4), heuristic=Scripted(0.3), cluster=rig.cluster)
    checkpoint.load(again.controller, tmp_path / "c.json")
    assert {decision.state.mode for decision in again.run(5)} == {"fallback"}


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_names_what_is_missing() -> None:
    clock = ManualClock()
    health = Health(clock, limit_s=60.0)
    with HealthServer(health, Exporter(clock, "threshold")) as server:
        assert get(server.url + "/healthz")[0] == 200
        assert get(server.url + "/readyz") == (503, '{"ready": false, "reasons": ["no cycle yet"]}')
        health.beat()
        assert get(server.url + "/readyz")[0] == 200
        health.missing = ("patch apps/deployments/scale",)
        status, body = get(server.url + "/readyz")
        assert (status, "patch apps/deployments/scale" in body) == (503, True)
        clock.advance(61.0)
        assert get(server.url + "/healthz")[0] == 503
        assert 'metaverse_bridge_build_info{policy="threshold"' in get(server.url + "/metrics")[1]
        assert get(server.url + "/other")[0] == 404


@contextmanager
def process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "metaverse_env.cli", *MEMORY, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_pauses_and_ends_in_good_order(number: signal.Signals) -> None:
    with process("--mode", "active", "--tick-s", "1", "--json") as started:
        assert started.stdout is not None
        url = json.loads(started.stdout.readline())["url"]
        modes = [json.loads(started.stdout.readline())["state"]["mode"] for _ in range(3)]
        assert modes == ["shadow", "shadow", "active"]
        assert get(url + "/readyz")[0] == 200
        page = get(url + "/metrics")[1]
        for name in (
            "mode",
            "leader",
            "build_info",
            "cycle_duration_seconds_count",
            "clamped_total",
            "decisions_total",
        ):
            assert f"metaverse_bridge_{name}" in page, name
        started.send_signal(signal.SIGUSR1)
        while json.loads(started.stdout.readline())["state"]["mode"] != "paused":
            pass
        start_s = time.monotonic()
        started.send_signal(number)
        rest, errors = started.communicate(timeout=20)
        assert started.returncode == 0, errors
        assert time.monotonic() - start_s < 5.0
        assert json.loads(rest.splitlines()[-1])["state"] == {"mode": "off", "risen": "shadow", "reason": "Stopped"}
