"""``metaverse live``: a world that is watched while it runs, in a window, in a film, or in a browser."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import typer

from benchmarks.asking import look_where_the_user_stands
from benchmarks.live import options
from benchmarks.live.agreeing import How, agree, length_of, size_of
from benchmarks.live.ending import Told, ending
from benchmarks.live.making import What, session_of
from benchmarks.progress import Bar
from metaverse_env.folders import writable
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.filming import film
from metaverse_env.live.obeying import checked_speed
from metaverse_env.live.replaying import Replay
from metaverse_env.live.session import TICKS_PER_S, Session
from metaverse_env.live.watching import FPS, watch
from metaverse_env.plugins import resolve
from metaverse_env.rendering.camera import film_format
from metaverse_env.rendering.film import even
from metaverse_env.rendering.layout import REFERENCE

KEY: Final = "METAVERSE_API_KEY"
"""Holds the key of a prediction server that asks for one; an argument could be read by other users."""
PAGES: Final = {"web": "benchmarks.live.web:serve"}
"""Imported when asked for: pictures in a window need no server."""
FILM_S: Final = 20.0
FILM_FPS: Final = 30
"""Length and pace of a film by default [choice]; one of a recording is as long as that."""
LINE_EVERY_S: Final = 5.0
"""How often a line says how far a film is, where there is no terminal [choice]."""


def live(
    scenario: options.ScenarioName = None,
    policy: options.PolicyName = None,
    seed: options.Seed = None,
    speed: options.Speed = TICKS_PER_S,
    size: options.Size = None,
    dynamics: options.Dynamics = None,
    forecaster: options.Forecaster = None,
    trace: options.TraceFile = None,
    headless: options.Headless = False,
    out: options.Out = None,
    seconds: options.Seconds = None,
    ticks: options.Ticks = None,
    fps: options.Fps = None,
    keep: options.Keep = None,
    replay: options.Replay = None,
    server: options.Server = None,
    cluster: options.Cluster = None,
    selector: options.Selector = None,
    dry_run_cluster: options.DryRunCluster = False,
    kubeconfig: options.Kubeconfig = None,
    prometheus: options.Prometheus = None,
    queries: options.Queries = "zone",
    tick_s: options.TickS = None,
    web: options.Web = False,
    host: options.Host = "127.0.0.1",
    port: options.Port = 0,
    as_json: options.AsJson = False,
) -> None:
    """Watch a world run: zones, users, forecasts, what the controller does. h in the window shows every key.

    A simulation by default; --replay, --cluster and --dry-run-cluster show other things; --server tells a prediction
    server of every tick. --headless writes a film without a display; --web shows the same in a browser.
    """
    look_where_the_user_stands()
    checked_speed(speed)
    asked = How(headless, web, out, size_of(size), length_of(seconds, ticks, speed), fps, host, port, as_json)
    what = What(
        scenario, policy, seed, dynamics, forecaster, trace, replay, cluster, selector, dry_run_cluster, kubeconfig,
        prometheus, queries, tick_s, keep,
    )  # fmt: skip
    agree(what, asked)
    calls = None if server is None else ServerCalls(server, os.environ.get(KEY))
    with session_of(what, speed, calls) as session, ending(session, as_json) as told:
        _show(session, asked, told)


def _show(session: Session, how: How, told: Told) -> None:
    """Show a session as it was asked for; note what there is to tell of it."""
    if how.headless:
        _film(session, how, told)
    elif how.web:
        serve = resolve("page", "web", {"web": "benchmarks.live.web:serve"}, "serve")  # only here a server is needed
        serve(session, how.host, how.port, how.as_json, how.seconds)
    else:
        folder = writable(how.out or ".")
        say = partial(typer.echo, err=how.as_json)
        watch(session, folder, how.size, how.seconds, how.fps or FPS, say)


def _film(session: Session, how: How, told: Told) -> None:
    path, fps = Path(how.out or "live.mp4"), how.fps or FILM_FPS
    form = "frames" if how.is_folder else film_format(path)
    seconds = _film_s(session) if how.seconds is None else how.seconds
    size, say = _film_size(how, form), partial(typer.echo, err=how.as_json)
    told |= {"film": str(path), "pictures": 0, "fps": fps}
    try:
        with Bar(round(seconds * fps), unit="pictures", text="filming", every_s=LINE_EVERY_S) as bar:

            def taken() -> None:
                told["pictures"] += 1
                bar.advance("filming")

            film(session, path, seconds=seconds, fps=fps, size=size, form=form, progress=taken)
    except KeyboardInterrupt:
        _say_film(session, told, say)
        raise
    _say_film(session, told, say)


def _say_film(session: Session, told: Told, say: Callable[[str], object]) -> None:
    if told["pictures"]:
        say(f"Film: {told['film']} ({told['pictures']} pictures, {session.source.ticks} ticks)")


def _film_size(how: How, form: str) -> tuple[int, int]:
    """Return the size of a film; of an odd one say that it cannot be."""
    asked = how.size or REFERENCE
    size = even(asked) if form == "mp4" else asked
    if size != asked:
        said = f"--size {asked[0]}x{asked[1]}: an .mp4 has an even width and height; it gets {size[0]}x{size[1]}"
        typer.echo(said, err=True)
    return size


def _film_s(session: Session) -> float:
    source = session.source
    return source.length / session.interface.ticks_per_s if isinstance(source, Replay) else FILM_S
