"""``metaverse live``: a world that is watched while it runs, in a window, in a film, or in a browser."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from benchmarks.asking import look_where_the_user_stands
from benchmarks.live import options
from benchmarks.live.making import What, session_of
from benchmarks.progress import Bar
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.filming import film
from metaverse_env.live.obeying import checked_speed
from metaverse_env.live.replaying import Replay
from metaverse_env.live.session import TICKS_PER_S, Session
from metaverse_env.live.simulation import Simulation
from metaverse_env.live.watching import FPS, watch
from metaverse_env.plugins import resolve
from metaverse_env.recording import save_recording
from metaverse_env.rendering.layout import REFERENCE

KEY: Final = "METAVERSE_API_KEY"
"""Holds the key of a prediction server that asks for one; an argument could be read by other users."""
PAGES: Final = {"web": "benchmarks.live.web:serve"}
"""Imported when asked for: pictures in a window need no server."""
FILM_S: Final = 20.0
FILM_FPS: Final = 30
"""Length and pace of a film by default [choice]; one of a recording is as long as that."""
LARGEST: Final = 8192
"""Most width and height of a picture, px [choice]: 8K."""


class How(NamedTuple):
    """How it is shown."""

    headless: bool
    web: bool
    out: Path | None
    size: tuple[int, int] | None
    seconds: float | None
    fps: int | None
    host: str
    port: int
    as_json: bool


def live(
    scenario: options.ScenarioName = None,
    policy: options.PolicyName = "threshold",
    seed: options.Seed = 0,
    speed: options.Speed = TICKS_PER_S,
    size: options.Size = None,
    dynamics: options.Dynamics = "stgnn",
    forecaster: options.Forecaster = None,
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
    asked = How(headless, web, out, _size(size), _length(seconds, ticks, speed), fps, host, port, as_json)
    what = What(
        scenario, policy, seed, dynamics, forecaster, replay, cluster, selector, dry_run_cluster, kubeconfig,
        prometheus, queries, tick_s, keep,
    )  # fmt: skip
    _agree(what, asked)
    calls = None if server is None else ServerCalls(server, os.environ.get(KEY))
    with session_of(what, speed, calls) as session:
        told = _show(session, asked)
        if keep is not None and isinstance(session.source, Simulation):
            told["episode"] = str(save_recording(session.source.recording(), keep))
    if as_json:
        typer.echo(json.dumps(told, indent=2))


def _agree(what: What, how: How) -> None:
    """Refuse what contradicts itself.

    Raises:
        ConfigurationError: It does.
    """
    sources = {"--replay": what.replay, "--cluster": what.cluster, "--dry-run-cluster": what.dry_run_cluster}
    chosen = [name for name, value in sources.items() if value]
    if len(chosen) > 1:
        raise ConfigurationError(f"{' and '.join(chosen)} are different worlds; give one of them")
    if chosen and what.keep is not None:
        raise ConfigurationError(f"--keep records a simulation, and {chosen[0]} shows none; leave it out")
    if what.replay is not None and what.scenario is not None:
        raise ConfigurationError("--replay is of the scenario that it was recorded in; leave --scenario out")
    if how.headless and how.web:
        raise ConfigurationError("--headless writes a film, and --web shows pages; give one of them")
    if what.keep is not None and what.keep.suffix != ".npz":
        raise ConfigurationError(f"--keep {what.keep}: a recorded episode ends with .npz")


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ConfigurationError(f"--size {text!r}: give WIDTHxHEIGHT in px, such as 1280x720")
    size = int(width), int(height)
    if max(size) > LARGEST:
        raise ConfigurationError(f"--size {text}: at most {LARGEST} px wide and high")
    return size


def _length(seconds: float | None, ticks: int | None, speed: float) -> float | None:
    if seconds is not None and ticks is not None:
        raise ConfigurationError("--seconds and --ticks both say how long; give one of them")
    return seconds if ticks is None else ticks / speed


def _show(session: Session, how: How) -> dict[str, Any]:
    """Show a session as it was asked for; return what there is to tell of it."""
    told: dict[str, Any] = {}
    if how.headless:
        told = _film(session, how)
    elif how.web:
        serve = resolve("page", "web", {"web": "benchmarks.live.web:serve"}, "serve")  # only here a server is needed
        serve(session, how.host, how.port, how.as_json, how.seconds)
    else:
        folder = writable(how.out or Path())
        say = partial(typer.echo, err=how.as_json)
        watch(session, folder, how.size, how.seconds, how.fps or FPS, say)
    return {**_facts(session), **told}


def _film(session: Session, how: How) -> dict[str, Any]:
    path, fps = how.out or Path("live.mp4"), how.fps or FILM_FPS
    seconds = _film_s(session) if how.seconds is None else how.seconds
    with Bar(round(seconds * fps), unit="pictures", text="filming") as bar:
        pictures = film(
            session, path, seconds=seconds, fps=fps, size=how.size or REFERENCE, progress=lambda: bar.advance("filming")
        )
    if not how.as_json:
        typer.echo(f"Film: {path} ({pictures} pictures, {session.source.ticks} ticks)")
    return {"film": str(path), "pictures": pictures, "fps": fps}


def _film_s(session: Session) -> float:
    source = session.source
    return source.length / session.interface.ticks_per_s if isinstance(source, Replay) else FILM_S


def _facts(session: Session) -> dict[str, Any]:
    """Return where a session has got to."""
    snapshot, shown = session.snapshot, session.interface
    return {
        "source": shown.source,
        "state": shown.state,
        "scenario": snapshot.scenario,
        "policy": session.policy,
        "ticks": session.source.ticks,
        "users": sum(zone.users for zone in snapshot.zones),
        "messages": [message._asdict() for message in shown.messages],
    }
