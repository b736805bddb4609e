"""The bank and the fusion that are shipped: made of each other, of what they say, and of use in every environment."""

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from matplotlib.figure import Figure

import metaverse_env
from metaverse_env.scenario import load_scenario
from metaverse_env.scenario.workload import DEFAULT_ACTIVITIES
from metaverse_env.simulator.intents import IntentBank, load_bank
from predictors.encoders import load_encoders
from predictors.encoders.choosing import SUFFIXES
from predictors.encoders.commands import OFFLINE
from predictors.encoders.encoding import picture
from predictors.encoders.encoding.picture import nearest_activities
from predictors.encoders.fusion.runtime import SHIPPED, Fusion, Maker
from predictors.stgnn.features import EMBEDDING

NAMES = tuple(activity.name for activity in DEFAULT_ACTIVITIES)


@pytest.fixture(scope="module")
def bank() -> IntentBank:
    return load_bank("samples", NAMES)


@pytest.fixture(scope="module")
def told(bank: IntentBank) -> dict:
    return json.loads(bank.provenance)


def test_it_fits_the_default_scenario_and_the_shipped_networks(bank: IntentBank) -> None:
    assert bank.vectors.shape == (3, len(NAMES), 24, EMBEDDING)
    assert bank.modalities == tuple(SUFFIXES)


def test_it_was_made_by_the_shipped_fusion_of_the_shipped_encoders(told: dict) -> None:
    card = Fusion(SHIPPED).card
    assert told["projection"]["kind"] == "fusion"
    assert told["projection"]["sha256"] == card.digest
    assert {name: Maker(**maker) for name, maker in told["encoders"].items()} == card.makers
    assert card.dimension == EMBEDDING
    assert card.aligned_with == "text"
    loaded = load_encoders(OFFLINE)
    Fusion(SHIPPED).check(loaded)


def test_its_samples_are_told_apart_by_origin_and_licence(told: dict) -> None:
    count = 24 * len(NAMES)
    for modality in SUFFIXES:
        counted = told["from"][modality]["licences"]
        assert sum(counted.values()) == count
        assert "not stated" not in counted
        assert counted["Apache-2.0"] > 0.9 * count, "most are the project's own"
        assert any("synthetic" in origin for origin in told["from"][modality]["origins"])
        assert told["from"][modality]["made"]["split"] == "test", "no fusion saw them"
    assert "metaverse encode bank" in told["command"]
    assert "/" + "work" not in told["command"]
    assert told["samples"]["refused"] == 0


def test_one_signal_tells_the_activity_better_than_a_sentence_of_the_text_bank(bank: IntentBank) -> None:
    ours, texts = (
        float(np.trace(nearest_activities(one.vectors))) / len(NAMES) for one in (bank, load_bank("text", NAMES))
    )
    assert ours > 0.7 > texts


def test_its_activities_are_near_those_of_the_bank_that_networks_were_trained_with(bank: IntentBank) -> None:
    ours, theirs = (one.vectors.mean(axis=(0, 2)) for one in (bank, load_bank("text", NAMES)))
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs)]
    cosines = units[0] @ units[1].T
    np.testing.assert_array_equal(cosines.argmax(axis=1), np.arange(len(NAMES)))
    assert np.diag(cosines).min() > 0.8


@pytest.mark.parametrize(
    ("environment", "scenario"),
    [
        ("Metaverse/SingleZone-v0", "single_zone"),
        ("Metaverse/MultiZone-v0", "multi_zone"),
        ("Metaverse/Complex-v0", "complex"),
    ],
)
def test_every_environment_runs_with_it(environment: str, scenario: str) -> None:
    """With the learned dynamics and the shipped forecaster, which were trained with the other bank."""
    base = load_scenario(scenario)
    changed = base.with_changes(intents=base.intents.model_copy(update={"bank": "samples"}))
    env = gym.make(environment, scenario=changed)
    plain = gym.make(environment)
    seen, other = env.reset(seed=3)[0], plain.reset(seed=3)[0]
    np.testing.assert_array_equal(seen.shape, other.shape)
    rewards = []
    for _ in range(12):
        env.action_space.seed(1)
        observation, reward, *_ = env.step(env.action_space.sample())
        rewards.append(float(reward))
        assert env.observation_space.contains(observation)
    assert np.isfinite(rewards).all()
    env.close()
    plain.close()


def test_a_team_of_agents_runs_with_it() -> None:
    base = load_scenario("multi_zone")
    changed = base.with_changes(intents=base.intents.model_copy(update={"bank": "samples"}))
    team = metaverse_env.parallel_env(changed)
    team.reset(seed=0)
    _, rewards, *_ = team.step({agent: team.action_space(agent).sample() for agent in team.agents})
    assert np.isfinite(list(rewards.values())).all()
    team.close()


def test_the_picture_covers_no_point_and_says_what_is_compared(
    bank: IntentBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(picture, "Figure", lambda **more: drawn.append(Figure(**more)) or drawn[-1])
    picture.draw_bank(tmp_path / "bank.png", bank, NAMES)
    left, right = drawn[0].axes[:2]
    assert left.get_legend().get_window_extent().y1 <= left.get_window_extent().y0
    assert "by the nearest mean of the others\nin this bank: 82 %" in right.get_title()
