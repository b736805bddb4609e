"""Pictures on their way: what is sent of one, when another one was sent before.

A picture is sent when a tick is over, or somebody chose something; what moves in between, moves by the page's own clock
from what it was told of the tick (:mod:`metaverse_env.rendering.wire`). What is sent grows with ticks and choices, not
with frames, and nothing is sent while time stands still.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.live.sentence import sentence
from metaverse_env.live.session import Session
from metaverse_env.rendering.shapes import Scene
from metaverse_env.rendering.wire import changes, scene_to_json

Size = tuple[int, int]

_PARTS: Final = ("ground", "below", "dots", "above", "hits")
"""Of a scene; objects that stay the same from one moment of a tick to the next."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A scene, and what a page says and does beside it.

    Attributes:
        number: Counts up; a page answers with it.
        scene: What is drawn, at the moment of its phase.
        phase_per_s: How fast its dots move.
        state: What buttons and screen readers tell.
    """

    number: int
    scene: Scene
    phase_per_s: float
    state: dict[str, Any]
    _messages: dict[int, str] = field(default_factory=dict)

    def message(self, before: "Picture | None") -> str:
        """Return it as JSON, without what equals the picture that was sent before; many viewers share the work."""
        key = -1 if before is None else before.number
        if key not in self._messages:
            told = scene_to_json(self.scene) if before is None else _changed(self.scene, before.scene)
            told |= {"number": self.number, "phase_per_s": self.phase_per_s, "state": self.state}
            self._messages[key] = json.dumps(told, separators=(",", ":"))
        return self._messages[key]


def draw(session: Session, size: Size, before: Picture | None, number: int) -> Picture:
    """Describe what a session shows now; return the picture before, if nothing else is to be said.

    Args:
        session: What is shown.
        size: Of the picture, px.
        before: The last one of this size.
        number: Of a new one; none has had it, whatever its size.

    Raises:
        ConfigurationError: The picture is too small for its texts.
    """
    scene = session.frame(size, controls=True, any_script=True)
    pace = _pace(session)
    if before is not None and _still(scene, pace, before):
        return before
    picture = Picture(number, scene, pace, _state(session))
    return before if before is not None and _equal(picture, before) else picture


def _still(scene: Scene, pace: float, before: Picture) -> bool:
    """Tell whether a scene is the one before, whose dots may have moved on by themselves."""
    shown = before.scene
    same = all(getattr(scene, part) is getattr(shown, part) for part in _PARTS)
    return same and pace == before.phase_per_s and (pace > 0.0 or scene.phase == shown.phase)


def _equal(picture: Picture, before: Picture) -> bool:
    """Tell whether a picture that was described anew says nothing new."""
    scene, shown = picture.scene, before.scene
    return (
        (picture.phase_per_s, picture.state, scene.phase) == (before.phase_per_s, before.state, shown.phase)
        and scene.dots is shown.dots
        and all(getattr(scene, part) == getattr(shown, part) for part in _PARTS if part != "dots")
    )


def _pace(session: Session) -> float:
    """Return how fast dots move: ticks per second of whoever watches."""
    if session.interface.paused:
        return 0.0
    return 1.0 / session.snapshot.tick_s if session.source.paced else session.interface.ticks_per_s


def _state(session: Session) -> dict[str, Any]:
    shown = session.interface
    return {
        "paused": shown.paused,
        "selected": shown.selected,
        "layers": sorted(shown.layers),
        "sentence": sentence(session.snapshot, shown),
    }


def _changed(scene: Scene, before: Scene) -> dict[str, Any]:
    told = changes(scene, before)
    del told["colours"]  # never change
    if scene.hits == before.hits:
        del told["hits"]
    return told
