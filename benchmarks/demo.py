"""``metaverse demo``: the whole house in one walk, in minutes.

Classical controllers run the default world, whose dynamics and forecasts are the trained network's; what they cost and
what their users felt is tabled and drawn; the best one's first episode is recorded, lived again to prove that it
reproduces, and filmed. Or, with ``--encoders``, images, speech and motions on their way to a forecast.
"""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.asking import Asked, comparing
from benchmarks.commands import collect
from benchmarks.conditions import Conditions
from benchmarks.plots import plot_costs
from benchmarks.progress import Bar
from benchmarks.report import print_report, summary
from benchmarks.scores import Result
from benchmarks.suite import load_policy
from metaverse_env import rendering
from metaverse_env.errors import MissingDependencyError
from metaverse_env.plugins import resolve
from metaverse_env.recording import load_recording, record, replay, save_recording
from metaverse_env.terminal import console
from predictors.encoders.table import extra_of


@comparing(without=("wrap",), seeds=16, out=Path("out/demo"))  # a wrapped world could not be lived again
def demo(
    asked: Asked,
    picture: Annotated[bool, typer.Option(help="Film an episode.")] = True,
    encoders: Annotated[
        str | None, typer.Option(help="Show encoders instead, such as efficientnet+moonshine+kan, and what follows.")
    ] = None,
    fusion: Annotated[str, typer.Option(help="With --encoders: weights of 'metaverse train fusion'.")] = "shipped",
    samples: Annotated[
        Path | None, typer.Option(help="With --encoders: folder with images/, audio/, motion/; default: new ones.")
    ] = None,
) -> None:
    """Let classical controllers run the default world: a table, a plot, a recorded episode and a film of it.

    With --encoders: samples of two activities become texts, embeddings and intents, and the forecaster tells what each
    announcement leads it to expect.

    With --trace a file is replayed: users, scaled to the size of the world by one printed factor, or users and demand
    of a panel of telemetry as they were recorded. Nothing is changed otherwise, and gaps are never filled.
    """
    if encoders is not None:
        show_encoders = resolve("demo", "--encoders", {"--encoders": "benchmarks.encoder_demo:run"}, extra_of(encoders))
        show_encoders(
            scenario=asked.terms.scenario, encoders=encoders, fusion=fusion, samples=samples, seed=asked.terms.seeds[0],
            folder=asked.folder, as_json=asked.as_json,
        )  # fmt: skip
        return
    start_s = time.monotonic()
    terms, folder, terminal = asked.terms, asked.folder, console(stderr=asked.as_json)
    results = collect(asked)
    print_report(terminal, terms, results)
    plot_costs(folder / "costs.png", terms, results)
    say(terminal, f"Plot: {folder / 'costs.png'}")
    best = max((result for result in results if result.policy in asked.names), key=lambda result: result.reward)
    say(terminal, keep_episode(terms, best, folder / "episode.npz"))
    if picture:
        say(terminal, film_episode(terms, best, folder / "episode.gif"))
    say(terminal, f"Done in {time.monotonic() - start_s:.0f} s. Rows and summary: {folder}/results.csv, summary.json")
    if asked.as_json:
        typer.echo(json.dumps(summary(terms, results), indent=2))


def say(terminal: Console, text: str) -> None:
    """Print a sentence as it is."""
    terminal.print(text, highlight=False, markup=False, soft_wrap=True)


def keep_episode(terms: Conditions, best: Result, path: Path) -> str:
    """Record the policy's episode of the first seed, live it again, and say what came of it."""
    shell, policy = terms.shell(1), load_policy(best.policy, terms.scenario)
    with Bar(terms.ticks) as bar:
        recording = record(
            shell, policy, terms.seeds[:1], terms.ticks, terms.origin(best.policy), lambda: bar.advance("recording")
        )
    difference = replay(load_recording(save_recording(recording, path)))
    found = "lived again, every number is the same" if difference is None else f"lived again, it differs: {difference}"
    return f"Recording of {best.policy}, seed {terms.seeds[0]}: {path} ({path.stat().st_size / 1e6:.1f} MB); {found}"


def film_episode(terms: Conditions, best: Result, path: Path) -> str:
    """Film that episode; without the package that draws, say how to get it."""
    shell, policy = terms.shell(1), load_policy(best.policy, terms.scenario)
    shell.reset(list(terms.seeds[:1]))
    try:
        with Bar(terms.ticks) as bar:
            rendering.record_episode_gif(
                shell,
                policy,
                path,
                terms.ticks,
                progress=lambda done, total: bar.advance("filming"),
                controller=best.policy,
            )
    except MissingDependencyError as missing:
        return f"No film: {missing}"
    return f"Film of {best.policy}: {path} ({path.stat().st_size / 1e6:.1f} MB)"
