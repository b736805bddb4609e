"""What an agent sees, against hand-made neighbourhoods and against the PettingZoo environment."""

import numpy as np
import pytest

import metaverse_env
from agents.learning.rows import ZoneRows
from metaverse_env.observation import WORLD_FEATURES
from metaverse_env.scenario import load_scenario
from metaverse_env.zones import ZoneGraph, build_graph

WORLD = len(WORLD_FEATURES)


def observation(zones: int, features: int, worlds: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (worlds, zones * features + WORLD)).astype(np.float32)


def graph(zones: int, topology: str = "ring") -> ZoneGraph:
    scenario = load_scenario("multi_zone")
    layout = scenario.layout.model_copy(update={"zones": zones, "topology": topology})
    return build_graph(scenario.with_changes(layout=layout))


def test_of_a_ring_of_four_every_zone_sees_the_two_beside_it() -> None:
    rows, seen = ZoneRows(graph(4), 3), observation(4, 3)
    own = seen[:, :12].reshape(2, 4, 3)
    actor = rows.actor(seen).reshape(2, 4, -1)
    assert actor.shape[2] == rows.actor_size == 3 + WORLD + 3
    np.testing.assert_array_equal(actor[:, :, :3], own)
    np.testing.assert_array_equal(actor[:, 2, 3 : 3 + WORLD], seen[:, 12:])
    np.testing.assert_allclose(actor[:, 0, 3 + WORLD :], (own[:, 1] + own[:, 3]) / 2, atol=1e-7)


def test_a_critic_sees_what_the_actor_sees_and_the_mean_and_largest_of_all() -> None:
    rows, seen = ZoneRows(graph(6, "grid"), 5), observation(6, 5)
    own = seen[:, :30].reshape(2, 6, 5)
    critic = rows.critic(seen).reshape(2, 6, -1)
    np.testing.assert_array_equal(critic[:, :, : rows.actor_size], rows.actor(seen).reshape(2, 6, -1))
    for zone in range(6):
        np.testing.assert_allclose(critic[:, zone, rows.actor_size : -5], own.mean(axis=1), atol=1e-7)
        np.testing.assert_array_equal(critic[:, zone, -5:], own.max(axis=1))


def test_a_critic_of_more_zones_sees_no_more_numbers() -> None:
    sizes = {ZoneRows(graph(zones, "grid"), 5).critic_size for zones in (3, 30, 300)}
    assert len(sizes) == 1


def test_to_who_learned_among_many_a_zone_alone_is_its_own_neighbour() -> None:
    alone, seen = build_graph(load_scenario("single_zone")), observation(1, 4)
    np.testing.assert_array_equal(ZoneRows(alone, 4, heard=True).actor(seen)[:, -4:], seen[:, :4])


def test_who_learned_about_one_alone_hears_no_neighbours_later() -> None:
    alone = ZoneRows(build_graph(load_scenario("single_zone")), 4)
    assert not alone.heard
    np.testing.assert_array_equal(alone.actor(observation(1, 4))[:, -4:], 0.0)
    many = ZoneRows(graph(4), 4, heard=alone.heard)
    np.testing.assert_array_equal(many.actor(observation(4, 4))[:, -4:], 0.0)
    assert ZoneRows(graph(4), 4).heard


@pytest.mark.parametrize("forecaster", ["none", "persistence"])
def test_own_and_world_features_are_what_an_agent_of_the_parallel_environment_sees(forecaster: str) -> None:
    team = metaverse_env.parallel_env("multi_zone", dynamics="physics", forecaster=forecaster)
    seen, _ = team.reset(seed=3)
    width = len(team.shell.observer.zone_features)
    rows = ZoneRows(team.shell.world.zones, width).actor(team.state()[None])
    np.testing.assert_array_equal(rows[:, : width + WORLD], np.stack([seen[agent] for agent in team.agents]))
