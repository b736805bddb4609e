"""What every comparison is asked for on the command line, said once, however many commands compare."""

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import options
from benchmarks.conditions import Conditions, conditions
from benchmarks.suite import policy_names
from metaverse_env.folders import writable

EVERYONE = "hold,random,static,threshold"


class Asked(NamedTuple):
    """A comparison that can be held.

    Attributes:
        terms: Its conditions.
        names: The policies.
        folder: Takes results.
        resume: Whether to go on with what is finished there.
        as_json: Whether to print JSON instead of a table.
    """

    terms: Conditions
    names: tuple[str, ...]
    folder: Path
    resume: bool
    as_json: bool


def _ask(
    policies: options.Policies = EVERYONE,
    scenario: options.ScenarioName = "multi_zone",
    dynamics: options.DynamicsName = None,
    forecaster: options.ForecasterName = "stgnn",
    scaling: options.Scaling = None,
    seeds: options.Seeds = 8,
    seed: options.Seed = 0,
    ticks: options.Ticks = None,
    trace: options.TraceFile = None,
    mean_users: options.MeanUsers = None,
    wrap: options.Wrap = None,
    out: options.Out = Path("out"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> Asked:
    """Check what was asked for, before anything runs."""
    look_where_the_user_stands()
    names = policy_names(policies)
    terms = conditions(
        scenario,
        dynamics=dynamics,
        forecaster=forecaster,
        scaling=scaling,
        seeds=seeds,
        seed=seed,
        ticks=ticks,
        trace=None if trace is None else str(trace),
        mean_users=mean_users,
        wrapper=wrap,
    )
    return Asked(terms, names, writable(out), resume, as_json)  # made last: what is refused leaves nothing


def look_where_the_user_stands() -> None:
    """Let modules of the user's, named ``module:name``, be found in the folder from which the command was called."""
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


def comparing(without: Sequence[str] = (), **defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a comparison in front of its own, and hand it what was :class:`Asked`.

    Args:
        without: Options that this command does not have.
        **defaults: Of options whose default is another one in this command.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        every = inspect.signature(_ask).parameters
        shared = {name: parameter for name, parameter in every.items() if name not in without}
        _, *own = inspect.signature(command).parameters.values()

        @wraps(command)
        def run(**given: Any) -> None:
            command(_ask(**{name: given.pop(name) for name in shared}), **given)

        options_of_all = [
            parameter.replace(default=defaults.get(name, parameter.default)) for name, parameter in shared.items()
        ]
        run.__signature__ = inspect.Signature([*options_of_all, *own])  # type: ignore[attr-defined]  # Typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*options_of_all, *own)}
        return run

    return decorate
