"""Commands read from what nobody can trust."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import ConfigurationError
from metaverse_env.live import commands
from metaverse_env.live.commands import COMMANDS, Inject, Pause, Quit, Select, Speed, SwitchPolicy, parse


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ({"command": "Pause"}, Pause()),
        ({"command": "Pause", "on": True}, Pause(on=True)),
        ({"command": "Speed", "ticks_per_s": 4}, Speed(4)),
        ({"command": "Select", "zone": None}, Select(None)),
        ({"command": "Select", "zone": 7}, Select(7)),
        ({"command": "SwitchPolicy", "name": "mpc"}, SwitchPolicy("mpc")),
        ({"command": "Inject", "kind": "flash_crowd"}, Inject("flash_crowd")),
        ({"command": "Inject", "kind": "node_failure", "place": 2}, Inject("node_failure", 2)),
        ({"command": "Quit"}, Quit()),
    ],
)
def test_commands_are_read(said: dict[str, Any], command: commands.Command) -> None:
    assert parse(said) == command


def test_every_kind_of_command_can_be_said() -> None:
    fields = {"ticks_per_s": 1.0, "zone": 0, "name": "x", "kind": "y"}
    for name, kind in COMMANDS.items():
        wanted = {field: fields[field] for field in kind.__dataclass_fields__ if field in fields}
        assert type(parse({"command": name, **wanted})) is kind


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "unknown command 'None'"),
        ({"command": "Paus"}, "Did you mean 'Pause'"),
        ({"command": ["Pause"]}, "unknown command"),
        ({"command": "Step", "ticks": 3}, "Step has no 'ticks'; it has none"),
        ({"command": "Speed"}, "Speed lacks one of: ticks_per_s"),
        ({"command": "Speed", "ticks_per_s": "fast"}, "Speed.ticks_per_s must be int or float, got 'fast'"),
        ({"command": "Speed", "ticks_per_s": True}, "must be int or float"),
        ({"command": "Select", "zone": 1.5}, "Select.zone must be int or nothing"),
        ({"command": "SwitchPolicy", "name": "x" * 201}, "must be str"),
        ({"command": "Pause", "on": 1}, "Pause.on must be bool or nothing"),
    ],
)
def test_what_is_none_is_refused(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["command", "zone", "name", "kind", "place", "on", "x"]), JSON, max_size=4))
def test_nothing_that_json_can_say_is_an_error_of_ours(said: dict[str, Any]) -> None:
    with suppress(ConfigurationError):
        assert type(parse(json.loads(json.dumps(said)))) in COMMANDS.values()
