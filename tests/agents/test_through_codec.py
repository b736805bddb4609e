"""Commands coded as actions: the nearest there is, found by hand and by trying all."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.through_codec import Encoder, ThroughCodec, whole_pods
from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ActionError, LifecycleError
from metaverse_env.recording import play
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.telemetry import Command
from metaverse_env.testing import check_policy
from metaverse_env.zones import ZoneGraph

MULTI, SINGLE = load_scenario("multi_zone"), load_scenario("single_zone")
PODS = MULTI.with_changes(scaling="horizontal")
NAMES = ("a", "b")

cores, megabytes, mbps = st.floats(0.1, 16.0), st.floats(256.0, 32768.0), st.floats(2.0, 4000.0)
allocations = st.tuples(cores, megabytes, mbps)


def test_the_nearest_factor_and_share_by_hand() -> None:
    # Factors are .7 .9 1 1.2 1.6 and shares 0 .1 .25 .5.
    pending = Command.of([[[2.0, 1000.0, 100.0]] * 2])
    wanted = Command.of(
        [[[2.0 * 1.09, 1000.0 * 1.45, 100.0 * 0.2], [2.0 * 1.11, 1000.0 * 1.3, 100.0 * 0.96]]], [[0.04, 0.4]]
    )
    # Between 1 and 1.2 the border is their geometric mean 1.095; between 1.2 and 1.6 it is 1.386; .9 and 1: 0.949.
    actions = Encoder(MULTI, NAMES).encode(wanted, pending)
    assert actions.tolist() == [[2, 4, 0, 0, 3, 3, 2, 3]]


def test_one_zone_is_one_number() -> None:
    # Factors are .7 .9 1 1.2 1.6, no hand-over: 1.45, 1.01 and .7 are nearest to choices 4, 2, 0: 4 x 25 + 2 x 5 + 0.
    pending = Command.of([[[2.0, 1000.0, 100.0]]])
    wanted = Command.of([[[2.9, 1010.0, 70.0]]])
    assert Encoder(SINGLE, ("a",)).encode(wanted, pending).tolist() == [110]


def test_whole_pods_round_up_by_the_resource_that_needs_most() -> None:
    pod = np.array([0.5, 1024.0, 100.0])
    np.testing.assert_allclose(whole_pods(np.array([1.2, 1024.0, 420.0]), pod), 5 * pod)
    np.testing.assert_allclose(whole_pods(np.array([0.1, 1.0, 1.0]), pod), pod)
    np.testing.assert_allclose(whole_pods(2 * pod, pod), 2 * pod)


def test_replicas_by_hand() -> None:
    # 4 pods are pending. Factors give floor(2.8) = 2, 3, 4, 5, 7; 6 are wanted: 7 is nearer in ratio than 5.
    pod = np.array(PODS.actuation.pod_size)
    pending, wanted = Command.of([[4 * pod, 4 * pod]]), Command.of([[5.5 * pod, 4 * pod]], 0.1)
    encoder = Encoder(PODS, NAMES)
    actions = encoder.encode(wanted, pending)
    assert actions.tolist() == [[4, 1, 2, 1]]
    np.testing.assert_allclose(encoder.codec.decode(actions, pending).allocation[0, 0], 7 * pod)


@given(asked=allocations, pending=allocations, share=st.floats(0.0, 1.0))
def test_no_other_action_comes_nearer(
    asked: tuple[float, float, float], pending: tuple[float, float, float], share: float
) -> None:
    before, wanted = Command.of([[pending]]), Command.of([[asked]], share)
    encoder = Encoder(SINGLE, ("a",))
    codec = encoder.codec

    def distance(action: np.ndarray) -> np.ndarray:
        given: np.ndarray = codec.decode(action, before).allocation[0, 0]
        apart: np.ndarray = np.abs(np.log(given / wanted.allocation[0, 0]))
        return apart

    best = distance(encoder.encode(wanted, before))
    for choice in product(range(3), repeat=3):
        other = distance(np.array([np.ravel_multi_index(choice, (3, 3, 3))]))
        assert (best <= other + 1e-6).all()


@pytest.mark.parametrize("scenario", [MULTI, PODS, SINGLE], ids=["vertical", "horizontal", "one zone"])
def test_what_an_action_gave_is_coded_as_something_that_gives_it_again(scenario: Scenario) -> None:
    shell = Shell(scenario, 2, dynamics="physics", forecaster="none")
    shell.reset([0, 1])
    encoder = Encoder(shell.scenario, shell.world.zones.names)
    encoder.codec.space.seed(3)
    pending = shell.view.pending
    for _ in range(5):
        command = encoder.codec.decode(np.stack([encoder.codec.space.sample() for _ in range(2)]), pending)
        again = encoder.codec.decode(encoder.encode(command, pending), pending)
        np.testing.assert_allclose(again.allocation, command.allocation, rtol=1e-6)
        np.testing.assert_array_equal(again.handover, command.handover)
        pending = command


class Wishful:
    """Wants ten times as much as there is."""

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Nothing."""

    def act(self, view: View) -> Command:
        return Command.of(10.0 * view.pending.allocation)


def test_a_policy_gets_the_largest_factor_at_most() -> None:
    shell = Shell(MULTI, 1, dynamics="physics", forecaster="none")
    turn = next(play(shell, ThroughCodec(Wishful(), MULTI), [0], 1))
    limit = turn.view.limits[1]
    np.testing.assert_allclose(
        turn.command.allocation, np.minimum(1.6 * turn.view.pending.allocation, limit), rtol=1e-6
    )


def test_keeps_the_contract() -> None:
    check_policy(ThroughCodec(Wishful(), load_scenario("complex")))


def test_refuses_what_cannot_be_coded() -> None:
    with pytest.raises(ActionError, match="positive"):
        Encoder(MULTI, NAMES).encode(Command.of([[[0.0, 1.0, 1.0]] * 2]), Command.of([[[1.0, 512.0, 50.0]] * 2]))
    shell = Shell(MULTI, 1, dynamics="physics", forecaster="none")
    shell.reset([0])
    with pytest.raises(LifecycleError, match="reset"):
        ThroughCodec(Wishful(), MULTI).act(shell.view)
