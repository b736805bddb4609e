"""The state in words, for who cannot see the picture."""

from benchmarks.live.sentence import sentence
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.snapshot import Snapshot, Trail, ZoneSnapshot

ONES = (1.0, 1.0, 1.0)


def zone(name: str, latency_ms: float = 40.0, change: float = 1.0, down: bool = False) -> ZoneSnapshot:
    return ZoneSnapshot(name, 12.0, latency_ms, ONES, ONES, ONES, change=(change, 1.0, 1.0), down=down)


def world(*zones: ZoneSnapshot) -> Snapshot:
    return Snapshot("some", "", 0.0, 15.0, 100.0, (), zones, None, Trail())


def test_who_suffers_and_what_was_done() -> None:
    said = sentence(world(zone("quiet"), zone("広場", 250.0, change=1.5)), Interface())
    suffers, done = said.split(". ", 1)
    assert "広場 250 ms" in suffers
    assert "quiet" not in suffers
    assert done.startswith("Controller: more for")
    assert said.endswith(".")


def test_a_pause_the_selected_zone_and_a_source_that_is_away() -> None:
    shown = Interface(paused=True, selected=1, source="server", state="away", state_text="no answer since 12 s")
    said = sentence(world(zone("a"), zone("b", 90.0)), shown)
    assert said.startswith("The server is away: no answer since 12 s. Paused. No zone ")
    assert said.endswith("Selected: b, 12 users, 90 ms, close to the objective.")


def test_a_zone_that_is_down() -> None:
    assert sentence(world(zone("a", down=True)), Interface(selected=0)).endswith(
        "Selected: a, 12 users, DOWN, serves nobody."
    )
