"""What is sent of a picture: everything once, and then what has changed."""

import json
from typing import Any

import pytest

from benchmarks.live.pictures import Picture, draw
from metaverse_env.errors import ConfigurationError
from metaverse_env.live.commands import Pause, Select, Step, ToggleLayer
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from metaverse_env.rendering.wire import scene_to_json

SIZE = (1280, 720)


@pytest.fixture
def session() -> Session:
    return Session(Simulation(Terms("multi_zone", dynamics="physics", forecaster="none")))


def merged(shown: dict[str, Any], message: str) -> dict[str, Any]:
    """Return what a page has after a message: what is not named stays."""
    told = json.loads(message)
    return shown | told | {"layers": shown.get("layers", {}) | told["layers"]}


def test_what_a_page_has_is_the_scene_whatever_was_left_out(session: Session) -> None:
    scene: dict[str, Any]
    shown: dict[str, Any] = {}
    before: Picture | None = None
    steps = [Step(), Step(), Select(3), Step(), ToggleLayer("users"), Select(None), ToggleLayer("users"), Pause()]
    for number, command in enumerate(steps):
        session.apply(command)
        picture = draw(session, SIZE, before, number)
        shown, before = merged(shown, picture.message(before)), picture
        scene = json.loads(json.dumps(scene_to_json(picture.scene)))
        assert {name: shown[name] for name in scene} == scene
    assert shown["state"]["paused"] is False
    assert shown["phase_per_s"] == session.interface.ticks_per_s


def test_pictures_left_out_do_no_harm(session: Session) -> None:
    """A slow viewer is told what differs from what it has, not from what others have."""
    pictures: list[Picture] = []
    for number in range(6):
        session.apply(Step())
        pictures.append(draw(session, SIZE, pictures[-1] if pictures else None, number))
    first, last = pictures[0], pictures[-1]
    shown = merged(merged({}, first.message(None)), last.message(first))
    assert shown == merged({}, last.message(None))


def test_a_picture_that_says_nothing_new_is_the_same_picture(session: Session) -> None:
    session.advance(0.01)  # the first tick begins
    first = draw(session, SIZE, None, 0)
    session.advance(0.1)
    assert 0.1 < session.phase < 1.0
    assert draw(session, SIZE, first, 1) is first  # its dots have moved, by themselves
    session.apply(Pause(True))
    paused = draw(session, SIZE, first, 2)
    assert (paused.number, paused.phase_per_s, paused.state["paused"]) == (2, 0.0, True)
    session.advance(0.1)
    assert draw(session, SIZE, paused, 3) is paused
    session.apply(Step())
    assert draw(session, SIZE, paused, 4).number == 4


def test_a_message_is_made_once(session: Session) -> None:
    picture = draw(session, SIZE, None, 0)
    assert picture.message(None) is picture.message(None)


def test_a_picture_that_is_too_small_is_refused(session: Session) -> None:
    with pytest.raises(ConfigurationError, match="960 x 540"):
        draw(session, (100, 100), None, 0)
