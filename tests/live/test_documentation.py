"""What docs/live.md says is so: the keys are those of the code, its commands have these options, its Python runs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from metaverse_env.cli import app
from metaverse_env.live import filming
from metaverse_env.live.reference import keys_table
from metaverse_env.rendering.colours import CALLED

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")


def test_the_table_of_keys_is_that_of_the_code() -> None:
    assert keys_table() in TEXT


def test_the_module_prints_the_table() -> None:
    command = [sys.executable, "-m", "metaverse_env.live.reference"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == keys_table()


def test_every_option_that_is_named_is_there() -> None:
    helped = CliRunner().invoke(app, ["live", "--help"], env={"COLUMNS": "200"}).output
    named = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    assert len(named) > 15
    assert {option for option in named if option not in helped} == {"--help"} - set(re.findall(r"--help", helped))


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole, seconds = filming.film, []

    def shorter(*arguments: object, **options: object) -> int:
        seconds.append(options.pop("seconds"))
        return whole(*arguments, **options, seconds=0.2, fps=5)  # type: ignore[arg-type]

    monkeypatch.setattr(filming, "film", shorter)
    for block in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(compile(block, "docs/live.md", "exec"), {"__name__": "live"})
    assert seconds == [10.0]
    assert (tmp_path / "crowd.mp4").stat().st_size > 0


def test_the_first_example_of_the_picture_runs_as_it_stands() -> None:
    text = (ROOT / "docs" / "rendering.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    told: dict[str, Any] = {"__name__": "picture"}
    exec(compile(block, "docs/rendering.md", "exec"), told)
    assert told["picture"].shape == (720, 1280, 3)


def test_colours_are_called_the_same_wherever_they_are_told() -> None:
    page = (ROOT / "benchmarks" / "live" / "page" / "index.html").read_text(encoding="utf-8")
    picture = (ROOT / "docs" / "rendering.md").read_text(encoding="utf-8")
    assert f"Thick {CALLED['over']} or {CALLED['down']} borders" in page
    assert f"{CALLED['near']} is above 80 %" in picture
    assert f"{CALLED['over']} with" in picture
    assert not re.search(r"\bred\b", picture + page)
