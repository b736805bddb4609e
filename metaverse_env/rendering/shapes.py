"""The vocabulary of a picture: a few shapes, where it can be clicked, and the scene that holds them.

A :class:`Scene` is a description that can be compared, measured and stored; :mod:`.viewer` turns it into pixels.
Nothing here knows what a zone is or how to draw. Positions and lengths are pixels of the picture, x to the right, y
down; colours are names of :data:`~metaverse_env.rendering.colours.COLOURS`. Shapes are plain tuples, for a picture has
a thousand of them.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from metaverse_env.rendering.dots import NO_DOTS, Dots
from metaverse_env.rendering.lettering import text_width

Align = Literal["left", "middle", "right"]


class Circle(NamedTuple):
    """A disc; filled, outlined (inwards) or both."""

    x: float
    y: float
    radius: float
    fill: str | None = None
    edge: str | None = None
    thickness: float = 1.0


class Rectangle(NamedTuple):
    """A rectangle from its top left corner; filled, outlined (inwards) or both."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    edge: str | None = None
    thickness: float = 1.0
    corner: float = 0.0


class Line(NamedTuple):
    """A line through two or more points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    thickness: float = 1.0


class Polygon(NamedTuple):
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


class Text(NamedTuple):
    """One line of text; ``x`` is where ``align`` says, ``y`` its middle, ``size`` its height."""

    x: float
    y: float
    text: str
    size: int
    colour: str = "ink"
    align: Align = "left"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, by :func:`text_width`."""
        width = text_width(self.text, self.size)
        left = self.x - {"left": 0.0, "middle": width / 2, "right": width}[self.align]
        return left, self.y - self.size / 2, left + width, self.y + self.size / 2


Shape = Circle | Rectangle | Line | Polygon | Text


class Hit(NamedTuple):
    """A rectangle that can be clicked.

    Attributes:
        x: Left, px.
        y: Top, px.
        width: Its extent to the right, px.
        height: Its extent downwards, px.
        name: Of a control of :data:`.interface.CONTROLS`, ``"layer:NAME"``, or ``"zone"``.
        zone: Which zone, by its index; -1 for what is none.
    """

    x: float
    y: float
    width: float
    height: float
    name: str
    zone: int = -1


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: shapes in the order in which they are painted, on ``paper``.

    Attributes:
        width: Of the picture, px.
        height: The same.
        ground: Shapes painted first; they change only with the layout or the interface.
        below: Shapes painted over them; they change with every tick.
        dots: Moving users, painted over those.
        above: Shapes painted last.
        hits: What can be clicked; later ones lie above earlier ones.
        phase: Where between the last tick (0) and this one (1) the dots are.
    """

    width: int
    height: int
    ground: tuple[Shape, ...]
    below: tuple[Shape, ...] = ()
    dots: Dots = NO_DOTS
    above: tuple[Shape, ...] = ()
    hits: tuple[Hit, ...] = ()
    phase: float = 1.0

    def at(self, phase: float) -> "Scene":
        """Return the same tick at another moment; costs nothing, since all motion is described."""
        return replace(self, phase=phase)

    def hit(self, x: float, y: float) -> Hit | None:
        """Return what a click at a place of the picture means, or ``None``."""
        for hit in reversed(self.hits):
            if hit.x <= x < hit.x + hit.width and hit.y <= y < hit.y + hit.height:
                return hit
        return None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """All shapes in order, without the dots."""
        return self.ground + self.below + self.above

    @property
    def texts(self) -> tuple[Text, ...]:
        """The texts alone, in order."""
        return tuple(shape for shape in self.shapes if isinstance(shape, Text))
