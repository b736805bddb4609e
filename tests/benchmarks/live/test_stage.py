"""The stage: one thread owns the session; wishes wait in a bounded queue, and errors end it where somebody hears them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from benchmarks.live.messages import Press
from benchmarks.live.pictures import Picture
from benchmarks.live.stage import MOST_WAITING, Stage, understood
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.live.commands import Pause, Quit, Record, Screenshot, Select, Speed, SwitchPolicy, SwitchScenario
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms

SIZE = (960, 540)


@pytest.fixture
def session() -> Session:
    return Session(Simulation(Terms("single_zone", dynamics="physics", forecaster="none")))


@pytest.fixture
def stage(session: Session) -> Iterator[Stage]:
    found = Stage(session, lambda: None)
    yield found
    if found._thread.ident is not None:
        found.stop()


def wait(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_controls_mean_what_they_mean_in_a_window(session: Session) -> None:
    assert understood(Press("pause"), session) == Pause()
    assert understood(Press("zone", 0), session) == Select(0)
    assert understood(Press("faster"), session) == Speed(2.0 * session.interface.ticks_per_s)
    assert understood(Press("quit"), session) == understood(Quit(), session) == Quit()


def test_closing_a_panel_that_another_viewer_closed_ends_nothing(session: Session) -> None:
    assert understood(Press("unselect"), session) is None


def test_names_that_the_session_does_not_offer_are_for_its_owner(session: Session) -> None:
    for name in ("os:system", "tests.bad:Policy", ""):
        with pytest.raises(UnknownNameError, match="unknown policy"):
            understood(SwitchPolicy(name), session)
    for name in ("/etc/hostname", "nowhere.toml"):
        with pytest.raises(UnknownNameError, match="unknown scenario"):
            understood(SwitchScenario(name), session)
    assert understood(SwitchPolicy(session.policies[-1]), session) == SwitchPolicy(session.policies[-1])
    with pytest.raises(UnknownNameError, match="unknown control"):
        understood(Press("explode"), session)


def test_pages_take_their_own_pictures(session: Session) -> None:
    for command in (Screenshot(), Record(), Press("screenshot"), Press("record")):
        with pytest.raises(ConfigurationError, match="its own screenshots and films"):
            understood(command, session)


def test_it_draws_for_who_waits_and_not_for_others(stage: Stage) -> None:
    stage.wanted = {SIZE: True, (1280, 720): False, (1, 1): True}
    stage.start()
    wait(lambda: SIZE in stage.pictures)
    assert (1280, 720) not in stage.pictures
    assert "needs at least" in str(stage.pictures[1, 1])
    stage.wanted = {(1280, 720): True}
    wait(lambda: (1280, 720) in stage.pictures)
    wait(lambda: SIZE not in stage.pictures)


def test_a_viewer_that_does_not_draw_keeps_its_last_picture(stage: Stage, session: Session) -> None:
    session.apply(Speed(64.0))
    stage.wanted = {SIZE: True}
    stage.start()
    wait(lambda: SIZE in stage.pictures)
    stage.wanted = {SIZE: False}
    time.sleep(0.1)
    kept = stage.pictures[SIZE]
    ticks = session.source.ticks
    wait(lambda: session.source.ticks > ticks + 5)
    assert stage.pictures[SIZE] is kept
    stage.wanted = {SIZE: True}
    wait(lambda: stage.pictures[SIZE] is not kept)
    assert isinstance(stage.pictures[SIZE], Picture)


def test_more_wishes_than_have_room_are_refused_at_once(stage: Stage) -> None:
    taken = [stage.ask(Pause(True), lambda why: None) for _ in range(MOST_WAITING + 1)]
    assert taken == [True] * MOST_WAITING + [False]


def test_refusals_come_back_and_the_session_goes_on(stage: Stage, session: Session) -> None:
    reasons: list[str] = []
    stage.start()
    assert stage.ask(Press("explode"), reasons.append)
    wait(lambda: reasons)
    assert "unknown control 'explode'" in reasons[0]
    assert stage.ask(Pause(True), reasons.append)
    wait(lambda: session.interface.paused)
    assert len(reasons) == 1


def test_the_end_of_the_session_is_the_end_of_the_stage(stage: Stage) -> None:
    stage.start()
    stage.ask(Quit(), lambda why: None)
    wait(lambda: stage.ended)
    assert stage.error is None


def test_it_ends_after_the_time_that_was_asked_for(session: Session) -> None:
    told = threading.Event()
    stage = Stage(session, told.set, seconds=0.2)
    stage.start()
    assert told.wait(60.0)
    assert stage.ended
    stage.stop()


def test_an_error_is_kept_for_who_waits_for_the_end(session: Session) -> None:
    told = threading.Event()
    stage = Stage(session, told.set)
    session.source.shell = None  # type: ignore[assignment]  a bug
    session.phase = 1.0
    stage.start()
    assert told.wait(60.0)
    assert stage.ended
    assert isinstance(stage.error, AttributeError)
    stage.stop()
