"""The suite as people call it: in processes of its own, interrupted and resumed, and with policies that misbehave."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.conditions import HELD_OUT_SEED, conditions
from benchmarks.grid.running import all_conditions
from benchmarks.scores import CLOCKED
from benchmarks.suite import compare
from metaverse_env.cli import app

SMALL = ["--forecaster", "none", "--seeds", "10", "--ticks", "5", "--jobs", "1"]
POLICIES = '''
import os
import signal
import time
from pathlib import Path

import numpy as np

from metaverse_env import Command


class Mine:
    """Holds; presses Ctrl-C before its third block, once, if there is a file that asks for it."""

    def reset(self, zones, worlds):
        with Path("blocks").open("a") as file:
            file.write("x")
        if Path("please").exists() and Path("blocks").stat().st_size == 3:
            Path("please").unlink()
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(50.0)  # this block is not to be finished before Ctrl-C arrives

    def act(self, view):
        return Command.of(view.pending.allocation)


class Bad(Mine):
    def reset(self, zones, worlds):
        self.tick = -1

    def act(self, view):
        self.tick += 1
        return self.wrong(view) if self.tick == 2 else super().act(view)


class Nan(Bad):
    def wrong(self, view):
        allocation = view.pending.allocation.copy()
        allocation[0, 3, 1] = np.nan
        return Command.of(allocation)


class Shape(Bad):
    def wrong(self, view):
        return Command.of(view.pending.allocation[:, :2])


class Raises(Bad):
    def wrong(self, view):
        return {}["nothing"]


class Hangs(Bad):
    def wrong(self, view):
        time.sleep(600.0)


class HangsAtOnce(Bad):
    def reset(self, zones, worlds):
        while True:
            try:
                time.sleep(600.0)
            except BaseException:
                pass


class Dies(Bad):
    def wrong(self, view):
        os._exit(7)
'''


def metaverse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["benchmark", "suite", *map(str, arguments)], prog_name="metaverse")


def go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a user's module."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    (folder / "my_policies.py").write_text(POLICIES, encoding="utf-8")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return go(tmp_path, monkeypatch)


def lived(folder: Path) -> str:
    """Return the rows of every condition without what the machine has a say in."""
    lines = []
    for path in sorted(folder.glob("*/results.csv")):
        with path.open(encoding="utf-8") as file:
            lines += [{name: row[name] for name in row if name not in CLOCKED} for row in csv.DictReader(file)]
    return "\n".join(map(str, lines))


def table(folder: Path) -> str:
    """Return the CSV and the Markdown without decision times, which stand in the last column."""
    lines = (folder / "suite.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[2] not in CLOCKED]
    markdown = (folder / "suite.md").read_text(encoding="utf-8").splitlines()
    return "\n".join([*kept, *(line.rpartition("| ")[0] if line.count("|") == 17 else line for line in markdown)])


def test_processes_find_what_one_process_finds(here: Path) -> None:
    found = metaverse(*SMALL[:-1], "2", "--policies", "threshold,random", "--scenario", "complex", "--json")
    assert found.exit_code == 0, found.output
    terms = conditions("complex", dynamics="physics", forecaster="none", seeds=10, seed=HELD_OUT_SEED, ticks=5)
    with (here / "out" / "suite" / terms.label / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for result in compare(terms, ("threshold", "random"), codec=False):
        mine = [row for row in rows if row["policy"] == result.policy]
        for name in result.scores.keys() - set(CLOCKED):
            np.testing.assert_array_equal([float(row[name]) for row in mine], result.scores[name])
    summary = json.loads(found.stdout)
    assert summary == json.loads((here / "out" / "suite" / "suite.json").read_text(encoding="utf-8"))
    assert summary["reference"] == "threshold"


TWO_CONDITIONS = (*SMALL, "--policies", "hold,my_policies:Mine", "--scenario", "single_zone,multi_zone", "--out")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of an uninterrupted suite."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = go(tmp_path_factory.mktemp("whole"), monkeypatch)
        assert metaverse(*TWO_CONDITIONS, "whole").exit_code == 0
    return folder / "whole"


@pytest.fixture
def interrupted(here: Path) -> Result:
    (here / "please").touch()
    return metaverse(*TWO_CONDITIONS, "parts")


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(interrupted: Result) -> None:
    assert interrupted.exit_code == 130
    # Both blocks of two policies in the first condition, and two of hold in the second, before Mine's third.
    assert f"in parts: {3 * 10}. The same command with --resume goes on" in interrupted.stderr
    assert lived(Path("parts")).count("{") == 30
    assert not Path("parts", "suite.md").exists()


def test_interrupted_and_resumed_it_gives_the_same_table(interrupted: Result, whole: Path) -> None:
    resumed = metaverse(*TWO_CONDITIONS, "parts", "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert Path("blocks").read_text() == "x" * 5  # two, one in vain, and two more
    assert lived(Path("parts")) == lived(whole)
    assert table(Path("parts")) == table(whole)


def told(found: Result) -> dict[str, str]:
    """Return what is said of each policy of the user's."""
    said = (line.removeprefix("policy 'my_policies:").split("'", 1) for line in found.stderr.splitlines())
    return {words[0]: words[1] for words in said if len(words) == 2}


def test_whoever_fails_is_named_and_all_others_go_on(here: Path) -> None:
    names = ("Nan", "Shape", "Raises")
    policies = ",".join(["hold", *(f"my_policies:{name}" for name in names), "my_policies:Mine"])
    found = metaverse(*SMALL, "--policies", policies, "--scenario", "multi_zone")
    assert found.exit_code == 1
    said = told(found)
    assert "at tick 2: zone 'zone-4' (world 0): memory_mb = nan MB; must be finite and >= 0" in said["Nan"]
    assert "needs shape (8, 30, 3) (worlds, zones, resources), got (8, 2, 3)" in said["Shape"]
    assert "Raises.act failed at tick 2 in " in said["Raises"]
    assert "3 of the policies' conditions failed" in found.stderr
    summary = json.loads(Path("out/suite/suite.json").read_text(encoding="utf-8"))["conditions"]["multi_zone-physics"]
    assert list(summary["policies"]) == ["hold", "my_policies:Mine"]
    assert list(summary["failures"]) == [f"my_policies:{name}" for name in names]
    assert Path("out/suite/pareto.png").is_file()


def test_processes_that_hang_or_die_are_replaced(here: Path) -> None:
    policies = "my_policies:Hangs,my_policies:Dies,my_policies:Mine"
    found = metaverse(
        *SMALL, "--policies", policies, "--scenario", "single_zone", "--decision-limit-s", "0.5", "--seeds", "2"
    )
    assert found.exit_code == 1
    said = told(found)
    assert "its decision at tick 2 took more than 0.5 s" in said["Hangs"]
    assert "raise --decision-limit-s" in said["Hangs"]
    assert "its process ended with exit code 7" in said["Dies"]
    assert Path("blocks").read_text() == "x"


def test_a_reset_that_hangs_is_ended_though_it_listens_to_nothing(here: Path) -> None:
    found = metaverse(
        *SMALL, "--policies", "my_policies:HangsAtOnce", "--scenario", "single_zone", "--decision-limit-s", "0.3"
    )
    assert found.exit_code == 1
    assert "its reset took more than 0.3 s" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policies", "hold,treshold"], "Did you mean 'threshold'"),
        (["--reference", "hpaa"], "unknown reference among the policies 'hpaa'. Did you mean 'hpa'?"),
        (["--scenario", "multi_zone,complx"], "Did you mean 'complex'"),
        (["--scenario", "complex,complex"], "give different values"),
        (["--dynamics", ""], "give different values, at least one"),
        (["--dynamics", "none"], "leave no condition; give --trace FILE"),
        (["--dynamics", "phsics"], "Did you mean 'physics'"),
        (["--mean-users", "9"], "scales traces, and there is none"),
        (["--trace", "nowhere.csv"], "does not exist"),
        (["--decision-limit-s", "0"], "--decision-limit-s"),
        (["--jobs", "0"], "--jobs"),
        (["--wrap", "nothing"], "give module:name"),
        (["--wrap", "no_such_module:It"], "there is no module 'no_such_module'"),
        (["--wrap", "math:sqrt_"], "Did you mean 'sqrt'"),
        (["--wrap", "math:pi"], "is a float; give a function or class that takes a world"),
        (["--wrap", "math:sqrt"], "wrapper 'sqrt' failed in"),
        (["--wrap", "builtins:repr"], "returned a str, which is no world"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(arguments: list[str], words: str, here: Path) -> None:
    found = metaverse(*SMALL, *arguments)
    assert found.exit_code == 2, found.output
    assert words in " ".join(found.stderr.split())
    assert not list(here.glob("out/suite/*"))


def test_two_traces_of_one_name_are_refused(here: Path, trace_files: dict[str, str]) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "users.csv").write_bytes(Path(trace_files["multi"]).read_bytes())
    found = metaverse(*SMALL, "--scenario", "multi_zone", "--trace", "a/users.csv", "--trace", "b/users.csv")
    assert found.exit_code == 2
    assert "two conditions are called 'multi_zone-users'" in found.stderr


def test_traces_stand_beside_the_dynamics_or_alone(here: Path, assets: Path, trace_files: dict[str, str]) -> None:
    worldcup = assets / "traces" / "worldcup98" / "requests_per_min.csv.gz"
    traces = ("--dynamics", "none", "--trace", worldcup, "--trace", trace_files["multi"])
    found = metaverse(*SMALL, "--seeds", "2", "--policies", "hpa,hold", "--scenario", "multi_zone", *traces, "--json")
    assert found.exit_code == 0, found.output
    summary = json.loads(found.stdout)
    assert list(summary["conditions"]) == ["multi_zone-requests_per_min", "multi_zone-multi"]
    assert summary["conditions"]["multi_zone-requests_per_min"]["trace"]["source"] == str(worldcup)
    assert set(summary["overall"]) == {"hpa", "hold"}


def test_conditions_are_scenarios_with_dynamics_and_with_traces(trace_files: dict[str, str]) -> None:
    made = all_conditions(["multi_zone", "complex"], ["physics", "stgnn"], [trace_files["multi"]], seeds=2, ticks=5)
    assert [terms.label for terms in made] == [
        *("multi_zone-physics", "multi_zone-stgnn", "multi_zone-multi"),
        *("complex-physics", "complex-stgnn", "complex-multi"),
    ]
