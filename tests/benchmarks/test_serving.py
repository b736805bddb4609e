"""The server's benchmark: what wrk says is read rightly, targets are held honestly, and both servers come up."""

import json
import os
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import load, serving
from benchmarks.load import Load, read_report, wrk
from benchmarks.serving import Served, processor_s, report, served
from metaverse_env.cli import app
from metaverse_env.errors import MetaverseError
from tests.absent import unavailable

SAID = """Running 1s test @ http://127.0.0.1:37011/predict
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.12ms    1.31ms  24.52ms   91.97%
    Req/Sec     7.91k     1.02k    9.43k    70.00%
  Latency Distribution
     50%    1.82ms
     75%    2.22ms
     90%    2.97ms
     99%    8.20ms
  7904 requests in 1.00s, 1.62MB read
Requests/sec:   7886.44
Transfer/sec:      1.62MB
"""


def test_a_report_of_wrk_is_read() -> None:
    assert read_report(SAID) == Load(7904, 7886.44, 8.2)


@pytest.mark.parametrize(("said", "p99_ms"), [("820.00us", 0.82), ("1.25s", 1250.0), ("2.00m", 120_000.0)])
def test_times_have_units(said: str, p99_ms: float) -> None:
    assert read_report(SAID.replace("8.20ms", said)).p99_ms == pytest.approx(p99_ms)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  Non-2xx or 3xx responses: 3\n", "worthless: Non-2xx or 3xx responses: 3"),
        ("  Socket errors: connect 0, read 2, write 0, timeout 0\n", "worthless: Socket errors"),
    ],
)
def test_a_burst_with_failures_counts_for_nothing(line: str, message: str) -> None:
    with pytest.raises(MetaverseError, match=message):
        read_report(SAID + line)


def test_what_is_not_a_report_is_an_error() -> None:
    with pytest.raises(MetaverseError, match="something else"):
        read_report("unable to connect")


def test_without_a_load_generator_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = CliRunner().invoke(app, ["benchmark", "serve"], prog_name="metaverse")
    assert found.exit_code == 1
    assert "apt-get install wrk" in found.stderr


def test_medians_of_neighbours_decide() -> None:
    predict = [Served(70.0, 5.0, 100.0), Served(30.0, 30.0, 120.0), Served(65.0, 6.0, 110.0)]
    empty = [Served(100.0, 4.0, 60.0), Served(40.0, 20.0, 80.0), Served(130.0, 5.0, 70.0)]
    found = report(predict, empty)
    assert found["ratio"] == pytest.approx(0.7)  # of 0.7, 0.75 and 0.5
    assert found["predict"] == {"requests_per_s": 65.0, "p99_ms": 6.0, "processor_us_per_request": 110.0}
    assert found["targets"]["ratio"]["reached"]
    assert found["targets"]["p99_ms"]["reached"]
    slow = report([Served(50.0, 26.0, 100.0)], [Served(100.0, 4.0, 60.0)])
    assert not slow["targets"]["ratio"]["reached"]
    assert not slow["targets"]["p99_ms"]["reached"]


def test_the_table_says_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    found = report([Served(50.0, 6.0, 100.0)], [Served(100.0, 4.0, 60.0)])
    Console(width=120).print(serving._table(found))
    text = capsys.readouterr().out
    assert "at least 0.6: missed" in text
    assert "at most 25: reached" in text


def test_processor_time_is_that_of_the_process() -> None:
    before_s = processor_s(os.getpid())
    sum(range(3_000_000))
    assert before_s < processor_s(os.getpid()) <= before_s + 20.0


def test_a_module_that_does_not_serve_is_an_error() -> None:
    with pytest.raises(MetaverseError, match="did not start"), served("benchmarks"):
        pass


def test_both_servers_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("wrk") is None:
        unavailable("no wrk; Debian's package is called wrk")
    assert Path(wrk()).is_file()
    serving.serving(rounds=1, seconds=1, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert 0.05 < found["ratio"] < 5.0
    assert found["predict"]["requests_per_s"] > 100.0
    assert found["connections"] == serving.CONNECTIONS


def test_the_script_sends_what_the_server_takes() -> None:
    assert '"zone_name":"zone-%d","active_users":%d' in load._SCRIPT % (32, 30)
