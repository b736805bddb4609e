"""``metaverse benchmark encoders``: each in a fresh process, so that memory is its own and none warms another."""

import json
import re
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.table import Table

from benchmarks import options
from benchmarks.encoders.samples import SIZES
from benchmarks.processes import measured
from benchmarks.progress import Bar
from metaverse_env.errors import ConfigurationError, MetaverseError, UnknownNameError
from metaverse_env.terminal import console, show
from predictors.encoders import ENCODERS

ALL: Final = "blip,blip=tiny,efficientnet,wav2vec2,wav2vec2=tiny,moonshine,kan"
"""Every encoder, and the small networks that come with this package."""
_CALL: Final = """
import json, sys
from benchmarks.encoders.measuring import measure
from metaverse_env.errors import MetaverseError
try:
    print(json.dumps(measure(**json.loads({arguments!r}))))
except MetaverseError as error:
    print(json.dumps({{"problem": str(error)}}))
"""
_OFFLINE: Final = {"HF_HUB_OFFLINE": "1"}
"""A measurement downloads nothing: what is not on this machine is said to be missing."""

_LIMIT_S: Final = 3600.0
"""For one encoder [choice]: a large one on few cores takes its time."""

Row = dict[str, Any]


def encoders(
    named: Annotated[
        str, typer.Option("--encoders", help="By + or commas: a name, or NAME=FOLDER for weights of your own.")
    ] = ALL,
    samples: Annotated[int, typer.Option(min=1, max=500, help="Files that each encodes in a round.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="Of which the median counts.")] = 3,
    batch_size: Annotated[int, typer.Option(min=1, help="Files that are encoded together.")] = 8,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: options.AsJson = False,
) -> None:
    """Measure samples a second and memory of each encoder, with reading the file; weights that are not here are named.

    The speed of matrix products in the same process tells how busy the machine was.
    """
    chosen = [_parsed(part) for part in re.split(r"[+,]", named)]
    rows: list[Row] = []
    with Bar(len(chosen), "encoders", text="starting") as bar:
        for name, where in chosen:
            label = f"{name}={where}" if where else name
            arguments = {
                "name": name, "where": where, "count": samples, "rounds": rounds, "batch_size": batch_size,
                "threads": threads, "device": device,
            }  # fmt: skip
            found = measured(_CALL.format(arguments=json.dumps(arguments)), environment=_OFFLINE, limit_s=_LIMIT_S)
            rows.append({"encoder": label, "modality": ENCODERS[name].modality, **found})
            bar.advance(label)
    how = {"samples": samples, "batch_size": min(batch_size, samples), "threads": threads, "device": device}
    _tell(rows, how, as_json)
    if all("problem" in row for row in rows):
        raise MetaverseError(f"none of {named} could be measured: {rows[0]['problem']}")


def _parsed(part: str) -> tuple[str, str | None]:
    name, equals, where = (piece.strip() for piece in part.partition("="))
    if name not in ENCODERS:
        raise UnknownNameError("encoder", name, ENCODERS)
    if equals and not where:
        raise ConfigurationError(f"encoders {part!r}: name a folder after '=', or leave it out")
    return name, where or None


def _tell(rows: list[Row], how: Row, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**how, "sizes": SIZES, "rows": rows}, indent=1))
        return
    screen = console()
    show(screen, _table([row for row in rows if "problem" not in row], how))
    for row in rows:
        if "problem" in row:
            screen.print(f"{row['encoder']}: not measured: {row['problem']}", markup=False, highlight=False)


def _table(rows: list[Row], how: Row) -> Table:
    title = f"Batches of {how['batch_size']}, {how['threads']} threads, {how['device']}"
    table = Table(
        box=box.SIMPLE_HEAD, title=title, caption="; ".join(f"{name}: {size}" for name, size in SIZES.items())
    )
    headings = ("encoder", "modality", "samples/s", "CPU s/sample", "peak MB", "of it loaded", "load s", "GFLOP/s then")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in headings[:2] else "right")
    for row in rows:
        table.add_row(
            row["encoder"], row["modality"], f"{row['samples_per_s']:.3g}", f"{row['cpu_s_per_sample']:.3g}",
            f"{row['peak_mb']:,.0f}", f"{row['loaded_mb']:,.0f}", f"{row['load_s']:.1f}",
            f"{row['machine_gflops']:.0f}",
        )  # fmt: skip
    return table
