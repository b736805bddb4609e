"""Controllers compared in the same worlds: each seed is a world, and all controllers meet the same users.

Any policy can take part, by name or as ``"module:name"``. Yours needs two methods, and no base class::

    # my_module.py; then: metaverse benchmark --policies threshold,my_module:Generous
    from metaverse_env import Command


    class Generous:
        '''Keeps every zone at a third of its allocation.'''

        def reset(self, zones, worlds):
            pass  # zones: names, neighbours; worlds: how many

        def act(self, view):
            wanted = 3.0 * view.telemetry.usage  # [worlds, zones, 3]: cores, MB, Mbps
            missing = ~view.telemetry.observed  # hold where the metrics are missing
            wanted[missing] = view.pending.allocation[missing]
            return Command.of(wanted.clip(*view.limits), 0.0)  # 0: no sessions are handed over

:class:`metaverse_env.contracts.View` documents what ``view`` holds. The best classical controller runs once more as
``NAME+codec``, its commands replaced by the nearest that a coded action can give: what learned agents have to choose
from, so that the price of the coding is not taken for theirs.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Final

import agents
from agents.through_codec import ThroughCodec
from benchmarks.clock import DecisionClock
from benchmarks.conditions import Conditions
from benchmarks.finished import Finished
from benchmarks.scores import Result, Scores
from benchmarks.tally import Tally
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ActionError, ConfigurationError, PolicyError
from metaverse_env.recording import play
from metaverse_env.scenario import Scenario

CODEC_SUFFIX: Final = "+codec"


def policy_names(listed: str) -> tuple[str, ...]:
    """Split names at commas.

    Raises:
        ConfigurationError: None at all, or one twice.

    >>> policy_names("static, threshold+codec")
    ('static', 'threshold+codec')
    """
    names = tuple(name for part in listed.split(",") if (name := part.strip()))
    if not names or len(set(names)) < len(names):
        raise ConfigurationError(f"policies = {listed!r}; give different names, at least one, separated by commas")
    return names


def load_policy(name: str, scenario: Scenario) -> Policy:
    """Make a policy; ``NAME+codec`` makes one that is bound to coded actions, ``NAME@SCENARIO`` a tuned one.

    Raises:
        MetaverseError: As :func:`agents.load`.
    """
    if name.endswith(CODEC_SUFFIX):
        return ThroughCodec(agents.load(name.removesuffix(CODEC_SUFFIX)), scenario)
    return agents.load(name)


def run_policy(
    shell: Shell,
    policy: Policy,
    seeds: Sequence[int],
    ticks: int,
    tick_done: Callable[[], object] = lambda: None,
    clock: DecisionClock | None = None,
) -> Scores:
    """Let a policy act for an episode in all worlds of the shell, one for each seed, and sum up.

    Raises:
        ActionError: It returned what is no command, or one that the world refuses.
        PolicyError: It raised.
    """
    clock = DecisionClock() if clock is None else clock
    tally = Tally(len(seeds), len(shell.world.zones), shell.scenario.tick_s)
    for turn in play(shell, policy, seeds, ticks, thinking=clock):
        tally.add(turn.step.tick.outcome.zones, turn.step.reward.worlds)
        tick_done()
    return tally.scores(clock.decisions_ms)


def run_block(
    terms: Conditions,
    name: str,
    policy: Policy,
    shell: Shell,
    seeds: Sequence[int],
    tick_done: Callable[[], object] = lambda: None,
    clock: DecisionClock | None = None,
) -> Scores:
    """Run a policy in a block of worlds; what goes wrong is told with its name as it was asked for.

    Raises:
        ActionError: As :func:`run_policy`.
        PolicyError: As :func:`run_policy`.
    """
    try:
        return run_policy(shell, policy, seeds, terms.ticks, tick_done, clock)
    except (ActionError, PolicyError) as error:
        raise type(error)(f"policy {name!r} in {terms.label}, seeds {seeds[0]} to {seeds[-1]}: {error}") from error


def compare(
    terms: Conditions,
    names: Sequence[str],
    codec: bool = True,
    tick_done: Callable[[str], object] = lambda name: None,
    finished: Finished | None = None,
) -> Iterator[Result]:
    """Run policies one after the other in the same worlds; yield each result as it is there.

    Args:
        terms: The conditions.
        names: Policies; all are made before the first runs.
        codec: Whether the best classical one runs again through the codec.
        tick_done: Called after every tick with the policy's name.
        finished: What is finished already, which is not run again; gets what becomes finished, block by block.

    Raises:
        MetaverseError: A policy that cannot be made, or a world that cannot.
    """
    policies = {name: load_policy(name, terms.scenario) for name in names}
    finished = Finished(terms) if finished is None else finished
    shell = cache(terms.shell)
    results: list[Result] = []
    for name, policy in policies.items():
        results.append(_run_blocks(terms, name, policy, shell, finished, tick_done))
        yield results[-1]
    best = best_classical(results)
    again = None if best is None else best + CODEC_SUFFIX
    if codec and again is not None and again not in names:
        yield _run_blocks(terms, again, load_policy(again, terms.scenario), shell, finished, tick_done)


def _run_blocks(
    terms: Conditions,
    name: str,
    policy: Policy,
    shell: Callable[[int], Shell],
    finished: Finished,
    tick_done: Callable[[str], object],
) -> Result:
    """Run a policy in every block of worlds that is not finished; return what all of them gave."""
    for seeds in terms.blocks:
        if not finished.has(name, seeds):
            scores = run_block(terms, name, policy, shell(len(seeds)), seeds, partial(tick_done, name))
            finished.add(name, seeds, scores)
    return finished.result(name)


def best_classical(results: Sequence[Result]) -> str | None:
    """Return the classical policy of the highest mean reward, if there is any."""
    classical = [result for result in results if agents.plain_name(result.policy) in agents.CLASSICAL]
    return max(classical, key=lambda result: result.reward).policy if classical else None
