"""``metaverse bridge replay``."""

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bridges.clock import SystemClock
from bridges.controller.gate import Switch
from bridges.controller.running import Stop, obeying
from bridges.controller.sites import Asked, Site, in_memory, real
from bridges.kubernetes.lease import LEASE
from bridges.replaying.actions import Action, actions_of
from bridges.replaying.journal import Done, Journal, digest_of_file
from bridges.replaying.replaying import replay
from metaverse_env.errors import ClusterError, ConfigurationError
from metaverse_env.recording import load_recording


def bridge_replay(
    recording: Annotated[Path, typer.Argument(help="An episode that metaverse demo or record() saved (.npz).")],
    namespace: Annotated[
        str | None, typer.Option(help="Whose Deployments are the zones.", show_default="needed on a real cluster")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.001, max=10_000.0, help="So many times faster.")] = 1.0,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write; else the server is only asked, without effect.")
    ] = False,
    world: Annotated[int, typer.Option(min=0, help="Which of the recorded worlds.")] = 0,
    zones: Annotated[str, typer.Option(help="Other names here, RECORDED=ZONE,…", show_default="the same names")] = "",
    journal: Annotated[
        Path | None, typer.Option(help="What was done; goes on from it.", show_default="RECORDING.journal")
    ] = None,
    selector: Annotated[str | None, typer.Option(help="Labels that choose the Deployments.")] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="How to reach the cluster.", show_default="as kubectl")
    ] = None,
    lease: Annotated[str, typer.Option(help="Lease that writers share.")] = LEASE,
    rollouts: Annotated[bool, typer.Option(help="Let lone pods be replaced where they cannot be resized.")] = False,
    dry_run_cluster: Annotated[bool, typer.Option("--dry-run-cluster", help="A cluster in memory instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of progress.")] = False,
) -> None:
    """Ask a cluster again for what a recorded episode asked for, in its times.

    Each action is done exactly once, however often this is interrupted and started again. Exit status 1 if one failed.
    """
    loaded = load_recording(recording)
    actions = actions_of(loaded, world, _mapping(zones))
    path = journal if journal is not None else recording.with_suffix(".journal" if apply else ".dry-journal")
    clock = SystemClock()
    stop, switch = Stop(clock), Switch()
    with ExitStack() as closing:
        book = closing.enter_context(Journal(path, digest_of_file(recording), apply))
        if dry_run_cluster:
            site = in_memory(loaded.scenario, 0, switch, stop, None if speed >= 100.0 else clock)
        else:
            if namespace is None:
                raise ConfigurationError("which namespace? give --namespace NAME, or try it with --dry-run-cluster")
            asked = Asked(namespace, selector, kubeconfig, lease=lease, acts=apply, rollouts=rollouts)
            site = real(asked, clock, switch, stop, closing)
        _lead(site, closing)
        with obeying(stop, switch), _Progress(len(actions), as_json) as progress:
            results = replay(actions, site.cluster, site.clock, book, speed, apply, progress.told, stop)
        _conclude(results, len(book.done), len(actions), path, as_json)


def _mapping(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not (old.strip() and equals and new.strip()) for old, equals, new in pairs):
        raise ConfigurationError(f"--zones {text!r}: give RECORDED=ZONE, separated by commas")
    return {old.strip(): new.strip() for old, _, new in pairs}


def _lead(site: Site, closing: ExitStack) -> None:
    """Take the lease, so that nobody writes beside this replay."""
    site.gate.leadership.start()
    closing.callback(site.gate.leadership.stop)
    if not site.gate.leadership.leading:
        raise ClusterError("another process holds the lease; end it, or give --lease another name")


def _conclude(results: Counter[str], done: int, of: int, path: Path, as_json: bool) -> None:
    summary = {"actions": of, "done": done, "receipts": dict(results), "journal": str(path)}
    words = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    typer.echo(
        json.dumps(summary) if as_json else f"{done} of {of} actions done: {words or 'nothing asked'}; see {path}"
    )
    if failed := results["failed"] + results["refused"]:
        raise ClusterError(f"{failed} changes were not made; their receipts in {path} say why")


class _Progress:
    def __init__(self, total: int, silent: bool) -> None:
        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("actions")
        self._bar = Progress(*columns, console=console, transient=True, disable=silent or not console.is_terminal)
        self._task = self._bar.add_task("replaying", total=total)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def told(self, action: Action, done: Done) -> None:
        """Count an action."""
        words = ", ".join(sorted({str(receipt["result"]) for receipt in done.receipts}))
        self._bar.update(self._task, advance=1, description=f"{action.at_s:.0f} s: {words}")
