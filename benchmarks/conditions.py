"""What a comparison is held in: which world, which seeds, for how long. Every mistake shows before anything runs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import metaverse_env
from metaverse_env.contracts import World
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.plugins import resolve_own
from metaverse_env.recording import Origin
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.traces import Trace, load_trace

BLOCK: Final = 8
"""Worlds that run side by side, and so what an interruption loses at most [choice]. What a policy does may depend on a
world's place in its block, so that another number gives other figures."""
MOST_WORLDS: Final = 100_000
"""More seeds than this are taken for a slip of the finger [choice]."""


HELD_OUT_SEED: Final = 800_000_000
"""The first of 100,000 seeds that judge. Nothing of the project trains, tunes, validates or chooses on them.

Tuning takes seeds from 1,000,000 on, learning those from 2,000,000 and 3,000,000, the networks' training multiples of
1,000,000, their tests those from 900,000,000; and what is looked at while a controller is written starts at 0.
"""


@dataclass(frozen=True)
class Conditions:
    """The conditions of a comparison, checked.

    Attributes:
        scenario: Its episode is as long as ``ticks``.
        dynamics: Name of the dynamics; ``"trace"`` with a trace.
        forecaster: Name of the forecaster, or ``"none"``.
        seeds: One world each.
        ticks: Length of every episode.
        trace: Users, scaled, when they come from a file.
        wrapper: ``"module:name"`` of what makes other worlds of these, or ``None``.
    """

    scenario: Scenario
    dynamics: str
    forecaster: str
    seeds: tuple[int, ...]
    ticks: int
    trace: Trace | None = None
    wrapper: str | None = None

    @property
    def label(self) -> str:
        """A short name, fit for a folder: the scenario, then the dynamics or the file of the trace."""
        users = self.dynamics if self.trace is None else Path(self.trace.source).name.split(".")[0]
        return re.sub(r"[^\w.-]+", "-", f"{self.scenario.name}-{users}")

    @property
    def blocks(self) -> list[tuple[int, ...]]:
        """The seeds in blocks of at most :data:`BLOCK`, which run side by side."""
        return [self.seeds[start : start + BLOCK] for start in range(0, len(self.seeds), BLOCK)]

    def shell(self, worlds: int) -> Shell:
        """Make worlds, with the forecaster around them."""
        wrap = None if self.wrapper is None else load_wrapper(self.wrapper)
        return Shell(self.scenario, worlds, self.dynamics, self.forecaster, trace=self.trace, remember=True, wrap=wrap)

    def facts(self) -> dict[str, Any]:
        """Return what identifies the conditions, ready for JSON; results of other conditions are not to be mixed."""
        scenario, trace = self.scenario, self.trace
        return {
            "version": metaverse_env.__version__,
            "scenario": scenario.name,
            "scenario_digest": sha256(scenario.model_dump_json().encode()).hexdigest()[:16],
            "scaling": scenario.scaling,
            "dynamics": self.dynamics,
            "forecaster": self.forecaster,
            "first_seed": self.seeds[0],
            "ticks": self.ticks,
            "tick_s": scenario.tick_s,
            "trace": None if trace is None else {"source": trace.source, "scale": trace.scale},
            "wrapper": self.wrapper,
        }

    def origin(self, policy: str) -> Origin:
        """Return what a recording of these worlds needs to be lived again."""
        if self.trace is None:
            return Origin(self.dynamics, policy=policy)
        return Origin(self.dynamics, self.trace.source, self.trace.scale, policy)

    def sentences(self) -> Iterator[str]:
        """Yield what a reader has to know to understand a result."""
        scenario, seeds = self.scenario, self.seeds
        shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds ({seeds[0]} to {seeds[-1]})"
        yield (
            f"Scenario {scenario.name} ({scenario.scaling} scaling), dynamics {self.dynamics}, forecaster "
            f"{self.forecaster}; {shown} of {self.ticks} ticks of {scenario.tick_s:g} s."
        )
        if self.wrapper is not None:
            yield f"Every world is wrapped by {self.wrapper}."
        if self.trace is not None:
            yield self.trace.describe()
            mean = float(self.trace.users.mean())
            yield f"One sample is one tick of {scenario.tick_s:g} s."
            yield f"That scale gives a mean of {mean:.4g} users per zone; --mean-users sets another."


def conditions(
    scenario: str | Scenario = "multi_zone",
    *,
    dynamics: str | None = None,
    forecaster: str = "stgnn",
    scaling: str | None = None,
    seeds: int = 8,
    seed: int = 0,
    ticks: int | None = None,
    trace: str | Trace | None = None,
    mean_users: float | None = None,
    wrapper: str | None = None,
) -> Conditions:
    """Check the conditions of a comparison.

    Args:
        scenario: A name, a file or a scenario.
        dynamics: ``None`` for ``"stgnn"``, or ``"trace"`` where there is a trace.
        forecaster: A name, or ``"none"``.
        scaling: Overrides the scenario's.
        seeds: How many worlds run side by side, seeded ``seed``, ``seed + 1``, ….
        seed: The first seed.
        ticks: Length of an episode; the scenario's when ``None``.
        trace: File of users or of telemetry.
        mean_users: Scales the trace to this mean per zone. When ``None``, a trace of users is scaled to the scenario's
            ``mean_users_per_zone``, and one with recorded demand not at all.
        wrapper: ``"module:name"`` of a function or class that makes another world of a world.

    Raises:
        MetaverseError: Whatever cannot be honoured.
    """
    for name, value, least, most in (
        ("seeds", seeds, 1, MOST_WORLDS),
        ("ticks", ticks, 1, None),
        ("seed", seed, 0, None),
    ):
        if value is not None and (value < least or (most is not None and value > most)):
            raise ConfigurationError(
                f"{name} = {value}; must be at least {least}" + f" and at most {most}" * bool(most)
            )
    if mean_users is not None and trace is None:
        raise ConfigurationError(
            f"mean_users = {mean_users:g} scales a trace, and there is none; give --trace FILE too"
        )
    if trace is not None and dynamics not in (None, "trace"):
        raise ConfigurationError(
            f"--trace replays users and --dynamics {dynamics} simulates them; give --dynamics trace, or leave "
            f"--trace out"
        )
    if trace is None and dynamics == "trace":
        raise ConfigurationError("--dynamics trace replays a file, and there is none; give --trace FILE too")
    if wrapper is not None:
        load_wrapper(wrapper)
    changes: dict[str, object] = {"episode_ticks": ticks, "scaling": scaling}
    changes = {name: value for name, value in changes.items() if value is not None}
    chosen = load_scenario(scenario).with_changes(**changes)
    users = _users(chosen, trace, mean_users)
    return Conditions(
        scenario=chosen,
        dynamics=dynamics or ("stgnn" if users is None else "trace"),
        forecaster=forecaster,
        seeds=tuple(range(seed, seed + seeds)),
        ticks=chosen.episode_ticks,
        trace=users,
        wrapper=wrapper,
    )


def load_wrapper(name: str) -> Callable[[World], World]:
    """Return what makes other worlds of worlds.

    Args:
        name: ``"module:name"`` of a function of a world, or of a class such as a
            :class:`~metaverse_env.wrapping.WorldWrapper`.

    Raises:
        ConfigurationError: There is no such module, or it holds nothing that can be called.
        UnknownNameError: The module has no such name.
    """
    found = resolve_own("wrapper", name)
    if not callable(found):
        raise ConfigurationError(
            f"wrapper {name!r} is a {type(found).__name__}; give a function or class that takes a world and makes one"
        )
    wrap: Callable[[World], World] = found
    return wrap


def _users(scenario: Scenario, trace: str | Trace | None, mean_users: float | None) -> Trace | None:
    """Return a trace at the size of the scenario's world, or at the one asked for; recorded demand stays as it is."""
    if trace is None:
        return None
    read = trace if isinstance(trace, Trace) else load_trace(trace)
    if mean_users is None and read.demand is not None:
        return read
    return read.scaled(scenario.workload.mean_users_per_zone if mean_users is None else mean_users)
