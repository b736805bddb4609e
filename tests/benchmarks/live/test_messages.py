"""What viewers say: known forms are read, everything else is refused with a sentence."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.live.messages import LARGEST, Drawn, Press, Resize, parse
from metaverse_env.errors import ConfigurationError
from metaverse_env.live.commands import Pause, Speed
from metaverse_env.rendering.layout import SMALLEST

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(("size", "drawn", "control", "zone", "command", "ticks_per_s", "on", "name"))


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"size": [1280, 720]}, Resize((1280, 720))),
        ({"size": list(SMALLEST)}, Resize(SMALLEST)),
        ({"size": list(LARGEST)}, Resize(LARGEST)),
        ({"drawn": 0}, Drawn(0)),
        ({"control": "pause"}, Press("pause")),
        ({"control": "zone", "zone": 3}, Press("zone", 3)),
        ({"command": "Pause"}, Pause()),
        ({"command": "Speed", "ticks_per_s": 4}, Speed(4)),
    ],
)
def test_what_is_known(said: dict[str, Any], read: object) -> None:
    assert parse(json.dumps(said)) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "JSON object"),
        ("", "JSON object"),
        ("[" * 1000, "JSON object"),
        ("[]", "JSON object"),
        ("{}", "control, command, size, drawn"),
        ('{"size": [959, 720]}', "a width of 959 px; a picture has 960 to 3840 px"),
        ('{"size": [1280, 2161]}', "a height of 2161 px; a picture has 540 to 2160 px"),
        ('{"size": [1280.5, 720]}', "whole px"),
        ('{"size": [true, 720]}', "whole px"),
        ('{"size": [1280]}', "whole px"),
        ('{"size": [' + "9" * 400 + ", 720]}", "999999999999 px"),
        ('{"drawn": -1}', "number of a picture"),
        ('{"drawn": 1.0}', "number of a picture"),
        ('{"control": ""}', "name of a control"),
        ('{"control": 7}', "name of a control"),
        ('{"control": "' + "x" * 41 + '"}', "40 characters"),
        ('{"control": "zone", "zone": true}', "index of a zone"),
        ('{"control": "zone", "zone": -2}', "index of a zone"),
        ('{"control": "pause", "more": 1}', "a message says one of"),
        ('{"size": [1280, 720], "drawn": 1}', "a message says one of"),
        ('{"command": "Explode"}', "unknown command 'Explode'"),
        ('{"command": "Speed", "ticks_per_s": "fast"}', "Speed.ticks_per_s"),
    ],
)
def test_what_is_refused(text: str | None, words: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(text)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 600


@given(st.text() | JSON.map(json.dumps) | st.dictionaries(NAMES, JSON).map(json.dumps))
def test_nothing_else_is_raised(text: str) -> None:
    with suppress(ConfigurationError):
        parse(text)
