"""How wide a text is, and how it is shortened."""

from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.rendering.lettering import advance, fitted, is_known, spelled, text_width
from metaverse_env.rendering.shapes import Text

words = st.text(max_size=30)
sizes = st.integers(6, 80)


def test_a_width_is_the_sum_of_rounded_advances() -> None:
    # at 10 px: W 9.44, i 2.78, 1 5.56, rounded each
    assert text_width("Wi1", 10) == 9 + 3 + 6


def test_an_accent_changes_no_advance_and_an_unknown_character_is_a_square() -> None:
    assert advance("é", 20) == advance("e", 20) == 11
    assert advance("語", 20) == 20


def test_a_name_that_the_font_cannot_write_keeps_its_number() -> None:
    assert spelled("Łódź", 1) == "Łódź"
    assert spelled("Київ", 2) == "Київ"
    assert spelled("zone 東", 3) == "#3 zone ▯"
    assert spelled("zone 東", 3, any_script=True) == "zone 東"
    # what shows nothing, or turns text around, is a box everywhere
    assert spelled("a\u202eb\n", 4, any_script=True) == "#4 a▯b▯"
    assert spelled("e\u0301", 5) == "é"


@given(words, st.integers(1, 300))
def test_whatever_is_spelled_can_be_written(name: str, number: int) -> None:
    assert all(is_known(character) or character == "▯" for character in spelled(name, number))


def test_boxes_follow_the_alignment() -> None:
    assert Text(100.0, 50.0, "00", 20).box == (100.0, 40.0, 122.0, 60.0)
    assert Text(100.0, 50.0, "00", 20, align="middle").box == (89.0, 40.0, 111.0, 60.0)
    assert Text(100.0, 50.0, "00", 20, align="right").box == (78.0, 40.0, 100.0, 60.0)


def test_nothing_fits_into_no_room() -> None:
    assert fitted("zone", 10, 5) == ""


@given(words, sizes, st.integers(0, 2000))
def test_what_is_fitted_fits_and_is_whole_if_it_can_be(text: str, size: int, room: int) -> None:
    shown = fitted(text, size, room)
    assert text_width(shown, size) <= room
    if text_width(text, size) <= room:
        assert shown == text
    elif shown:
        assert shown.endswith("…")
        assert text.startswith(shown[:-1])
