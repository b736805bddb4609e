"""The action codec by hand: what each kind of action asks of a zone."""

from itertools import chain
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.action import ActionCodec
from metaverse_env.errors import ActionError, UnknownNameError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.telemetry import Command

NAMES = ("north", "south")
PENDING = Command.of([[[2.0, 1000.0, 100.0], [1.0, 4000.0, 50.0]]], 0.5)
POD = np.array([0.5, 1024.0, 100.0])


def scenario(**actuation: Any) -> Scenario:
    base = load_scenario("multi_zone")
    limits = {"allocation_min": (0.5, 500.0, 20.0), "allocation_max": (8.0, 16384.0, 1600.0), "pod_size": tuple(POD)}
    return base.with_changes(actuation=base.actuation.model_copy(update={**limits, **actuation}))


def horizontal(**actuation: Any) -> Scenario:
    return scenario(**actuation).with_changes(scaling="horizontal")


def test_choices_multiply_what_is_pending() -> None:
    codec = ActionCodec(scenario(), NAMES)  # factors .7 .9 1 1.2 1.6, shares 0 .1 .25 .5
    command = codec.decode([[0, 2, 4, 1, 3, 1, 2, 3]], PENDING)
    assert command.allocation[0, 0] == pytest.approx([1.4, 1000.0, 160.0])
    assert command.allocation[0, 1] == pytest.approx([1.2, 3600.0, 50.0])
    assert command.handover[0].tolist() == pytest.approx([0.1, 0.5])


def test_a_box_doubles_and_halves() -> None:
    codec = ActionCodec(scenario(), NAMES, "continuous")
    command = codec.decode(np.float32([[1.0, 0.0, -1.0, -1.0, 0.5, -0.5, 1.0, 1.0]]), PENDING)
    assert command.allocation[0, 0] == pytest.approx([4.0, 1000.0, 50.0])
    assert command.allocation[0, 1] == pytest.approx([2.0**0.5, 4000.0 / 2.0**0.5, 100.0])
    assert command.handover[0].tolist() == [0.0, 0.5]


@pytest.mark.parametrize(("choice", "expected"), [(0, [0.5, 500.0, 20.0]), (4, [8.0, 16384.0, 1600.0])])
def test_allocations_stay_within_limits(choice: int, expected: list[float]) -> None:
    codec, command = ActionCodec(scenario(), NAMES), PENDING
    for _ in range(20):
        command = codec.decode([[choice, choice, choice, 0] * 2], command)
    assert command.allocation == pytest.approx(np.tile(expected, (1, 2, 1)))


@pytest.mark.parametrize(
    ("pods", "choice", "expected"),
    [
        (1, 0, 1),  # never none
        (2, 1, 1),  # 1.8 would round to 2: at least one less
        (10, 0, 7),
        (10, 1, 9),
        (3, 2, 3),
        (1, 3, 2),  # at least one more
        (5, 3, 6),
        (5, 4, 8),
        (6, 4, 10),  # 9.6
        (12, 4, 16),  # 19.2 are more than there may be
        (16, 4, 16),
    ],
)
def test_pods_are_scaled_by_whole_ones(pods: int, choice: int, expected: int) -> None:
    codec = ActionCodec(horizontal(), ("north",))
    command = codec.decode([codec_index(codec, choice, 0)], Command.of([[pods * POD]]))
    assert command.allocation[0, 0] == pytest.approx(expected * POD)


def test_the_scarcest_resource_limits_the_pods() -> None:
    codec = ActionCodec(horizontal(allocation_max=(8.0, 9000.0, 1600.0)), ("north",))
    command = codec.decode([codec_index(codec, 4, 0)], Command.of([[7 * POD]]))
    assert command.allocation[0, 0] == pytest.approx(8 * POD)


def codec_index(codec: ActionCodec, *parts: int) -> int:
    return int(np.ravel_multi_index(parts, codec.choices))


def test_a_horizontal_box_scales_pods_too() -> None:
    codec = ActionCodec(horizontal(), NAMES, "continuous")
    command = codec.decode(np.float32([[0.5, -1.0, -0.2, -1.0]]), Command.of([[4 * POD, 4 * POD]]))
    assert command.allocation[0] / POD == pytest.approx(np.array([[6.0] * 3, [3.0] * 3]))


@given(pods=st.integers(1, 60), value=st.floats(-1.0, 1.0, width=32))
def test_pods_stay_whole_and_move_the_way_they_should(pods: int, value: float) -> None:
    codec = ActionCodec(load_scenario("multi_zone").with_changes(scaling="horizontal"), ("north",), "continuous")
    before = Command.of([[pods * POD]])
    after = codec.decode(np.float32([[value, -1.0]]), before).allocation[0, 0, 0] / POD[0]
    assert after == round(after)
    limit = codec.limits[1, 0] / POD[0]
    if np.float32(2.0**value) == 1.0:
        assert after == pods
    elif value > 0.0:
        assert after > pods or after == limit
    else:
        assert after < pods or after == pods == 1


@pytest.mark.parametrize("action_type", ["discrete", "continuous"])
@pytest.mark.parametrize("make", [scenario, horizontal])
@pytest.mark.parametrize("names", [("north",), NAMES])
def test_hold_changes_nothing_and_hands_nothing_over(action_type: Any, make: Any, names: Any) -> None:
    codec = ActionCodec(make(), names, action_type)
    pending = Command.of(np.tile(2 * POD, (1, len(names), 1)), 0.5)
    assert codec.space.contains(codec.hold)
    command = codec.decode([codec.hold], pending)
    assert np.array_equal(command.allocation, pending.allocation)
    assert (command.handover == 0.0).all()


def test_spaces() -> None:
    assert ActionCodec(scenario(), NAMES).space == spaces.MultiDiscrete([5, 5, 5, 4] * 2)
    assert ActionCodec(horizontal(), NAMES).space == spaces.MultiDiscrete([5, 4] * 2)
    assert ActionCodec(scenario(), NAMES, "continuous").space == spaces.Box(-1.0, 1.0, (8,), np.float32)
    assert ActionCodec(scenario(), ("north",)).space == spaces.Discrete(500)
    assert ActionCodec(scenario(handover_shares=(0.0,)), ("north",)).space == spaces.Discrete(125)
    assert ActionCodec(scenario(handover_shares=(0.0,)), NAMES).space == spaces.MultiDiscrete([5] * 6)
    assert ActionCodec(scenario(), NAMES).zone_space() == spaces.MultiDiscrete([5, 5, 5, 4])
    assert ActionCodec(scenario(), NAMES, "continuous").zone_space() == spaces.Box(-1.0, 1.0, (4,), np.float32)


def test_one_number_stands_for_all_choices_of_a_lone_zone() -> None:
    codec, pending = ActionCodec(scenario(), ("north",)), Command.of([[[2.0, 1000.0, 100.0]]])
    number, parts = codec_index(codec, 4, 0, 3, 2), np.array([[[4, 0, 3, 2]]])
    assert np.array_equal(codec.decode([number], pending).zones, codec.decode(parts, pending).zones)
    every = {codec.decode([n], pending).zones.tobytes() for n in range(500)}
    assert len(every) == 500


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint8, np.uint64])
def test_integers_of_any_width_do(dtype: Any) -> None:
    codec = ActionCodec(scenario(), NAMES)
    action = np.array([[0, 2, 4, 1, 3, 1, 2, 3]])
    assert np.array_equal(codec.decode(action.astype(dtype), PENDING).zones, codec.decode(action, PENDING).zones)


def test_worlds_are_decoded_one_by_one() -> None:
    codec = ActionCodec(scenario(), NAMES)
    pending = Command.of(np.concatenate([PENDING.allocation, 2.0 * PENDING.allocation]))
    command = codec.decode([[3] * 8, [2, 2, 2, 0] * 2], pending)
    assert command.allocation[0] == pytest.approx(1.2 * pending.allocation[0])
    assert command.allocation[1] == pytest.approx(pending.allocation[1])


def test_decoding_does_not_change_what_is_pending() -> None:
    before = PENDING.zones.tobytes()
    ActionCodec(scenario(), NAMES).decode([[4] * 3 + [3] + [0] * 4], PENDING)
    assert PENDING.zones.tobytes() == before


def test_masks_by_hand() -> None:
    codec = ActionCodec(scenario(), NAMES)  # factors .7 .9 1 1.2 1.6; limits .5-8 cores, 500-16384 MB, 20-1600 Mbps
    pending = Command.of([[[0.5, 600.0, 1590.0], [8.0, 520.0, 100.0]]])
    masks = codec.masks(pending)
    every = [True] * 5
    north = [[False, False, True, True, True], [True] * 5, [True, True, True, True, False]]  # 420 MB become 500
    south = [[True, True, True, False, False], [False, True, True, True, True], every]
    assert masks.dtype == np.bool_
    assert masks[0].tolist() == [*chain(*north), *[True] * 4, *chain(*south), *[True] * 4]


@pytest.mark.parametrize("pods", [1, 2, 3, 12, 16])
def test_masks_of_pods_by_hand(pods: int) -> None:
    expected = {
        1: [False, False, True, True, False],  # 1.2 and 1.6 both ask for two
        2: [False, True, True, True, True],  # .7 and .9 both ask for one; 1.2 for three, 1.6 for four
        3: [False, True, True, True, True],  # .7 and .9 both ask for two
        12: [True] * 5,  # 8, 10, 12, 15, 16
        16: [True, True, True, False, False],
    }[pods]
    codec = ActionCodec(horizontal(handover_shares=(0.0,)), NAMES)
    assert codec.masks(Command.of([[pods * POD, pods * POD]]))[0].tolist() == expected * 2


@given(
    names=st.sampled_from([("north",), NAMES]),
    factors=st.permutations([0.5, 0.7, 0.9, 1.0, 1.2, 1.6]),
    sideways=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_masked_actions_reach_every_command_once(names: Any, factors: Any, sideways: bool, seed: int) -> None:
    made = (horizontal if sideways else scenario)(factors=tuple(factors), handover_shares=(0.0, 0.25))
    codec, random = ActionCodec(made, names), np.random.default_rng(seed)
    near_limits = random.choice([0.5, 0.6, 1.0, 7.0, 8.0], (1, len(names), 1)) * [1.0, 1000.0, 40.0]
    whole = np.ceil(near_limits[..., :1]) * POD
    pending = Command.of(whole if sideways else np.maximum(near_limits, codec.limits[0]))
    masks = codec.masks(pending)[0]
    if not codec.single:
        masks = masks[: sum(codec.choices)]  # of the first zone
        parts = np.split(masks, np.cumsum(codec.choices)[:-1])
        masks = np.array([all(p[c] for p, c in zip(parts, cs, strict=True)) for cs in np.ndindex(*codec.choices)])
    hold = [codec.hold] if codec.single else codec.hold[: len(codec.choices)]
    assert masks[hold[0] if codec.single else np.ravel_multi_index(tuple(hold), tuple(codec.choices))]
    commands = []
    for cs in np.ndindex(*codec.choices):
        action = np.tile(cs, (1, len(names), 1))
        commands.append(codec.decode(action, pending).zones[0, 0].tobytes())
    allowed = [command for command, mask in zip(commands, masks, strict=True) if mask]
    assert len(allowed) == len(set(allowed))
    assert set(allowed) == set(commands)


def test_a_box_has_no_masks() -> None:
    with pytest.raises(ActionError, match="make the environment with 'discrete'"):
        ActionCodec(scenario(), NAMES, "continuous").masks(PENDING)


def test_the_first_bad_choice_is_named_with_its_zone() -> None:
    codec = ActionCodec(scenario(), NAMES)
    for place, words in ((2, "zone 'north': bandwidth_mbps = 7; must be in 0 to 4"), (7, "zone 'south': handover = 7")):
        action = np.zeros((1, 8), dtype=int)
        action[0, place:] = 7
        with pytest.raises(ActionError, match=words):
            codec.decode(action, PENDING)


def test_unknown_action_type() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'discrete'"):
        ActionCodec(scenario(), NAMES, "discreet")  # type: ignore[arg-type]
