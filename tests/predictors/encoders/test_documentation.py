"""What docs/encoders.md says is so: its program runs, its commands have their options, its table lists every encoder."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from metaverse_env.cli import COMMANDS, Branch, Leaf
from metaverse_env.plugins import resolve
from predictors.encoders import ENCODERS

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "encoders.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\w*\n(.*?)```", TEXT, flags=re.DOTALL)
COMMAND_LINES = sorted(
    {line.split("#")[0] for block in BLOCKS for line in block.splitlines() if line.startswith("metaverse ")}
)


def leaf_of(words: list[str]) -> tuple[str, Leaf]:
    entry = COMMANDS[words[0]]
    if isinstance(entry, Branch):
        return " ".join(words[:2]), entry.commands[words[1]]
    return words[0], entry


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_has_the_options_that_it_is_given(line: str) -> None:
    name, leaf = leaf_of(line.split()[1:])
    application = typer.Typer()
    application.command()(resolve("command", name, {name: leaf.target}))
    known = {option for parameter in typer.main.get_command(application).params for option in parameter.opts}
    assert {word for word in line.split() if word.startswith("--")} <= known


def test_the_table_lists_every_encoder() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (image|speech|motion) \|", TEXT, flags=re.MULTILINE)
    assert rows == [(name, entry.modality) for name, entry in ENCODERS.items()]


def test_the_program_runs_and_says_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(import numpy.*?)```", TEXT, flags=re.DOTALL)
    exec(program, {})
    texts, shape, problem = capsys.readouterr().out.splitlines()
    assert texts.endswith(", '')")
    assert shape == "(3, 1280)"
    assert problem.startswith("no-such-file.jpg: there is no such file; give")


def test_the_whole_scenario_makes_a_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ((name, scenario),) = re.findall(r"```toml\n# (\S+)\n(.*?)```", TEXT, flags=re.DOTALL)
    Path(name).write_text(scenario)
    (program,) = re.findall(r"```python\n(import gymnasium.*?)```", TEXT, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    observation, _ = names["env"].reset(seed=0)
    assert observation.ndim == 1


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if not link.startswith("http")]
    assert [link for link in links if not (DOCS / link).exists()] == []
