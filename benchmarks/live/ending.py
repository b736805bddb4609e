"""The end of ``metaverse live``, however it comes: episodes are saved, and what there is to tell is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from metaverse_env.live.session import Session
from metaverse_env.live.simulation import MOST_KEPT, Simulation

Told = dict[str, Any]


@contextmanager
def ending(session: Session, as_json: bool) -> Iterator[Told]:
    """Give what is to be told, to be filled; at the end save the episode and tell, also after Ctrl-C.

    After a failure only the episode is saved, and where is told on stderr.
    """
    told: Told = {}
    try:
        yield told
    except KeyboardInterrupt:
        _end(session, told, as_json)
        raise
    except BaseException:
        _save(session, lambda text: typer.echo(text, err=True))
        raise
    _end(session, told, as_json)


def _end(session: Session, told: Told, as_json: bool) -> None:
    saved = _save(session, lambda text: typer.echo(text, err=as_json))
    calls = session.calls
    if calls is not None:
        state, why = calls.state
        told["server"] = {"url": calls.url, "state": state, "ticks": calls.reported, "delivered": calls.delivered}
        if not as_json:
            trouble = f"; {state}: {why}" if why else ""
            typer.echo(f"Server {calls.url}: {calls.delivered} of {calls.reported} ticks delivered{trouble}")
    if as_json:
        typer.echo(json.dumps({**_facts(session), **told, **saved}, indent=2))


def _save(session: Session, say: Callable[[str], object]) -> Told:
    """Save the episode that is being kept; say where all of them are."""
    source = session.source
    if not isinstance(source, Simulation) or source.archive is None:
        return {}
    source.put_away()
    files = source.archive.files
    for path, ticks in files:
        more = f"; more than {MOST_KEPT} are not kept" if ticks == MOST_KEPT else ""
        say(f"Episode: {path} ({ticks} ticks{more})")
    if not files:
        say(f"Episode: {source.archive.path} is not written, for no tick has passed")
    return {"episode": str(files[-1][0]), "episodes": [str(path) for path, _ in files]} if files else {}


def _facts(session: Session) -> Told:
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
