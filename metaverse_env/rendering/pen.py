"""A pen: collects shapes that are given in the lengths of a design, moved and enlarged to where they stand."""

from math import sqrt

from metaverse_env.rendering.lettering import fitted, text_width
from metaverse_env.rendering.shapes import Align, Circle, Line, Polygon, Rectangle, Shape, Text

Points = tuple[tuple[float, float], ...]


class Pen:
    """Collects shapes.

    Args:
        shapes: Receives them, in the order of painting.
        x: Where the design's left edge stands, px.
        y: The same of its upper edge.
        scale: Enlargement of the design.
    """

    def __init__(self, shapes: list[Shape], x: float = 0.0, y: float = 0.0, scale: float = 1.0) -> None:
        self.shapes, self.x, self.y, self.scale = shapes, x, y, scale
        self._thicker = sqrt(scale)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: str | None = None,
        edge: str | None = None,
        thickness: float = 1.0,
    ) -> None:
        """Add a disc."""
        scale = self.scale
        place = self.x + x * scale, self.y + y * scale, radius * scale
        self.shapes.append(Circle(*place, fill, edge, self._stroke(thickness)))

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        edge: str | None = None,
        thickness: float = 1.0,
        corner: float = 0.0,
    ) -> None:
        """Add a rectangle."""
        scale = self.scale
        place = self.x + x * scale, self.y + y * scale, width * scale, height * scale
        self.shapes.append(Rectangle(*place, fill, edge, self._stroke(thickness), corner * scale))

    def line(self, points: Points, colour: str, thickness: float = 1.0) -> None:
        """Add a line."""
        self.shapes.append(Line(self._moved(points), colour, self._stroke(thickness)))

    def polygon(self, points: Points, fill: str) -> None:
        """Add a filled polygon."""
        self.shapes.append(Polygon(self._moved(points), fill))

    def triangle(self, x: float, y: float, half: float, up: bool, fill: str) -> None:
        """Add a triangle that points up or down, around its middle."""
        tip, base = (y - half, y + half) if up else (y + half, y - half)
        self.polygon(((x - half, base), (x + half, base), (x, tip)), fill)

    def pointer(self, x: float, y: float, half: float, fill: str) -> None:
        """Add a triangle that points to the right, around its middle."""
        self.polygon(((x - half, y - half), (x - half, y + half), (x + half, y)), fill)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = "ink",
        align: Align = "left",
        room: float | None = None,
    ) -> float:
        """Add a text, shortened to ``room``; return how wide it is in the design."""
        pixels = self.pixels(size)
        shown = text if room is None else fitted(text, pixels, int(room * self.scale))
        if not shown:
            return 0.0
        self.shapes.append(Text(self.x + x * self.scale, self.y + y * self.scale, shown, pixels, colour, align))
        return text_width(shown, pixels) / self.scale

    def pixels(self, size: float) -> int:
        """Return the size of a text on the picture, px."""
        return max(1, round(size * self.scale))

    def width(self, text: str, size: float) -> float:
        """Return how wide a text would be in the design."""
        return text_width(text, self.pixels(size)) / self.scale

    def _stroke(self, thickness: float) -> float:
        """Return the thickness of a stroke, px: it grows less than the design, and is never thinner than a pixel."""
        return max(1.0, thickness * self._thicker)

    def _moved(self, points: Points) -> Points:
        x0, y0, scale = self.x, self.y, self.scale
        return tuple([(x0 + x * scale, y0 + y * scale) for x, y in points])  # a list is faster than a generator
