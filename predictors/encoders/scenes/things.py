"""What stands in the scenes: places, and things that tell what people are about."""

from typing import Final

from predictors.encoders.scenes.brush import Brush, Colour, blend

SKIES: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((98, 164, 226), (206, 230, 247)),
    ((250, 176, 112), (255, 224, 178)),
    ((120, 110, 170), (240, 170, 160)),
    ((160, 172, 184), (216, 220, 224)),
    ((28, 36, 78), (84, 92, 150)),
)
GROUNDS: Final[tuple[Colour, ...]] = (
    (122, 168, 92), (196, 188, 172), (150, 152, 160), (214, 190, 140), (104, 128, 112),
)  # fmt: skip
WOOD: Final[Colour] = (140, 98, 60)
STEEL: Final[Colour] = (120, 126, 136)


def outdoors(brush: Brush, horizon: float) -> None:
    """Draw sky, ground and now and then the outline of a town."""
    top, bottom = SKIES[brush.count(0, len(SKIES) - 1)]
    ground = brush.one_of(GROUNDS)
    brush.gradient(top, bottom, 0.0, horizon)
    brush.gradient(ground, blend(ground, (0, 0, 0), 0.25), horizon, 1.0)
    if brush.chance(0.5):
        skyline(brush, horizon, blend(bottom, (60, 70, 90), brush.between(0.3, 0.7)))


def indoors(brush: Brush, horizon: float) -> None:
    """Draw a wall and a floor of boards."""
    wall, floor = blend(brush.bright(), (235, 230, 222), brush.between(0.5, 0.8)), blend(brush.bright(), WOOD, 0.75)
    brush.gradient(wall, blend(wall, (0, 0, 0), 0.12), 0.0, horizon)
    brush.gradient(blend(floor, (0, 0, 0), 0.2), floor, horizon, 1.0)
    glass, sill = blend(brush.bright(), (220, 235, 250), 0.7), brush.between(0.08, 0.16)
    for place in range(brush.count(0, 4)):
        x = 0.06 + 0.24 * place
        brush.box(x, sill, x + 0.15, sill + 0.2, blend(WOOD, (255, 255, 255), 0.5))
        brush.box(x + 0.01, sill + 0.013, x + 0.14, sill + 0.187, glass)


def skyline(brush: Brush, horizon: float, colour: Colour) -> None:
    """Draw houses far away."""
    x = -0.02
    while x < 1.0:
        wide = brush.between(0.05, 0.13)
        brush.box(x, horizon - brush.between(0.06, 0.28), x + wide, horizon, colour)
        x += wide + brush.between(0.0, 0.05)


def tree(brush: Brush, x: float, y: float, tall: float) -> None:
    """Draw a tree whose foot is at ``(x, y)``."""
    brush.line([(x, y), (x, y - 0.5 * tall)], WOOD, 0.08 * tall)
    leaves = blend((60, 130, 60), brush.bright(), 0.2)
    for dx, dy, size in ((-0.1, 0.55, 0.2), (0.1, 0.55, 0.2), (0.0, 0.72, 0.24)):
        brush.disc(x + dx * tall * 0.75, y - dy * tall, size * tall, leaves)


def bench(brush: Brush, x: float, y: float, wide: float) -> None:
    """Draw a bench whose middle is at ``x``."""
    for rise in (0.16, 0.24, 0.34):
        brush.line([(x - wide / 2, y - rise * wide), (x + wide / 2, y - rise * wide)], WOOD, 0.05 * wide)
    for side in (-0.4, 0.4):
        brush.line([(x + side * wide, y), (x + side * wide, y - 0.36 * wide)], STEEL, 0.04 * wide)


def bubble(brush: Brush, x: float, y: float, size: float) -> None:
    """Draw what somebody says: a bubble with lines in it."""
    brush.disc(x, y, size, (252, 252, 252), 240, 0.62)
    brush.polygon([(x - 0.2 * size, y + 0.4 * size), (x + 0.2 * size, y + 0.5 * size), (x - 0.3 * size, y + size)],
                  (252, 252, 252), 240)  # fmt: skip
    for row in (-0.2, 0.05, 0.3):
        brush.line([(x - 0.4 * size, y + row * size), (x + 0.35 * size, y + row * size)], (90, 96, 110), 0.1 * size)


def table(brush: Brush, x: float, y: float, wide: float) -> None:
    """Draw a round table with cups."""
    brush.line([(x, y), (x, y - 0.5 * wide)], STEEL, 0.08 * wide)
    brush.disc(x, y - 0.5 * wide, 0.55 * wide, WOOD, 255, 0.3)
    for side in (-0.2, 0.15):
        brush.disc(x + side * wide, y - 0.55 * wide, 0.07 * wide, (245, 245, 240))


def stall(brush: Brush, x: float, y: float, wide: float) -> None:
    """Draw a market stall: a striped awning over goods, and a price tag."""
    stripes, colour = brush.count(4, 7), brush.bright()
    for side in (0.04, 0.96):
        brush.line([(x + side * wide, y), (x + side * wide, y - 0.95 * wide)], WOOD, 0.04 * wide)
    for stripe in range(stripes):
        left, right = x + wide * stripe / stripes, x + wide * (stripe + 1) / stripes
        shade = colour if stripe % 2 else (250, 246, 238)
        brush.polygon([(left, y - 0.72 * wide), (right, y - 0.72 * wide), (right, y - wide), (left, y - wide)], shade)
        brush.disc((left + right) / 2, y - 0.72 * wide, 0.55 * wide / stripes, shade, 255, 0.6)
    brush.box(x, y - 0.36 * wide, x + wide, y, blend(WOOD, (0, 0, 0), brush.between(0.0, 0.3)))
    goods = brush.bright()
    for heap in range(brush.count(5, 9)):
        fruit = goods if heap % 3 else brush.bright()
        brush.disc(x + brush.between(0.08, 0.92) * wide, y - brush.between(0.37, 0.47) * wide, 0.065 * wide, fruit)
    brush.box(x + 0.34 * wide, y - 0.27 * wide, x + 0.66 * wide, y - 0.1 * wide, (252, 240, 190))


def crate(brush: Brush, x: float, y: float, size: float, colour: Colour) -> None:
    """Draw a cube that stands at ``(x, y)``: front, top and side."""
    deep, front = 0.3 * size, blend(colour, (0, 0, 0), 0.1)
    brush.box(x, y - size, x + 0.75 * size, y, front)
    top = [(x, y - size), (x + 0.75 * deep, y - size - deep), (x + 0.75 * (size + deep), y - size - deep)]
    brush.polygon([*top, (x + 0.75 * size, y - size)], blend(colour, (255, 255, 255), 0.3))
    side = [(x + 0.75 * size, y), (x + 0.75 * size, y - size), (x + 0.75 * (size + deep), y - size - deep)]
    brush.polygon([*side, (x + 0.75 * (size + deep), y - deep)], blend(colour, (0, 0, 0), 0.35))


def scaffold(brush: Brush, x: float, y: float, wide: float, floors: int) -> None:
    """Draw poles, planks and braces."""
    high = 0.16
    for floor in range(floors):
        low, up = y - floor * high, y - (floor + 1) * high
        brush.line([(x, up), (x + wide, up)], WOOD, 0.014)
        brush.line([(x, low), (x + wide, up)] if floor % 2 else [(x + wide, low), (x, up)], STEEL, 0.006)
    for pole in range(4):
        brush.line([(x + wide * pole / 3, y), (x + wide * pole / 3, y - floors * high)], STEEL, 0.01)


def crane(brush: Brush, x: float, y: float, tall: float) -> None:
    """Draw a tower crane with a load."""
    colour: Colour = (240, 180, 30)
    side = -1.0 if x > 0.5 else 1.0
    brush.line([(x, y), (x, y - tall)], colour, 0.022)
    brush.line([(x - side * 0.1, y - tall), (x + side * 0.42, y - tall)], colour, 0.018)
    brush.line([(x, y - tall - 0.07), (x + side * 0.42, y - tall)], colour, 0.006)
    load, rope = x + side * brush.between(0.2, 0.38), brush.between(0.1, 0.3)
    brush.line([(load, y - tall), (load, y - tall + rope)], (60, 60, 60), 0.005)
    crate(brush, load - 0.03, y - tall + rope + 0.08, 0.08, brush.bright())


def loudspeaker(brush: Brush, x: float, y: float, tall: float) -> None:
    """Draw a tower of loudspeakers."""
    brush.box(x, y - tall, x + 0.35 * tall, y, (24, 24, 28))
    for rise in (0.25, 0.72):
        brush.disc(x + 0.175 * tall, y - rise * tall, 0.15 * tall, (70, 70, 76))
        brush.disc(x + 0.175 * tall, y - rise * tall, 0.06 * tall, (30, 30, 34))
