"""Replays: every action exactly once, dry by default, gone on with after an interruption."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bridges.clock import ManualClock
from bridges.dryrun import DryRunCluster
from bridges.errors import UnavailableError
from bridges.replaying.actions import Action, actions_of
from bridges.replaying.journal import Journal
from bridges.replaying.replaying import replay
from metaverse_env.cli import app
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.recording import Recording, record, save_recording
from metaverse_env.telemetry import Command
from tests.bridges.controlling import Scripted


def grown(view: Any) -> Command:
    """Grow by half in every third tick."""
    tick = int(view.telemetry.weather["time_s"][0] // 15.0)
    return Command.of(view.pending.allocation * (1.5 if tick % 3 == 0 else 1.0))


@pytest.fixture(scope="module")
def episode() -> Recording:
    shell = Shell("single_zone", dynamics="physics", forecaster="none")
    return record(shell, Scripted(grown), [4], 12)


class Counting(DryRunCluster):
    """A cluster in memory that knows which of its answers were real writes."""

    def __init__(self) -> None:
        super().__init__("single_zone", seed=4)
        self.calls: list[bool] = []

    def write(self, changes: Any, snapshot: Any, dry_run: bool = False) -> Any:
        self.calls.append(dry_run)
        return super().write(changes, snapshot, dry_run)


def test_only_what_changes_is_an_action(episode: Recording) -> None:
    actions = actions_of(episode)
    assert [action.number for action in actions] == list(range(len(actions)))
    assert 3 <= len(actions) <= 6
    assert all(action.at_s % 15.0 == 0.0 for action in actions)
    assert actions_of(episode, zones={"zone-1": "lobby"})[0].allocation.keys() == {"lobby"}
    with pytest.raises(ConfigurationError, match="is not in the recording"):
        actions_of(episode, zones={"arena": "lobby"})


def test_a_replay_is_dry_unless_it_is_told_to_apply(episode: Recording, tmp_path: Path) -> None:
    cluster, actions = Counting(), actions_of(episode)
    with Journal(tmp_path / "j", "digest", False) as journal:
        results = replay(actions, cluster, cluster.clock, journal, 1.0, False)
    assert set(cluster.calls) == {True}
    assert cluster.written == []
    assert sum(results.values()) == len(actions)


def test_actions_are_applied_in_their_times(episode: Recording, tmp_path: Path) -> None:
    cluster, actions, moments = Counting(), actions_of(episode), []
    start_s = cluster.clock.monotonic_s()
    with Journal(tmp_path / "j", "digest", True) as journal:
        replay(
            actions, cluster, cluster.clock, journal, 0.25, True,
            lambda action, done: moments.append((action.at_s, cluster.clock.monotonic_s() - start_s)),
        )  # fmt: skip
    first = actions[0].at_s
    assert [at for at, _ in moments] == [action.at_s for action in actions]
    assert [waited for _, waited in moments] == pytest.approx(
        [(at - first) * 4.0 for at, _ in moments], abs=1.5
    )  # a try again waits a second
    asked = actions[-1].allocation["zone-1"][0]
    assert cluster.read().workloads[0].ceiling.cpu_cores == pytest.approx(asked, abs=1e-3)


def test_each_action_is_done_once_however_often_it_is_interrupted(episode: Recording, tmp_path: Path) -> None:
    cluster, actions, path = Counting(), actions_of(episode), tmp_path / "j"
    for stop_after in (1, 3, 99):
        count = [0]
        with Journal(path, "digest", True) as journal:
            new = [action.number for action in actions if action.number not in journal.done]

            def told(action: Action, done: Any, new: list[int] = new, count: list[int] = count) -> None:
                count[0] += action.number in new

            replay(
                actions, cluster, cluster.clock, journal, 1.0, True, told,
                lambda count=count, stop_after=stop_after: count[0] >= stop_after,
            )  # fmt: skip
    lines = [json.loads(line) for line in path.read_text().splitlines()][1:]
    assert [line["action"] for line in lines if line["mark"] == "done"] == [action.number for action in actions]
    assert len(cluster.written) == sum(
        one["receipts"][0]["result"] == "written" for one in lines if one["mark"] == "done"
    )


def test_a_crash_between_the_write_and_its_receipt_writes_nothing_twice(episode: Recording, tmp_path: Path) -> None:
    cluster, actions, path = Counting(), actions_of(episode), tmp_path / "j"
    with Journal(path, "digest", True) as journal:
        journal.begin(actions[0].number)
        replay(actions[:1], cluster, cluster.clock, journal, 1.0, True)
    content = path.read_text().splitlines(keepends=True)
    path.write_text("".join(content[:-1]) + '{"action":0,"ma')  # its receipt was lost, and a line cut off
    before = len(cluster.written)
    with Journal(path, "digest", True) as journal:
        assert journal.begun == {0}
        assert replay(actions[:1], cluster, cluster.clock, journal, 1.0, True) == {"unchanged": 1}
    assert len(cluster.written) == before


def test_what_fails_for_a_moment_is_tried_again(episode: Recording, tmp_path: Path) -> None:
    cluster, actions = Counting(), actions_of(episode)
    cluster.faults.reading = UnavailableError("away")
    waits = []

    class Clock(ManualClock):
        def wait_until(self, monotonic_s: float) -> None:
            super().wait_until(monotonic_s)
            waits.append(monotonic_s)
            if len(waits) == 3:
                cluster.faults.reading = None

    with Journal(tmp_path / "j", "digest", True) as journal:
        results = replay(actions[:1], cluster, Clock(), journal, 1.0, True)
    assert results.keys() <= {"written", "unchanged"}


def test_a_zone_that_is_not_there_is_a_receipt(episode: Recording, tmp_path: Path) -> None:
    cluster = Counting()
    with Journal(tmp_path / "j", "digest", True) as journal:
        actions = actions_of(episode, zones={"zone-1": "lobby"})[:1]
        assert replay(actions, cluster, cluster.clock, journal, 1.0, True) == {"refused": 1}
        assert journal.done[0].receipts[0]["code"] == "NotFound"


def test_a_journal_of_another_replay_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "one", True):
        pass
    for recording, apply in (("other", True), ("one", False)):
        with pytest.raises(ConfigurationError, match="another replay"):
            Journal(tmp_path / "j", recording, apply)


def test_the_command_replays_and_goes_on(episode: Recording, tmp_path: Path) -> None:
    file = save_recording(episode, tmp_path / "episode.npz")
    arguments = ["bridge", "replay", str(file), "--dry-run-cluster", "--speed", "1000", "--apply", "--json"]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["done"] == told["actions"] == len(actions_of(episode))
    assert json.loads(CliRunner().invoke(app, arguments).stdout) == told
    wrong = CliRunner().invoke(app, ["bridge", "replay", str(file)])
    assert (wrong.exit_code, "--namespace" in wrong.stderr) == (2, True)
