"""Parts by name: a string in a table, imported when asked for."""

import math
from pathlib import Path

import pytest

from metaverse_env.errors import ConfigurationError, MissingDependencyError, UnknownNameError
from metaverse_env.forecasters import FORECASTERS
from metaverse_env.plugins import resolve, resolve_own
from metaverse_env.simulator.dynamics import DYNAMICS

TABLE = {"pi": "math:pi", "lost": "no_such_package.inner:thing", "empty": "math:no_such_name"}


def test_the_entry_is_imported() -> None:
    assert resolve("number", "pi", TABLE) is math.pi


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown number 'po'\. Did you mean 'pi'"):
        resolve("number", "po", TABLE)


def test_a_package_that_is_not_installed_names_its_extra() -> None:
    with pytest.raises(MissingDependencyError, match=r"number 'lost' needs no_such_package.*metaverse-env\[agents\]"):
        resolve("number", "lost", TABLE, extra="agents")


def test_a_wrong_table_is_our_own_mistake_and_not_the_users() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        resolve("number", "empty", TABLE)


@pytest.mark.parametrize("table", [DYNAMICS, FORECASTERS], ids=["dynamics", "forecasters"])
def test_every_entry_of_our_tables_names_a_module_and_what_is_in_it(table: dict[str, str]) -> None:
    for name, target in table.items():
        module, _, attribute = target.partition(":")
        assert module.split(".")[0] in ("metaverse_env", "predictors"), name
        assert attribute.isidentifier()


@pytest.mark.parametrize("name", ["physics", "trace"])
def test_our_own_dynamics_can_be_made(name: str) -> None:
    assert resolve("dynamics", name, DYNAMICS)().needs_intents is False


def test_what_is_a_users_own_is_named_whole() -> None:
    assert resolve_own("number", "math:pi") is math.pi


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pi", "number 'pi' has no module; give module:name, such as my_module:pi"),
        ("math:", "has no module"),
        (":pi", "has no module"),
        ("no_such_module:pi", "there is no module 'no_such_module'. Run in the folder of no_such_module.py"),
        ("math:po", "unknown number in module math 'po'. Did you mean 'pow'"),
    ],
)
def test_what_is_a_users_own_and_not_there_is_wrong_usage(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_own("number", name)
    assert words in str(caught.value)


def test_only_a_modules_own_parts_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import numpy as np\nfrom metaverse_env.contracts import View\nclass Mine: ...\nmade = Mine()\nLIMIT = 3\n"
    (tmp_path / "my_parts.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        resolve_own("policy", "my_parts:Other")
    assert "Mine, made" in str(caught.value)
    assert not any(name in str(caught.value) for name in ("View", "np", "LIMIT"))
