"""Running a grid: what is asked for is checked, what is missing is run, and what is finished is kept."""

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import typer

from benchmarks.conditions import Conditions, conditions
from benchmarks.finished import Finished
from benchmarks.grid.findings import Cell
from benchmarks.grid.pool import Pool, Report
from benchmarks.grid.worker import Piece
from benchmarks.progress import Bar
from benchmarks.suite import load_policy
from metaverse_env.contracts import reveal
from metaverse_env.errors import ConfigurationError, MetaverseError, UnknownNameError
from metaverse_env.folders import writable


class Grid(NamedTuple):
    """Policies by conditions.

    Attributes:
        names: The policies, in the order of the tables.
        terms: The conditions, with different labels; each has a folder of its label.
        folder: Takes everything.
    """

    names: tuple[str, ...]
    terms: tuple[Conditions, ...]
    folder: Path


def several(listed: str, what: str) -> list[str]:
    """Split values at commas.

    Raises:
        ConfigurationError: None at all, or one twice.

    >>> several("physics, stgnn", "dynamics")
    ['physics', 'stgnn']
    """
    values = [value for part in listed.split(",") if (value := part.strip())]
    if not values or len(set(values)) < len(values):
        raise ConfigurationError(f"{what} = {listed!r}; give different values, at least one, separated by commas")
    return values


def all_conditions(
    scenarios: Sequence[str], dynamics: Sequence[str], traces: Sequence[str], **common: object
) -> tuple[Conditions, ...]:
    """Return every scenario with every dynamics, and with every trace.

    Args:
        scenarios: Names or files.
        dynamics: Names.
        traces: Files.
        **common: What all share; see :func:`~benchmarks.conditions.conditions`.

    Raises:
        MetaverseError: Whatever cannot be honoured, or two conditions of one label.
    """
    mean_users = common.pop("mean_users", None)
    if not (dynamics or traces):
        raise ConfigurationError(
            "no dynamics and no traces leave no condition; give --trace FILE, or --dynamics physics"
        )
    if mean_users is not None and not traces:
        raise ConfigurationError(f"mean_users = {mean_users} scales traces, and there is none; give --trace FILE too")
    ways: list[dict[str, object]] = [{"dynamics": name} for name in dynamics]
    ways += [{"trace": file, "mean_users": mean_users} for file in traces]
    made = [conditions(scenario, **way, **common) for scenario, way in product(scenarios, ways)]  # type: ignore[arg-type]
    labels = [terms.label for terms in made]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ConfigurationError(
            f"two conditions are called {twice!r}, after the scenario and the file of the trace; rename a file"
        )
    return tuple(made)


def check(grid: Grid, reference: str) -> frozenset[str]:
    """Make every policy and every world once, so that what cannot be made is said before anything runs.

    Returns:
        The policies that know the future.

    Raises:
        MetaverseError: What cannot be made.
    """
    if reference not in grid.names:
        raise UnknownNameError("reference among the policies", reference, grid.names)
    bounds: set[str] = set()
    with Bar(len(grid.terms), "conditions", "checking") as bar:
        for terms in grid.terms:
            bounds |= _checked(grid.names, terms)
            bar.advance(f"checking {terms.label}")
    return frozenset(bounds)


def _checked(names: Sequence[str], terms: Conditions) -> set[str]:
    world = terms.shell(1).world
    policies = {name: load_policy(name, terms.scenario) for name in names}
    for name, policy in policies.items():
        try:
            reveal(policy, world)
        except ConfigurationError as error:  # the world is wrapped, and its future nobody knows
            raise ConfigurationError(f"policy {name!r} in {terms.label}: {error}") from error
    return {name for name, policy in policies.items() if getattr(policy, "clairvoyant", False)}


def run(grid: Grid, jobs: int, limit_s: float, resume: bool) -> list[Cell]:
    """Run what is not finished, and keep every block as it is finished.

    Args:
        grid: What to run.
        jobs: How many processes.
        limit_s: The longest that a policy may think at a time, s.
        resume: Whether to go on with what is finished in the folders.

    Raises:
        KeyboardInterrupt: After what is finished has been kept.
    """
    kept = [_kept(terms, grid, resume) for terms in grid.terms]
    pieces = [
        Piece(index, name, seeds)
        for index, terms in enumerate(grid.terms)
        for name in grid.names
        for seeds in terms.blocks
        if not kept[index].has(name, seeds)
    ]
    failures: dict[tuple[int, str], str] = {}
    ticks = sum(grid.terms[piece.condition].ticks for piece in pieces)
    with Bar(ticks, text="starting processes") as bar, Pool(grid.terms, jobs, limit_s, bar.advance) as pool:
        _collect(pool, pieces, kept, failures, grid.folder)
    return [_cell(finished, grid.names, index, failures) for index, finished in enumerate(kept)]


def _kept(terms: Conditions, grid: Grid, resume: bool) -> Finished:
    folder = writable(grid.folder / terms.label)
    if resume:
        return Finished.resumed(terms, folder, grid.names)
    finished = Finished(terms, folder, grid.names)
    finished.save()  # over what another suite left there, which this one, resumed, must not take for its own
    return finished


def _collect(
    pool: Pool,
    pieces: Sequence[Piece],
    kept: Sequence[Finished],
    failures: dict[tuple[int, str], str],
    folder: Path,
) -> None:
    take = _taker(kept, failures)
    try:
        for report in pool.run(pieces):
            take(report)
    except KeyboardInterrupt:
        for report in pool.finished():
            take(report)
        done = sum(finished.count for finished in kept)
        typer.echo(
            f"Interrupted; rows (condition, policy and seed) in {folder}: {done}. "
            f"The same command with --resume goes on.",
            err=True,
        )
        raise


def _taker(kept: Sequence[Finished], failures: dict[tuple[int, str], str]) -> Callable[[Report], None]:
    def take(report: Report) -> None:
        piece, found = report
        if isinstance(found, MetaverseError):
            failures.setdefault((piece.condition, piece.policy), str(found))
        else:
            kept[piece.condition].add(piece.policy, piece.seeds, found)

    return take


def _cell(finished: Finished, names: Sequence[str], index: int, failures: dict[tuple[int, str], str]) -> Cell:
    finished.save()
    results = [result for result in finished.results if result.policy in names]
    failed = {name: failures[index, name] for name in names if (index, name) in failures}
    return Cell(finished.terms, results, failed)
