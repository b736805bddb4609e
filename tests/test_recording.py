"""Recordings: what was lived is what the file says, and it can be lived again."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ActionError, ConfigurationError, PolicyError
from metaverse_env.recording import (
    Origin,
    Recording,
    first_difference,
    load_recording,
    play,
    record,
    replay,
    save_recording,
)
from metaverse_env.recording.episode import LAYOUT
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick
from metaverse_env.traces import load_trace
from metaverse_env.wrapping import WorldWrapper
from metaverse_env.zones import ZoneGraph

TICKS = 15


class Doubling:
    """Doubles and halves by turns."""

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        self.up = True

    def act(self, view: View) -> Command:
        self.up, factor = not self.up, 2.0 if self.up else 0.5
        return Command.of(view.pending.allocation * factor, 0.1)


@pytest.fixture(scope="module")
def recording() -> Recording:
    shell = Shell("complex", 2, dynamics="physics", forecaster="none")
    return record(shell, Doubling(), [4, 9], TICKS, Origin("physics", policy="doubling"))


def test_holds_every_tick(recording: Recording) -> None:
    assert recording.ticks == TICKS
    for name, layout in LAYOUT.items():
        array = getattr(recording, name)
        assert array.dtype == layout
        assert len(array) == TICKS + (name in ("telemetry", "weather"))
    commands = recording.commands["allocation"]
    np.testing.assert_allclose(commands[0], 2.0 * recording.telemetry["pending"][0])
    np.testing.assert_allclose(commands[1], 0.5 * commands[0])
    assert (np.diff(recording.weather["time_s"], axis=0) == 15.0).all()


def test_the_first_telemetry_is_that_of_the_reset(recording: Recording) -> None:
    shell = Shell("complex", 2, dynamics="physics", forecaster="none")
    shell.reset([4, 9])
    assert shell.view.telemetry.zones.tobytes() == recording.telemetry[0].tobytes()


def test_a_file_gives_back_what_was_written(recording: Recording, tmp_path: Path) -> None:
    again = load_recording(save_recording(recording, tmp_path / "new" / "episode.npz"))
    assert first_difference(recording, again) is None
    for name in LAYOUT:
        np.testing.assert_array_equal(getattr(again, name), getattr(recording, name))
    assert (again.scenario, again.seeds, again.origin) == (recording.scenario, recording.seeds, recording.origin)
    assert again.zone_names == recording.zone_names


def test_the_file_needs_no_pickle(recording: Recording, tmp_path: Path) -> None:
    path = save_recording(recording, tmp_path / "episode.npz")
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {*LAYOUT, "about"}
        assert all(not file[name].dtype.hasobject for name in file.files)


def test_lived_again_everything_is_the_same(recording: Recording) -> None:
    assert replay(recording) is None


def test_what_users_said_is_lived_again_too() -> None:
    world = SimulatedWorld("multi_zone", intents=True)
    shell = Shell("multi_zone", forecaster="none", world=world)
    lived = record(shell, Doubling(), [2], TICKS)
    assert lived.origin.intents
    assert lived.telemetry["signals"].any()
    assert replay(lived) is None


def test_a_changed_command_is_found_out(recording: Recording) -> None:
    commands = recording.commands.copy()
    commands["allocation"][6, 1, 2, 0] *= 3.0
    difference = replay(replace(recording, commands=commands))
    assert difference is not None
    assert difference.tick == 7  # counted from the reset, tick 0: the seventh tick was asked for differently


def test_a_changed_outcome_is_found_where_it_is_and_within_tolerance_let_pass(recording: Recording) -> None:
    outcomes = recording.outcomes.copy()
    outcomes["latency_ms"][3, 0, 5] += 0.5
    changed = replace(recording, outcomes=outcomes)
    difference = first_difference(recording, changed)
    assert difference is not None
    assert difference[:3] == (4, "outcomes", "latency_ms")
    assert difference.largest == pytest.approx(0.5, abs=1e-4)
    assert first_difference(recording, changed, tolerance=0.6) is None
    outcomes["latency_ms"][3, 0, 5] = np.nan
    assert first_difference(recording, changed, tolerance=0.6) is not None


def test_users_of_a_trace_are_lived_again_too(tmp_path: Path) -> None:
    lines = ["time,lobby,arena", *(f"{60 * t},{10 + t % 7},{30 + t % 5}" for t in range(60))]
    path = tmp_path / "users.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    trace = load_trace(path).scaled(37.0)
    scenario = load_scenario("multi_zone").with_changes(episode_ticks=20)
    shell = Shell(scenario, dynamics="trace", forecaster="none", trace=trace)
    lived = record(shell, Doubling(), [1], 20, Origin("trace", str(path), trace.scale))
    assert lived.zone_names == ("lobby", "arena")
    assert replay(load_recording(save_recording(lived, tmp_path / "episode.npz"))) is None


class Wrong:
    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        pass

    def act(self, view: View) -> Command:
        return view.pending.allocation  # type: ignore[return-value]


def test_a_policy_that_returns_no_command_is_told() -> None:
    shell = Shell("single_zone", dynamics="physics", forecaster="none")
    with pytest.raises(ActionError, match=r"Wrong.act returned a ndarray.*Command.of"):
        next(play(shell, Wrong(), [0], 1))


class Failing(Wrong):
    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        raise KeyError("weights")


class Poisoned(Wrong):
    def act(self, view: View) -> Command:
        return Command.of(view.pending.allocation, np.nan)


def test_a_reset_that_raises_is_told_with_its_place() -> None:
    shell = Shell("single_zone", dynamics="physics", forecaster="none")
    with pytest.raises(PolicyError, match=r"Failing.reset failed in .*test_recording.py:\d+: KeyError: 'weights'"):
        next(play(shell, Failing(), [0], 1))


def test_a_command_that_the_world_refuses_is_told_with_its_tick_and_zone() -> None:
    shell = Shell("single_zone", dynamics="physics", forecaster="none")
    message = r"the command of Poisoned.act at tick 0: zone 'zone-1' \(world 0\): handover = nan share"
    with pytest.raises(ActionError, match=message):
        next(play(shell, Poisoned(), [0], 1))


class Stopwatch:
    """Notes whether it runs, and how often it was started."""

    running, started = False, 0

    def __enter__(self) -> None:
        self.running, self.started = True, self.started + 1

    def __exit__(self, *_: object) -> None:
        self.running = False


def test_what_a_policy_thinks_is_watched_and_the_world_is_not() -> None:
    watch, seen = Stopwatch(), []

    class Watched(Doubling):
        def act(self, view: View) -> Command:
            seen.append(("policy", watch.running))
            return super().act(view)

    class Watching(WorldWrapper):
        def step(self, command: Command) -> Tick:
            seen.append(("world", watch.running))
            return super().step(command)

    shell = Shell("single_zone", dynamics="physics", forecaster="none", wrap=Watching)
    assert len(list(play(shell, Watched(), [0], 3, thinking=watch))) == 3
    assert seen == [("policy", True), ("world", False)] * 3
    assert watch.started == 4  # its reset, and three decisions


def test_no_tick_is_no_recording() -> None:
    shell = Shell("single_zone", dynamics="physics", forecaster="none")
    with pytest.raises(ConfigurationError, match="at least 1 tick"):
        record(shell, Doubling(), [0], 0)


@pytest.mark.parametrize("content", [b"", b"users,2", b"PK\x03\x04 and then nothing"])
def test_what_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "episode.npz"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"episode.npz: is no recording"):
        load_recording(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.npz: there is no such file"):
        load_recording(tmp_path / "nowhere.npz")


def rewritten(path: Path, **changed: np.ndarray) -> Path:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **(arrays | changed))
    return path


def test_a_damaged_file_is_refused_with_the_place(recording: Recording, tmp_path: Path) -> None:
    path = save_recording(recording, tmp_path / "episode.npz")
    rewritten(path, rewards=recording.rewards[:-1])
    with pytest.raises(ConfigurationError, match=r"rewards has shape \(14, 2, 30\), expected \(15, 2, 30\)"):
        load_recording(path)


def test_another_format_is_refused(recording: Recording, tmp_path: Path) -> None:
    path = rewritten(save_recording(recording, tmp_path / "episode.npz"), about=np.array('{"format": 99}'))
    with pytest.raises(ConfigurationError, match="has format 99"):
        load_recording(path)


def test_objects_in_a_file_are_refused(recording: Recording, tmp_path: Path) -> None:
    path = save_recording(recording, tmp_path / "episode.npz")
    rewritten(path, commands=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ConfigurationError, match="is no recording"):
        load_recording(path)


def test_a_bomb_is_not_unpacked(recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_recording(recording, tmp_path / "episode.npz")
    with zipfile.ZipFile(path) as archive:
        size = sum(item.file_size for item in archive.infolist())
    monkeypatch.setattr("metaverse_env.recording.file.MAX_BYTES", size - 1)
    with pytest.raises(ConfigurationError, match=f"unpacks to {size} bytes"):
        load_recording(path)


def test_a_folder_that_cannot_be_is_refused(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot write the recording"):
        save_recording(recording, tmp_path / "file" / "episode.npz")
