"""An episode that was watched, with all that was done to it: recorded, lived again, and shown again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError
from metaverse_env.live.commands import Inject, Pause, Restart, SwitchPolicy, SwitchScenario
from metaverse_env.live.replaying import Replay
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation
from metaverse_env.recording import Injected, Recording, load_recording, replay, save_recording
from metaverse_env.simulator.injecting import Injection
from tests.live.conftest import Start
from tests.live.showing import terms


def lived(start: Start, seed: int = 5, **others: str) -> tuple[Session, Recording]:
    """Watch 24 ticks in which a crowd comes, a node fails and returns, and the policy changes."""
    session = start(zones=4, seed=seed, keep=True, ticks_per_s=1.0, policy="threshold", **others)
    script = {
        3: Inject("flash_crowd", 1),
        6: Inject("node_failure", 1),
        8: Inject("node_failure", 1),
        12: SwitchPolicy("static"),
    }
    session.advance(0.0)
    for tick in range(1, 24):
        if tick in script:
            assert session.apply(script[tick])
        session.advance(1.0)
    assert isinstance(session.source, Simulation)
    return session, session.source.recording()


def told(session: Session) -> list[str]:
    return [message.text for message in session.interface.messages]


def test_what_was_injected_is_part_of_the_recording(start: Start, tmp_path: Path) -> None:
    _, recording = lived(start)
    assert recording.ticks == 24
    assert recording.origin.policy == "threshold, then static"
    assert recording.origin.injections == (
        Injection("flash_crowd", 1, 3),
        Injection("node_failure", 1, 6),
        Injection("node_recovery", 1, 8),
    )
    assert recording.outcomes["down"][6, 0].tolist() == [0.0, 0.0, 1.0, 1.0]
    again = load_recording(save_recording(recording, tmp_path / "episode.npz"))
    assert again.origin == recording.origin


@pytest.mark.parametrize("dynamics", ["physics", "stgnn"])
def test_a_watched_episode_can_be_lived_again_to_the_last_bit(start: Start, dynamics: str) -> None:
    _, recording = lived(start, dynamics=dynamics)
    assert replay(recording) is None
    calm = replace(recording, origin=replace(recording.origin, injections=()))
    difference = replay(calm)
    assert difference is not None
    assert difference.tick == 4  # the tick after the third, in which the crowd begins to come


def test_a_replay_shows_what_was_recorded_tick_by_tick(start: Start, tmp_path: Path) -> None:
    _, recording = lived(start)
    source = Replay(save_recording(recording, tmp_path / "episode.npz"))
    session = Session(source, ticks_per_s=1.0)
    for tick in range(24):
        session.advance(float(tick > 0))
        assert source.step is not None
        assert source.step.tick.outcome.zones.tobytes() == recording.outcomes[tick].tobytes()
        assert source.step.tick.telemetry.zones.tobytes() == recording.telemetry[tick + 1].tobytes()
        assert source.step.reward.worlds.tobytes() == recording.world_rewards[tick].tobytes()
        shown = [zone.users for zone in session.snapshot.zones]
        assert shown == (recording.outcomes["users"] - recording.outcomes["dropped"])[tick, 0].tolist()
    assert not session.over  # the last tick is still to be seen
    session.advance(5.0)
    assert session.over
    assert source.ticks == 24
    assert (session.interface.source, session.interface.source_text) == ("replay", "episode.npz")
    assert (session.interface.state, session.interface.state_text) == ("ended", "the recording is over")
    assert session.policy == "threshold, then static"
    session.apply(Restart())
    assert session.interface.state == "live"
    session.advance(0.0)
    assert source.step.tick.outcome.zones.tobytes() == recording.outcomes[0].tobytes()


def test_the_picture_of_a_replay_is_that_of_the_episode(start: Start, tmp_path: Path) -> None:
    session, recording = lived(start)
    again = Session(Replay(save_recording(recording, tmp_path / "episode.npz")), ticks_per_s=1.0)
    again.advance(0.0)
    again.advance(23.0)
    assert again.snapshot.zones == session.snapshot.zones
    assert again.snapshot.nodes == session.snapshot.nodes
    assert again.snapshot.flows == session.snapshot.flows


def test_an_episode_that_departs_is_said_to(start: Start, tmp_path: Path) -> None:
    _, recording = lived(start)
    recording.outcomes["latency_ms"][9, 0, 2] += 25.0
    session = Session(Replay(save_recording(recording, tmp_path / "episode.npz")), ticks_per_s=1.0)
    session.advance(8.9)
    assert session.interface.state_text == ""
    session.advance(4.0)
    words = "lived again, it departs from the recording in tick 10: latency_ms"
    assert session.interface.state_text == words
    assert told(session).count(words) == 1


def test_what_is_recorded_is_not_to_be_changed(start: Start, tmp_path: Path) -> None:
    _, recording = lived(start)
    session = Session(Replay(save_recording(recording, tmp_path / "episode.npz")), ticks_per_s=1.0)
    for command in (SwitchPolicy("hold"), SwitchScenario("complex"), Inject("flash_crowd", 0)):
        assert not session.apply(command)
        assert "a recorded episode" in told(session)[-1]
    assert session.apply(Pause())


def test_one_world_of_several_is_shown(start: Start, tmp_path: Path) -> None:
    (_, one), (_, two) = lived(start, seed=5), lived(start, seed=6)
    arrays = {
        name: np.concatenate([getattr(one, name), getattr(two, name)], axis=1)
        for name in ("telemetry", "weather", "commands", "outcomes", "rewards", "world_rewards")
    }
    injections = (*one.origin.injections, *(replace(each, world=1) for each in two.origin.injections))
    both = replace(one, seeds=(5, 6), origin=replace(one.origin, injections=injections), **arrays)
    assert replay(both) is None
    path = save_recording(both, tmp_path / "both.npz")
    for world, alone in enumerate((one, two)):
        session = Session(Replay(path, world), ticks_per_s=1.0)
        session.advance(23.0)
        assert session.interface.state_text in ("", "the recording is over")
        assert session.source.step is not None
        assert session.source.step.tick.outcome.zones.tobytes() == alone.outcomes[23].tobytes()
    with pytest.raises(ConfigurationError, match="no world 2; it has 2, from 0 on"):
        Replay(path, 2)


def test_episodes_without_injections_are_read_as_before(start: Start, tmp_path: Path) -> None:
    session = start(keep=True)
    session.advance(3.0)
    assert isinstance(session.source, Simulation)
    recording = session.source.recording()
    assert recording.origin.injections == ()
    assert load_recording(save_recording(recording, tmp_path / "a.npz")).origin == recording.origin
    assert replay(recording) is None


def test_what_was_not_kept_cannot_be_recorded(start: Start) -> None:
    for session, words in ((start(), "was not kept"), (start(keep=True), "without a tick")):
        assert isinstance(session.source, Simulation)
        with pytest.raises(ConfigurationError, match=words):
            session.source.recording()


def test_an_injection_into_another_world_is_refused() -> None:
    world = Simulation(terms()).shell.world
    with pytest.raises(ConfigurationError, match="there is no world 1"):
        Injected(world, [Injection("flash_crowd", 0, 0, 1)])  # type: ignore[arg-type]
