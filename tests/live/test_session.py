"""A session: time, choices, what is told, what is refused, and the same pictures for the same seed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError
from metaverse_env.live.archive import Archive
from metaverse_env.live.board import LASTING_S, Board
from metaverse_env.live.commands import (
    FASTEST,
    SLOWEST,
    Help,
    Inject,
    Pause,
    Quit,
    Record,
    Restart,
    Screenshot,
    Select,
    Speed,
    Step,
    SwitchPolicy,
    SwitchScenario,
    ToggleLayer,
)
from metaverse_env.live.controls import meaning
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation
from metaverse_env.recording import load_recording
from metaverse_env.rendering.interface import CONTROLS, KEYS, LAYERS, Message, MessageKind
from tests.live.conftest import Start
from tests.live.showing import terms

SIZE = (1280, 720)


def told(session: Session) -> list[str]:
    return [message.text for message in session.interface.messages]


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_first_tick_is_there_at_once_and_then_each_in_its_time(start: Start) -> None:
    session = start(ticks_per_s=2.0)
    ticks, phases = [], []
    for _ in range(8):
        assert session.advance(0.125)
        ticks.append(session.source.ticks)
        phases.append(session.phase)
    assert ticks == [1, 1, 1, 2, 2, 2, 2, 3]
    assert phases == [0.25, 0.5, 0.75, 0.0, 0.25, 0.5, 0.75, 0.0]
    assert session.frame(SIZE).phase == phases[-1]


def test_phases_by_hand(start: Start) -> None:
    session = start(ticks_per_s=1.0)
    session.advance(0.0)
    assert (session.source.ticks, session.phase) == (1, 0.0)
    session.advance(0.75)
    assert (session.source.ticks, session.phase) == (1, 0.75)
    session.advance(0.5)
    assert (session.source.ticks, session.phase) == (2, 0.25)
    session.advance(3.0)  # every tick that falls into it
    assert (session.source.ticks, session.phase) == (5, 0.25)


def test_a_paused_session_stands_still_and_says_that_nothing_changed(start: Start) -> None:
    session = start()
    session.advance(0.1)
    session.apply(Pause())
    assert session.advance(10.0)  # that it is paused is to be seen
    before = session.frame(SIZE)
    assert not session.advance(10.0)
    assert session.frame(SIZE).below is before.below
    assert session.source.ticks == 1
    session.apply(Pause())
    session.advance(1.0)
    assert session.source.ticks == 3


def test_a_step_pauses_and_lets_exactly_one_tick_pass(start: Start) -> None:
    session = start()
    session.advance(0.1)
    for ticks in (2, 3, 4):
        session.apply(Step())
        assert session.interface.paused
        session.advance(5.0)
        assert (session.source.ticks, session.phase) == (ticks, 1.0)


def test_speed_has_limits(start: Start) -> None:
    session = start()
    assert session.apply(Speed(SLOWEST))
    assert session.apply(Speed(FASTEST))
    for speed in (0.0, -1.0, float("nan"), float("inf"), 2 * FASTEST):
        assert not session.apply(Speed(speed))
    assert session.interface.ticks_per_s == FASTEST
    assert "must be from 0.0625 to 64" in told(session)[-1]
    for _ in range(20):
        session.press("+")
    assert session.interface.ticks_per_s == FASTEST
    for _ in range(20):
        session.press("-")
    assert session.interface.ticks_per_s == SLOWEST


def test_a_session_cannot_be_made_with_a_speed_that_it_cannot_have(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="speed = 100 ticks per second"):
        start(ticks_per_s=100.0)


# --- the same again ---------------------------------------------------------------------------------------------------


def act(session: Session) -> list[Any]:
    """Live through everything, and return what was shown."""
    shown = []
    script = {
        5: Inject("flash_crowd", 1),
        9: Select(1),
        12: Inject("node_failure"),
        20: SwitchPolicy("threshold"),
        31: Step(),
        33: Pause(),
        40: SwitchScenario("single_zone"),
        46: Restart(),
    }
    for picture in range(60):
        if picture in script:
            session.apply(script[picture])
        session.advance(1.0 / 8.0)
        shown.append(session.frame(SIZE))
    return shown


def test_the_same_seed_and_commands_give_the_same_scenes(start: Start) -> None:
    def shapes(seed: int) -> list[Any]:
        return [(scene.shapes, scene.hits, scene.phase) for scene in act(start(seed=seed, ticks_per_s=4.0))]

    first = shapes(3)
    assert first == shapes(3)
    assert first != shapes(4)


def test_looking_changes_nothing(start: Start) -> None:
    watched, alone = start(seed=5), start(seed=5)
    for _ in range(10):
        for session in (watched, alone):
            session.advance(0.4)
        for size in (SIZE, (1920, 1080), (960, 540)):
            watched.frame(size)
            watched.frame(size, controls=False, any_script=True)
    states = [session.source.shell.world.state.zones for session in (watched, alone)]
    assert states[0].tobytes() == states[1].tobytes()


def test_a_scene_is_described_once_however_often_it_is_asked_for(start: Start) -> None:
    session = start()
    session.advance(0.1)
    one = session.frame(SIZE)
    session.advance(0.1)
    other = session.frame(SIZE)
    assert one.phase != other.phase
    assert one.below is other.below
    assert one.dots is other.dots
    session.apply(Select(0))
    assert session.frame(SIZE).below is not other.below


def test_a_picture_that_is_too_small_is_refused(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="needs at least 960 x 540"):
        start().frame((320, 200))


# --- choices ----------------------------------------------------------------------------------------------------------


def test_zones_are_selected_in_turn(start: Start) -> None:
    session = start(zones=3)
    seen = []
    for key in ("Tab", "ArrowRight", "ArrowDown", "Tab", "Shift+Tab", "ArrowLeft", "ArrowUp", "Escape"):
        assert session.press(key)
        seen.append(session.interface.selected)
    assert seen == [0, 1, 2, 0, 2, 1, 0, None]
    assert not session.apply(Select(3))
    assert told(session)[-1] == "there is no zone 3; give 0 to 2"


def test_escape_closes_the_help_then_the_panel_then_all(start: Start) -> None:
    session = start()
    session.apply(Select(1))
    session.press("h")
    session.press("Escape")
    assert (session.interface.help, session.interface.selected, session.ended) == (False, 1, False)
    session.press("Escape")
    assert (session.interface.selected, session.ended) == (None, False)
    session.press("Escape")
    assert session.ended
    assert session.over


def test_a_click_on_a_zone_selects_it_and_a_second_one_lets_it_go(start: Start) -> None:
    session = start()
    session.advance(0.1)
    hits = [hit for hit in session.frame(SIZE).hits if hit.name == "zone" and hit.zone == 2]
    x, y = hits[0].x + hits[0].width / 2, hits[0].y + 3.0
    assert session.click(x, y, SIZE)
    assert session.interface.selected == 2


def test_buttons_do_what_their_keys_do(start: Start) -> None:
    session = start()
    session.advance(0.1)
    for hit in session.frame(SIZE).hits:
        assert hit.name == "zone" or hit.name.startswith("layer:") or hit.name in {one.name for one in CONTROLS}


def test_every_key_means_something(start: Start) -> None:
    session = start()
    for name in KEYS.values():
        assert meaning(name, session) is not None
    assert not session.press("F5")
    assert not session.press("")


def test_layers_come_and_go(start: Start) -> None:
    session = start()
    for place, layer in enumerate(LAYERS, 1):
        session.press(str(place))
        assert not session.interface.shows(layer)
        session.apply(ToggleLayer(layer))
        assert session.interface.shows(layer)
    assert not session.apply(ToggleLayer("user"))
    assert "Did you mean 'users'" in told(session)[-1]


def test_photos_films_help_and_the_end_are_noted(start: Start) -> None:
    session = start()
    session.apply(Screenshot())
    session.apply(Screenshot())
    assert [session.take_photo() for _ in range(3)] == [True, True, False]
    session.apply(Record())
    assert session.interface.recording
    session.apply(Record())
    assert not session.interface.recording
    session.apply(Help())
    assert session.interface.help
    session.apply(Quit())
    assert session.ended


# --- who decides, and where -------------------------------------------------------------------------------------------


def test_policies_change_while_the_world_goes_on(start: Start) -> None:
    session, alone = start(seed=2), start(seed=2)
    for one in (session, alone):
        one.advance(2.0)
    session.apply(SwitchPolicy("threshold"))
    users = [one.source.shell.telemetry.users.copy() for one in (session, alone)]
    assert (users[0] == users[1]).all()
    assert session.interface.policy == session.policy == "threshold"
    for one in (session, alone):
        one.advance(30.0)
    allocations = [one.source.shell.telemetry.allocation for one in (session, alone)]
    assert not np.array_equal(*allocations)


def test_a_policy_that_there_is_not_is_refused_and_the_old_one_decides_on(start: Start) -> None:
    session = start()
    assert not session.apply(SwitchPolicy("treshold"))
    assert "Did you mean 'threshold'" in told(session)[-1]
    assert session.policy == "static"
    session.advance(3.0)
    assert not session.interface.paused


def test_the_control_for_policies_goes_round_and_leaves_out_what_cannot_run(start: Start) -> None:
    session = start()
    session.policies = ("static", "no_such_module:Policy", "hold")
    session.press("p")
    assert session.policy == "static"
    session.press("p")
    assert session.policy == "hold"
    session.press("p")
    assert session.policy == "static"


def test_a_policy_that_fails_pauses_the_session_and_another_one_goes_on(start: Start) -> None:
    session = start(policy="tests.live.broken:Broken")
    session.advance(5.0)
    assert session.interface.paused
    assert session.source.ticks == 2
    assert "Broken.act failed at tick 2" in told(session)[-1]
    assert "a bug in the policy" in told(session)[-1]
    session.apply(SwitchPolicy("hold"))
    session.apply(Pause())
    session.advance(1.0)  # the tick that failed, and two
    assert session.source.ticks == 5


def test_another_scenario_starts_anew_with_the_same_seed(start: Start) -> None:
    session, other = start(seed=7), start(seed=7, name="complex")
    session.advance(3.0)
    session.apply(Select(2))
    assert session.apply(SwitchScenario("complex"))
    assert (session.source.ticks, session.interface.selected, session.scenario) == (0, None, "complex")
    assert session.interface.scenario == "complex"
    assert len(session.snapshot.zones) == 30
    assert session.snapshot.time_s != other.snapshot.time_s or session.snapshot.zones != other.snapshot.zones
    assert not session.apply(SwitchScenario("nowhere"))
    assert session.scenario == "complex"
    session.press("s")
    assert session.scenario == "single_zone"


def test_a_restart_is_the_same_episode(start: Start) -> None:
    session = start(seed=7)
    session.advance(2.0)
    before = session.snapshot
    session.apply(Restart())
    assert session.source.ticks == 0
    session.advance(2.0)
    assert replace(session.snapshot, trail=before.trail) == before


# --- disturbances -----------------------------------------------------------------------------------------------------


def test_a_flash_crowd_comes_to_the_selected_zone_or_to_the_fullest(start: Start) -> None:
    session = start()
    session.advance(0.1)
    fullest = int(np.argmax([zone.users for zone in session.snapshot.zones]))
    session.press("f")
    names = session.source.shell.world.zones.names
    assert told(session)[-1] == f"a flash crowd comes to {names[fullest]}"
    other = (fullest + 1) % 3
    session.apply(Select(other))
    session.press("f")
    assert told(session)[-1] == f"a flash crowd comes to {names[other]}"
    assert (session.source.shell.world.state.zones["event_stage"][0, [fullest, other]] == 1).all()
    session.press("f")
    assert "has an event or a flash crowd already" in told(session)[-1]


def test_a_node_fails_and_the_same_key_brings_it_back(start: Start) -> None:
    session = start()
    session.apply(Select(2))  # on the second node
    session.press("x")
    assert told(session)[-1] == "node-2 fails"
    session.advance(0.1)
    assert [zone.down for zone in session.snapshot.zones] == [False, False, True]
    session.press("x")
    assert told(session)[-1] == "node-2 is given back"
    session.advance(1.0)
    assert not any(zone.down for zone in session.snapshot.zones)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Inject("meteorite"), "unknown injection 'meteorite'"),
        (Inject("flash_crowd", 3), "there is no zone 3"),
        (Inject("node_failure", 2), "there is no node 2"),
        (Inject("node_failure", -1), "there is no node -1"),
    ],
)
def test_what_cannot_be_injected_is_refused_in_words(start: Start, command: Inject, words: str) -> None:
    session = start()
    assert not session.apply(command)
    assert words in told(session)[-1]
    assert not session.interface.messages[-1].ok


# --- what is told -----------------------------------------------------------------------------------------------------


def test_the_ticker_tells_what_was_asked_of_the_cluster(start: Start) -> None:
    session = start(policy="threshold")
    session.advance(10.0)
    sent = [message for message in session.interface.messages if message.kind == "simulated"]
    assert sent
    assert sent[0].text.startswith("zone-")
    assert " to " in sent[0].text


def test_what_is_remembered_is_bounded(start: Start) -> None:
    session = start(zones=1, policy="threshold", ticks_per_s=64.0)
    for index in range(300):
        session.note(f"note {index} " + "x" * 2000)
    session.advance(20.0)
    assert session.source.ticks > 1000
    assert len(session.interface.messages) <= 64
    assert max(map(len, told(session))) <= 301
    assert len(session.snapshot.trail.rewards) <= 960


def test_a_restart_and_another_scenario_keep_a_file_for_each_episode(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "ep.npz")
    (tmp_path / "ep-2.npz").write_text("somebody's")
    session = Session(Simulation(terms(), archive=archive), ticks_per_s=1.0)
    session.advance(3.0)
    assert session.apply(Restart())
    assert f"the episode before is kept in {tmp_path / 'ep.npz'}" in told(session)[-1]
    session.advance(1.5)
    session.apply(SwitchScenario("single_zone"))
    session.apply(Restart())  # no tick has passed: nothing to keep
    session.advance(0.5)
    assert isinstance(session.source, Simulation)
    session.source.put_away()
    assert session.source.put_away() is None  # saved once
    assert [path.name for path, _ in archive.files] == ["ep.npz", "ep-3.npz", "ep-4.npz"]
    assert (
        [load_recording(path).ticks for path, _ in archive.files] == [ticks for _, ticks in archive.files] == [4, 2, 1]
    )
    assert (tmp_path / "ep-2.npz").read_text() == "somebody's"


@pytest.mark.parametrize(("name", "words"), [("a.json", "ends with .npz"), ("folder.npz", "is a folder")])
def test_an_archive_is_checked_before_anything_runs(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ConfigurationError, match=words):
        Archive(tmp_path / name)


def test_answers_stay_to_be_read_however_fast_time_goes(start: Start) -> None:
    session = start(zones=3, policy="threshold", ticks_per_s=64.0)
    session.advance(1.0)
    session.note("what was asked for", ok=False)
    for _ in range(40):
        session.advance(0.1)  # 256 ticks, of which many tell what the controller asked for
        assert "what was asked for" in [message.text for message in session.interface.board]
    assert len([message for message in session.interface.messages if message.kind == "simulated"]) > 5


def test_the_board_keeps_what_matters_and_fills_up_with_the_rest() -> None:
    board = Board()

    def line(text: str, kind: MessageKind) -> Message:
        return Message(0.0, kind, text)

    def shown() -> str:
        return " ".join(message.text for message in board.lines)

    board.tell([line(f"r{n}", "simulated") for n in range(9)], 0.0)
    assert shown() == "r4 r5 r6 r7 r8"
    board.tell([line("e1", "event"), line("n1", "note")], 0.0)
    board.tell([line("r9", "simulated")], 0.0)
    assert shown() == "r7 r8 e1 n1 r9"
    board.tell([line("e2", "event"), line("e3", "event")], 1.0)
    assert shown() == "r8 e1 n1 r9 e2"  # nobody has read the others yet
    board.tell([line("n2", "note")], 2.0)
    assert shown() == "r8 n1 r9 e2 n2"  # an answer comes before an event
    board.tell([line("n3", "note"), line("n4", "note")], 2.0)
    assert shown() == "r8 r9 n2 n3 n4"
    board.tell([line("e4", "event")], 2.0 + LASTING_S)
    assert shown() == "r8 r9 n3 n4 e4"
    alarm = Message(0.0, "event", "a1", ok=False)
    board.tell([line("e5", "event"), alarm], 3.0 + LASTING_S)
    assert shown() == "r8 r9 e4 e5 a1"  # e4 has not been read; answers have
    board.tell([Message(0.0, "server", "f1", ok=False)], 3.0 + LASTING_S)
    assert shown() == "r8 r9 e5 a1 f1"  # trouble comes before what is none
    board.tell([line("n4", "note")], 20.0)
    assert shown() == "r8 r9 a1 f1 n4"
    board.tell([line("n4", "note")], 20.0)  # said again: once is enough
    assert shown() == "r8 r9 a1 f1 n4"


def test_a_lost_node_is_told_in_one_line_with_its_zones(start: Start) -> None:
    session = start(zones=4)
    session.advance(0.1)
    session.apply(Inject("node_failure", 1))
    session.advance(0.5)
    assert told(session)[-1] == "node-2 is lost, and down with it: zone-3 and zone-4"
    assert session.interface.board[-1].text == told(session)[-1]


def test_a_crowd_is_seen_in_the_tick_after_the_key(start: Start) -> None:
    session = start()
    session.advance(0.1)
    session.apply(Inject("flash_crowd", 1))
    session.advance(0.5)
    assert session.snapshot.zones[1].crowded
    assert told(session)[-1] == "zone-2 draws a crowd: arrivals grow"
    words = [text.text for text in session.frame(SIZE).texts]
    assert "CROWD" in words
    assert "crowd comes" in words


def test_ticker_and_clock_are_of_the_same_tick(start: Start) -> None:
    session = start(policy="threshold", ticks_per_s=4.0)
    for _ in range(200):
        session.advance(0.07)
        if session.interface.messages:
            assert session.interface.messages[-1].time_s <= session.snapshot.time_s
            assert session.snapshot.time_s == session.source.shell.telemetry.weather["time_s"][0]
