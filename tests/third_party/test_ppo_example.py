"""The example of PPO in one file: what it makes of restarts, its advantages, and that it learns."""

import importlib.util
import runpy
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import metaverse_env  # noqa: F401  registers the ids

FILE = Path(__file__).parents[2] / "docs" / "examples" / "ppo.py"
TINY = ["--worlds", "4", "--steps", "16", "--total-steps", "128", "--epochs", "1", "--parts", "2"]


@pytest.fixture(scope="module")
def ppo() -> Any:
    specification = importlib.util.spec_from_file_location("ppo_example", FILE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_advantages_by_hand(ppo: Any) -> None:
    rewards, values = torch.tensor([[1.0], [2.0], [0.0], [4.0]]), torch.tensor([[1.0], [2.0], [3.0], [5.0], [6.0]])
    over = torch.tensor([[False], [True], [False], [False]])
    # surprises with gamma 1/2: 1 + 1 - 1, 2 + 1.5 - 2, 0 + 2.5 - 3, 4 + 3 - 5; lambda 1/2, cut after the second
    expected = [1.0 + 0.25 * 1.5, 1.5, -0.5 + 0.25 * 2.0, 2.0]
    assert ppo.advantages(rewards, values, over, 0.5, 0.5)[:, 0].tolist() == pytest.approx(expected)


def test_without_lambda_they_are_what_is_paid_and_expected_after(ppo: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    rewards, values = torch.randn(20, 3, generator=generator), torch.randn(21, 3, generator=generator)
    over = torch.rand(20, 3, generator=generator) < 0.2
    found = ppo.advantages(rewards, values, over, 0.9, 1.0)
    for world in range(3):
        for start in range(20):
            end = next((t for t in range(start, 20) if over[t, world]), 19)
            paid = sum(0.9 ** (t - start) * rewards[t, world] for t in range(start, end + 1))
            total = paid + 0.9 ** (end + 1 - start) * values[end + 1, world] - values[start, world]
            assert found[start, world] == pytest.approx(total.item(), abs=1e-5)


def test_restarts_are_told_from_experience(ppo: Any, plain: dict[str, Any]) -> None:
    envs, oracle = (
        gym.make_vec("Metaverse/SingleZone-v0", 3, "vector_entry_point", autoreset_mode=mode, **plain)
        for mode in ("NextStep", "SameStep")
    )
    model = ppo.ActorCritic(envs.single_observation_space, envs.single_action_space)
    observation, over = envs.reset(seed=2)[0], np.zeros(3, dtype=np.bool_)
    first, observation, over = ppo.collect(envs, model, observation, over, 8)
    second, *_ = ppo.collect(envs, model, observation, over, 8)
    batch = [torch.cat([a, b]) for a, b in zip(first[:4], second[:4], strict=True)]
    restarts, ends = (torch.cat([getattr(first, name), getattr(second, name)]) for name in ("restart", "over"))
    assert restarts[:, 0].nonzero().flatten().tolist() == [5, 11]  # five ticks and the start of the next
    assert ends[:, 0].nonzero().flatten().tolist() == [4, 10]
    assert torch.equal(restarts[1:], ends[:-1])
    expected, _ = oracle.reset(seed=2)
    for t in range(16):
        if restarts[t].all():
            assert (batch[3][t] == 0.0).all()
            continue
        assert np.array_equal(batch[0][t], expected)
        expected, rewards, _, _, infos = oracle.step(batch[1][t, :, 0].numpy())
        assert batch[3][t].numpy() == pytest.approx(rewards, rel=1e-6)
        if ends[t].all():  # what follows is the true last observation
            assert np.array_equal(batch[0][t + 1], infos["final_obs"])
    real = first.rewards[~first.restart].mean().item()
    assert first.reward_per_tick == pytest.approx(real, rel=1e-5)


def test_restarts_teach_nothing(ppo: Any, plain: dict[str, Any]) -> None:
    envs = gym.make_vec("Metaverse/SingleZone-v0", 3, "vector_entry_point", **plain)
    models = []
    for wrong in (0.0, 1e6):
        torch.manual_seed(0)
        model = ppo.ActorCritic(envs.single_observation_space, envs.single_action_space)
        batch, *_ = ppo.collect(envs, model, envs.reset(seed=2)[0], np.zeros(3, dtype=np.bool_), 12)
        batch.rewards[batch.restart] = wrong
        ppo.improve(model, torch.optim.Adam(model.parameters()), batch, epochs=2, parts=2)
        models.append(model)
    assert all(torch.equal(a, b) for a, b in zip(*(model.parameters() for model in models), strict=True))


@pytest.mark.parametrize("env_id", ["Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0"])
def test_the_same_seed_gives_the_same_curve(ppo: Any, env_id: str) -> None:
    curves = [ppo.main([*TINY, "--env-id", env_id, "--seed", seed])[1] for seed in "334"]
    assert len(curves[0]) == 2
    assert np.isfinite(curves[0]).all()
    assert curves[0] == curves[1] != curves[2]


def test_a_choice_that_there_is_not_is_never_drawn(ppo: Any) -> None:
    envs = gym.make_vec("Metaverse/MultiZone-v0", 1, dynamics="physics", forecaster="none")
    model = ppo.ActorCritic(envs.single_observation_space, envs.single_action_space)
    distribution, _ = model(torch.zeros(1, *envs.single_observation_space.shape))
    assert distribution.probs.shape == (1, 120, 5)  # handover has four choices
    assert (distribution.probs[0, 3::4, 4] == 0.0).all()
    assert (distribution.probs[0, 0::4] > 0.0).all()


def test_it_learns(ppo: Any) -> None:
    _, curve = ppo.main(["--total-steps", "40000", "--epochs", "4"])
    assert np.mean(curve[-2:]) > curve[0] / 2.0  # rewards are negative: less than half of the cost


def test_it_runs_as_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [str(FILE), *TINY])
    runpy.run_path(str(FILE), run_name="__main__")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["64", "128"]
