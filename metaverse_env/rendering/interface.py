"""What whoever watches has chosen, and what the session tells of itself: all that a picture shows beside the world.

Window, browser and films share it: the keys and buttons of :data:`CONTROLS` mean the same everywhere, and the picture
draws what :class:`Interface` says. Nothing here knows how it came to be so.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

Source = Literal["simulation", "server", "cluster", "replay"]
SourceState = Literal["live", "waiting", "away", "ended"]
MessageKind = Literal["simulated", "dry-run", "real", "server", "note", "event"]

LAYERS: Final = ("users", "flows", "nodes", "activities", "forecast", "events", "curves", "ticker", "legend")
"""Parts of the picture that can be shown or hidden, in the order of the keys 1 to 9."""

MOST_MESSAGES: Final = 64
"""Messages that an interface remembers; the ticker shows the latest few. [choice]"""


class Message(NamedTuple):
    """One line of the ticker: what was sent to a cluster, or asked of a server.

    Attributes:
        time_s: When, s within the week; Monday 00:00 UTC is 0, as :attr:`.snapshot.Snapshot.time_s`.
        kind: Whether it was only simulated, tried, really sent to a cluster, or a call to a prediction server; a
            note of the session's own, such as what was injected, saved or refused; or what happened in the world.
        text: What was said, and what came of it.
        ok: Whether it came to pass; of what happened in the world, whether nobody suffers by it.
    """

    time_s: float
    kind: MessageKind
    text: str
    ok: bool = True


class Control(NamedTuple):
    """Something that whoever watches can do.

    Attributes:
        name: What a :class:`~metaverse_env.rendering.shapes.Hit` on its button says.
        keys: Names of its keys, as a browser's ``KeyboardEvent.key`` gives them (a window translates); the first one
            is shown.
        label: On its button; empty where there is none.
        help: What it does, for the help overlay.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str


CONTROLS: Final = (
    Control("pause", (" ",), "Pause", "pause, or go on"),
    Control("step", (".", "n"), "Step", "one tick, and pause"),
    Control("slower", ("-",), "−", "slower"),
    Control("faster", ("+", "="), "+", "faster"),
    Control("policy", ("p",), "Policy", "the next controller takes over"),
    Control("scenario", ("s",), "Scenario", "start the next scenario"),
    Control("crowd", ("f",), "Flash crowd", "a flash crowd comes to the selected zone, or to the fullest"),
    Control("fail", ("x",), "Node failure", "the node of the selected zone, or of the fullest, is lost or comes back"),
    Control("restart", ("0",), "Restart", "start the episode anew"),
    Control("screenshot", ("F12", "c"), "Photo", "save a screenshot"),
    Control("record", ("r",), "Record", "record a film, or end it"),
    Control("next_zone", ("Tab", "ArrowRight", "ArrowDown"), "", "select the next zone"),
    Control("previous_zone", ("Shift+Tab", "ArrowLeft", "ArrowUp"), "", "select the previous zone"),
    Control("unselect", ("Escape",), "", "close the help, then the zone's panel; with neither, end"),
    Control("help", ("h", "?"), "Help", "show or hide this help"),
    Control("quit", ("q",), "", "end"),
)
"""Every control but the layers, in the order of their buttons; the one table of keys."""

KEYS: Final = {
    **{key: control.name for control in CONTROLS for key in control.keys},
    **{str(place): f"layer:{layer}" for place, layer in enumerate(LAYERS, 1)},
}
"""Names of controls by key."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The choices and the state of a session.

    Attributes:
        paused: Whether time stands still.
        ticks_per_s: How fast it goes otherwise.
        selected: The zone whose details are shown, or ``None``.
        layers: Which of :data:`LAYERS` are shown.
        help: Whether the help overlay is open.
        controls: Whether buttons are drawn; a film has none.
        policy: Name of the controller; empty where it is not known.
        scenario: Name of what is played; that of the snapshot where it is empty.
        source: Where the world comes from.
        source_text: Which one: a URL, a cluster, a file.
        state: Whether that source answers.
        state_text: What it says of itself, such as why it does not answer.
        messages: What was told lately, the oldest first.
        board: Which of it the ticker shows, if somebody chose; the latest otherwise.
        recording: Whether a film is being written.
        any_script: Whether whoever draws has letters of all scripts, as a browser has; the window's font has not.
    """

    paused: bool = False
    ticks_per_s: float = 1.0
    selected: int | None = None
    layers: frozenset[str] = frozenset(LAYERS)
    help: bool = False
    controls: bool = False
    policy: str = ""
    scenario: str = ""
    source: Source = "simulation"
    source_text: str = ""
    state: SourceState = "live"
    state_text: str = ""
    messages: tuple[Message, ...] = ()
    board: tuple[Message, ...] = ()
    recording: bool = False
    any_script: bool = False

    def shows(self, layer: str) -> bool:
        """Tell whether a layer is shown."""
        return layer in self.layers

    @property
    def room(self) -> tuple[bool, bool, bool]:
        """Return what decides how much room zones have: a panel, buttons, a band below; see :func:`.layout.arrange`."""
        return self.selected is not None, self.controls, self.shows("legend") or self.shows("ticker")

    def toggled(self, layer: str) -> "Interface":
        """Return the interface with a layer of :data:`LAYERS` shown if it was hidden, and the reverse."""
        return replace(self, layers=self.layers ^ {layer})

    def told(self, *messages: Message, board: tuple[Message, ...] = ()) -> "Interface":
        """Return the interface after some more messages, and with what the ticker shows of all of them."""
        return replace(self, messages=(*self.messages, *messages)[-MOST_MESSAGES:], board=board)


UNTOUCHED: Final = Interface()
"""Nobody has chosen anything, as in a film."""
