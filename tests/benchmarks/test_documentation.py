"""What docs/benchmarks.md says is so: its module and its commands run, its table lists what is measured."""

import re
from pathlib import Path

import gymnasium as gym
import pytest
import typer
from typer.testing import CliRunner

from benchmarks.scores import METRICS
from metaverse_env.cli import COMMANDS, Branch, app
from metaverse_env.plugins import resolve

TEXT = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, flags=re.DOTALL) for line in block.splitlines()]
OWN = [line for line in LINES if "my_module" in line]
QUICK = ["--seeds", "2", "--ticks", "4", "--scenario", "single_zone", "--forecaster", "none", "--jobs", "1"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (module,) = re.findall(r"```python\n(# my_module.py\n.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "my_module.py").write_text(module, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("line", OWN, ids=["policy", "wrapper"])
def test_your_own_runs_as_it_is_written(line: str, here: Path) -> None:
    found = CliRunner().invoke(app, [*line.split()[1:], *QUICK])
    assert found.exit_code == 0, found.output
    assert "my_module:HalfFull" in Path("out/suite/suite.md").read_text(encoding="utf-8")
    assert ("wrapped by my_module:Rationed" in found.stdout.replace("\n", " ")) == ("--wrap" in line)


def test_the_wrapper_wraps_an_environment_too(here: Path) -> None:
    names: dict[str, type] = {}
    exec((here / "my_module.py").read_text(encoding="utf-8"), names)
    env = gym.make("Metaverse/MultiZone-v0", dynamics="physics", forecaster="none", wrap=names["Rationed"])
    env.reset(seed=0)
    assert env.step(env.action_space.sample())[1] < 0.0


def test_the_table_lists_every_metric_with_its_unit() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT, flags=re.MULTILINE)
    assert rows == [(metric.name, metric.unit) for metric in METRICS]


@pytest.mark.parametrize("line", LINES)
def test_every_command_has_the_options_that_it_is_given(line: str) -> None:
    _, group, name, *arguments = line.split()
    branch = COMMANDS[group]
    assert isinstance(branch, Branch)
    application = typer.Typer()
    application.command()(resolve("command", name, {name: branch.commands[name].target}))
    known = {option for parameter in typer.main.get_command(application).params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (Path(__file__).parents[2] / "docs" / link).exists()] == []
