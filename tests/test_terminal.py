"""Tables in narrow places: every cell survives."""

import os
import subprocess
import sys

import pytest
from rich.console import Console
from rich.table import Table

from metaverse_env.terminal import WIDTH, console, parts, show

HEADINGS = ("policy", "cost over\nhpa@multi_zone, %", "violated\n% user-s", "worst\ntenth", "reward\nper tick")
CELLS = ("autothrottle@multi_zone+codec", "-11.62 ±0.43", "1234.56 ±0.02", "12.25", "-10.62 ±0.43")


def table() -> Table:
    made = Table(title="found")
    made.add_column(HEADINGS[0])
    for heading in HEADINGS[1:]:
        made.add_column(heading, justify="right")
    made.add_row(*CELLS)
    return made


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_cell_and_no_heading_is_cut(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    show(Console(width=width), table())
    text = capsys.readouterr().out
    assert "…" not in text
    assert all(text.count(cell) == 1 for cell in CELLS[1:])
    assert all(line in text for heading in HEADINGS for line in heading.split("\n"))
    assert max(map(len, text.splitlines())) <= width


def test_what_fits_stays_one_table() -> None:
    assert len(list(parts(table(), Console(width=200)))) == 1
    assert len(list(parts(table(), Console(width=80)))) == 2


@pytest.mark.parametrize(("columns", "width"), [(None, WIDTH), ("100", 100)])
def test_a_pipe_is_wide_unless_it_is_told_otherwise(columns: str | None, width: int) -> None:
    script = "from metaverse_env.terminal import console; print(console().width)"
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {} if columns is None else {"COLUMNS": columns}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout == f"{width}\n"
    assert console(stderr=True).stderr
