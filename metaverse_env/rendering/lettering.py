"""How wide a text is in the font that pygame brings, FreeSans Bold, and what to write where it has no letters.

Pure: a scene is laid out by these numbers wherever it is drawn, so that no text runs into another.
"""

from functools import lru_cache
from math import floor
from typing import Final
from unicodedata import category, normalize

_ADVANCES: Final = {
    0x20: (
        "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 "
        "556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 "
        "722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 "
        "556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584 "
    ),
    0xA1: (
        "333 556 556 556 556 280 556 333 737 370 556 584 432 737 333 606 584 351 351 333 611 556 278 333 351 "
        "365 556 869 869 869 611 722 722 722 722 722 722 1000 722 667 667 667 667 278 278 278 278 722 722 "
        "778 778 778 778 778 584 778 722 722 722 722 667 667 611 556 556 556 556 556 556 889 556 556 556 556 "
        "556 278 278 278 278 611 611 611 611 611 611 611 584 611 611 611 611 611 556 611 556 "
    ),
    0x100: (
        "722 556 722 556 722 556 722 556 722 556 722 556 722 556 722 611 722 611 667 556 667 556 667 556 667 "
        "556 667 556 778 611 778 611 778 611 778 611 722 611 722 611 278 278 278 278 278 278 278 278 278 278 "
        "808 492 556 278 722 556 573 611 278 611 278 611 278 611 556 611 278 722 611 722 611 722 611 611 722 "
        "611 778 611 778 611 778 611 1000 944 722 389 722 389 722 389 667 556 667 556 667 556 667 556 611 "
        "333 611 333 611 333 722 611 722 611 722 611 722 611 722 611 722 611 944 778 667 556 667 611 500 611 "
        "500 611 500 333 "
    ),
    0x391: (
        "764 688 642 744 710 688 743 810 296 744 744 860 714 690 822 781 698 0 688 688 744 777 783 805 780 "
        "367 744 656 570 596 334 575 656 576 591 620 570 522 586 586 346 576 620 667 564 530 610 721 626 595 "
        "676 592 575 801 632 722 800 372 575 610 575 800 "
    ),
    0x400: ("667 667 826 611 722 667 278 278 556 722 1113 611 722 726 718 722 "),
    0x450: ("556 556 480 454 556 556 278 278 278 608 611 480 573 608 556 608 "),
    0x410: (
        "722 722 722 611 918 667 1093 672 726 726 722 722 833 722 778 722 667 722 611 718 892 667 814 675 "
        "1097 1223 928 949 687 722 1129 698 556 606 592 454 804 556 809 546 608 608 573 608 669 608 611 608 "
        "611 556 454 556 957 556 685 580 906 988 693 811 562 564 908 596 "
    ),
}
"""Advance of characters, thousandths of the size, from a code point on. [V] ``pygame.font.Font.metrics`` at 1000 px"""

_ADVANCE: Final = {
    chr(first + place): int(width) / 1000
    for first, widths in _ADVANCES.items()
    for place, width in enumerate(widths.split())
} | {"–": 0.556, "−": 0.584, "…": 1.0, "•": 0.35, "▯": 0.7, "→": 1.0}

_WIDEST = 1.0
"""Advance of every character that is not in the table; few are wider than high."""

MISSING: Final = "▯"
"""Stands for letters that the font has not; drawn as an empty box."""


@lru_cache(maxsize=4096)
def advance(character: str, size: int) -> int:
    """Return how far a character moves the next one to the right, px; accents change nothing."""
    width = _ADVANCE.get(character) or _ADVANCE.get(normalize("NFD", character)[0], _WIDEST)
    return floor(width * size + 0.5)


@lru_cache(maxsize=16_384)
def text_width(text: str, size: int) -> int:
    """Return how wide a text is, px: the sum of its advances, for it is set without kerning.

    >>> text_width("zone-1", 10)
    32
    """
    return sum(advance(character, size) for character in text)


@lru_cache(maxsize=16_384)
def fitted(text: str, size: int, room: int) -> str:
    """Return a text that fits into ``room`` pixels, shortened with an ellipsis if it must be, empty if nothing fits.

    >>> fitted("zone-of-many-words", 10, 60), fitted("zone-1", 10, 60)
    ('zone-of-m…', 'zone-1')
    """
    if text_width(text, size) <= room:
        return text
    for length in range(len(text) - 1, 0, -1):
        shorter = text[:length].rstrip() + "…"
        if text_width(shorter, size) <= room:
            return shorter
    return ""


def is_known(character: str) -> bool:
    """Tell whether the font has a letter for a character."""
    return (character in _ADVANCE or normalize("NFD", character)[0] in _ADVANCE) and character != MISSING


@lru_cache(maxsize=4096)
def spelled(name: str, number: int, any_script: bool = False) -> str:
    """Return a zone's name as it can be written: what the font has no letters for is a box, after the zone's number.

    Two names that look alike in boxes so stay apart. Control characters, which no font shows, are boxes everywhere.

    >>> spelled("zone-1", 1), spelled("東京", 2), spelled("東京", 2, any_script=True)
    ('zone-1', '#2 ▯▯', '東京')
    """
    shown = "".join(
        c if (any_script and category(c)[0] != "C") or is_known(c) else MISSING for c in normalize("NFC", name)
    )
    return shown if MISSING not in shown else f"#{number} {shown}"
