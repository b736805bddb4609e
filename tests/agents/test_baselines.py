"""Hold, random, static: what they promise, and that every policy of the table keeps the contract."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import agents
from agents.baselines.random import Random
from agents.baselines.static import Static
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.recording import play
from metaverse_env.testing import check_policy

SOME_TICKS = 12


def commands(policy: Policy, scenario: str = "multi_zone", seeds: tuple[int, ...] = (0, 1), **options: Any) -> Any:
    """Return what a policy asks for over some ticks, ``[T, W, Z]``, and the turns."""
    shell = Shell(scenario, len(seeds), dynamics="physics", forecaster="none", **options)
    turns = list(play(shell, policy, seeds, SOME_TICKS))
    return np.stack([turn.command.zones for turn in turns]), turns


@pytest.mark.parametrize("name", agents.CLASSICAL)
def test_keeps_the_contract(name: str) -> None:
    check_policy(agents.load(name), deterministic=name != "random")


def test_the_classical_ones_are_in_the_table() -> None:
    assert set(agents.CLASSICAL) <= set(agents.POLICIES)


def test_hold_asks_for_what_there_is() -> None:
    asked, turns = commands(agents.load("hold"))
    start = turns[0].view.telemetry.allocation
    assert (asked["allocation"] == start).all()
    assert not asked["handover"].any()


def test_static_provisions_for_the_peak_once() -> None:
    asked, turns = commands(Static(peak_factor=2.0, utilisation=0.5))
    first = turns[0].view
    expected = np.clip(first.telemetry.usage * 4.0, *first.limits)
    np.testing.assert_allclose(asked["allocation"][0], expected, rtol=1e-6)
    assert (asked["allocation"] == asked["allocation"][0]).all()


def test_static_waits_for_the_first_sample_of_each_zone() -> None:
    shell = Shell("multi_zone", dynamics="physics", forecaster="none")
    shell.reset([0])
    policy = Static()
    policy.reset(shell.world.zones, 1)
    view = shell.view
    view.telemetry.zones["observed"][0, 3] = 0.0
    asked = policy.act(view).allocation[0]
    np.testing.assert_array_equal(asked[3], view.pending.allocation[0, 3])
    view.telemetry.zones["observed"][0, 3] = 1.0
    later = policy.act(view).allocation[0]
    assert (later[3, :2] > asked[3, :2]).all()  # an empty zone needs no more egress than the least
    np.testing.assert_array_equal(np.delete(later, 3, axis=0), np.delete(asked, 3, axis=0))


def test_random_stays_within_its_factors_and_the_limits() -> None:
    asked, turns = commands(Random(seed=5, largest_factor=1.5, largest_handover=0.4))
    before = np.stack([turn.view.pending.allocation for turn in turns])
    low, high = turns[0].view.limits
    factor = asked["allocation"] / before
    inside = (asked["allocation"] > low * 1.001) & (asked["allocation"] < high * 0.999)
    assert (factor[inside] <= 1.5001).all()
    assert (factor[inside] >= 1 / 1.5001).all()
    assert factor[inside].max() > 1.35
    assert factor[inside].min() < 1 / 1.35
    assert 0.0 <= asked["handover"].min() < 0.05
    assert 0.35 < asked["handover"].max() <= 0.4


def test_random_repeats_itself_in_a_batch_of_any_size_and_differs_by_seed() -> None:
    two, _ = commands(Random(seed=1), seeds=(0, 1))
    four, _ = commands(Random(seed=1), seeds=(0, 1, 2, 3))
    np.testing.assert_array_equal(two, four[:, :2])
    other, _ = commands(Random(seed=2), seeds=(0, 1))
    assert (two["allocation"] != other["allocation"]).mean() > 0.9


def test_random_hands_over_only_where_there_are_neighbours() -> None:
    asked, _ = commands(Random(), scenario="single_zone")
    assert not asked["handover"].any()


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("static", {"utilisation": 0.0}),
        ("static", {"peak_factor": float("nan")}),
        ("random", {"largest_factor": 0.5}),
        ("random", {"largest_handover": 1.5}),
        ("random", {"seed": -1}),
        ("random", {"seed": True}),
    ],
)
def test_refuses_impossible_parameters(policy: str, wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        agents.load(policy, **wrong)


def test_an_unknown_policy_is_asked_back() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'threshold'"):
        agents.load("treshold")


def test_an_unknown_parameter_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"targett.*cpu_target"):
        agents.load("threshold", targett=0.5)


MINE = """
from metaverse_env.telemetry import Command


class Greedy:
    def __init__(self, share=1.0):
        self.share = share

    def reset(self, zones, worlds):
        pass

    def act(self, view):
        return Command.of(self.share * view.pending.allocation)


ready_made = Greedy(0.5)


def no_policy():
    return 7
"""


@pytest.fixture
def my_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "policy_of_mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "policy_of_mine", raising=False)
    return "policy_of_mine"


def test_a_users_class_or_object_is_a_policy_too(my_module: str) -> None:
    assert agents.load(f"{my_module}:Greedy", share=0.25).share == 0.25  # type: ignore[attr-defined]
    assert agents.load(f"{my_module}:ready_made").share == 0.5  # type: ignore[attr-defined]


def test_what_a_user_gets_wrong_is_explained(my_module: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'Greedy'"):
        agents.load(f"{my_module}:Greed")
    with pytest.raises(ConfigurationError, match="without reset and act"):
        agents.load(f"{my_module}:no_policy")
    with pytest.raises(ConfigurationError, match="no module 'nowhere'"):
        agents.load("nowhere:Policy")
