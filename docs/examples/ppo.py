"""Proximal policy optimisation in one file, on a batch of worlds: ``python docs/examples/ppo.py --help``.

Only Gymnasium and torch; made to be read and changed. What is easily done wrong with vector environments that restart
in the step after the last one (``NextStep``, Gymnasium's default), and is done here:

* the observation that comes with a truncation is the true last one of its episode: its value is what the reward of the
  last step is bootstrapped with, as episodes are cut off and never end by themselves;
* the step after it ignores its action and pays nothing: it is no experience, and is left out of the loss.
"""

import argparse
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

import metaverse_env  # noqa: F401  registers the ids

GAMMA, LAMBDA, CLIP, ENTROPY_WEIGHT, VALUE_WEIGHT, GRADIENT_LIMIT = 0.95, 0.95, 0.2, 0.001, 0.5, 0.5


class Batch(NamedTuple):
    """``T`` steps of ``N`` worlds: ``[T, N, …]``, but values ``[T + 1, N]``."""

    observations: Tensor
    actions: Tensor
    log_probabilities: Tensor
    rewards: Tensor
    values: Tensor
    over: Tensor  # the step was the last one of its episode
    restart: Tensor  # the step only started the next episode
    reward_per_tick: float  # of the real steps, as the environment pays it


class ActorCritic(nn.Module):
    """A categorical distribution for each choice of the action, and a value."""

    def __init__(self, observation_space: Any, action_space: Any, width: int = 64) -> None:
        super().__init__()
        choices = torch.as_tensor(np.atleast_1d(getattr(action_space, "nvec", getattr(action_space, "n", 0))))
        size, self.shape = observation_space.shape[0], (len(choices), int(choices.max()))
        self.register_buffer("exists", torch.arange(self.shape[1]) < choices[:, None])  # choices may differ in number
        self.actor = nn.Sequential(nn.Linear(size, width), nn.Tanh(), nn.Linear(width, self.shape[0] * self.shape[1]))
        self.critic = nn.Sequential(nn.Linear(size, width), nn.Tanh(), nn.Linear(width, 1))
        with torch.no_grad():
            self.actor[-1].weight.mul_(0.01)  # all choices are about as likely at first

    def forward(self, observations: Tensor) -> tuple[Categorical, Tensor]:
        """Return the distribution of ``[…, choices]`` and the value ``[…]`` of observations ``[…, size]``."""
        logits = self.actor(observations).unflatten(-1, self.shape).masked_fill(~self.exists, -1e9)
        return Categorical(logits=logits), self.critic(observations)[..., 0]


def advantages(rewards: Tensor, values: Tensor, over: Tensor, gamma: float = GAMMA, lambda_: float = LAMBDA) -> Tensor:
    """Return generalised advantages ``[T, N]`` of rewards ``[T, N]``, with the values ``[T + 1, N]`` around them."""
    result, later = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        surprise = rewards[t] + gamma * values[t + 1] - values[t]  # also of a last step: it is cut off, not the end
        result[t] = later = surprise + gamma * lambda_ * (~over[t]) * later
    return result


@torch.no_grad()
def collect(envs: Any, model: ActorCritic, observation: np.ndarray, over: np.ndarray, steps: int) -> tuple[Any, ...]:
    """Let ``steps`` pass from an observation; ``over`` names the worlds that restart in the first of them."""
    rows: list[list[Any]] = []
    paid: list[float] = []
    for _ in range(steps):
        seen = torch.as_tensor(observation)
        distribution, value = model(seen)
        action = distribution.sample()
        restart = over
        observation, reward, _, over, infos = envs.step(action.numpy().reshape(envs.action_space.shape))
        paid += infos["reward_terms"]["reward"][~restart].tolist()
        known = (torch.as_tensor(np.asarray(array)) for array in (reward.astype(np.float32), over, restart))
        rows.append([seen, action, distribution.log_prob(action).sum(-1), value, *known])
    seen, actions, log_probabilities, values, rewards, ends, restarts = map(torch.stack, zip(*rows, strict=True))
    values = torch.cat([values, model(torch.as_tensor(observation))[1][None]])
    batch = Batch(seen, actions, log_probabilities, rewards, values, ends, restarts, float(np.mean(paid)))
    return batch, observation, over


def loss(model: ActorCritic, batch: Batch, gains: Tensor, returns: Tensor, some: Tensor) -> Tensor:
    """Return the clipped loss over the steps whose flat indices are ``some``."""
    distribution, values = model(batch.observations.flatten(0, 1)[some])
    log_probabilities = distribution.log_prob(batch.actions.flatten(0, 1)[some]).sum(-1)
    ratio = (log_probabilities - batch.log_probabilities.flatten()[some]).exp()
    gain = (gains[some] - gains[some].mean()) / (gains[some].std() + 1e-8)
    policy = -torch.min(gain * ratio, gain * ratio.clamp(1.0 - CLIP, 1.0 + CLIP)).mean()
    value = (values - returns[some]).square().mean()
    return policy + VALUE_WEIGHT * value - ENTROPY_WEIGHT * distribution.entropy().sum(-1).mean()


def improve(model: ActorCritic, optimiser: torch.optim.Optimizer, batch: Batch, epochs: int, parts: int) -> None:
    """Take ``epochs`` times ``parts`` steps along the gradient of the loss, over real steps alone."""
    gains = advantages(batch.rewards, batch.values, batch.over)
    returns = (gains + batch.values[:-1]).flatten()
    real = (~batch.restart).flatten().nonzero()[:, 0]
    for _ in range(epochs):
        for some in real[torch.randperm(len(real))].tensor_split(parts):
            optimiser.zero_grad()
            loss(model, batch, gains.flatten(), returns, some).backward()
            nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_LIMIT)
            optimiser.step()


def main(arguments: list[str] | None = None) -> tuple[ActorCritic, list[float]]:
    """Train; return the model and the mean reward per tick of every iteration."""
    asked = options().parse_args(arguments)
    torch.manual_seed(asked.seed)
    envs: Any = gym.make_vec(
        asked.env_id, asked.worlds, "vector_entry_point", dynamics=asked.dynamics, forecaster="none"
    )
    envs = gym.wrappers.vector.NormalizeReward(envs, gamma=GAMMA)  # rewards have heavy tails
    model = ActorCritic(envs.single_observation_space, envs.single_action_space)
    optimiser = torch.optim.Adam(model.parameters(), lr=asked.learning_rate, eps=1e-5)
    observation, over, curve = envs.reset(seed=asked.seed)[0], np.zeros(asked.worlds, dtype=np.bool_), []
    for done in range(0, asked.total_steps, asked.worlds * asked.steps):
        batch, observation, over = collect(envs, model, observation, over, asked.steps)
        improve(model, optimiser, batch, asked.epochs, asked.parts)
        curve.append(batch.reward_per_tick)
        print(f"{done + asked.worlds * asked.steps:>9} steps   {curve[-1]:8.3f} reward per tick", flush=True)
    envs.close()
    return model, curve


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description="PPO on a batch of worlds.")
    parser.add_argument("--env-id", default="Metaverse/SingleZone-v0")
    parser.add_argument("--dynamics", default="physics", help="physics or stgnn")
    parser.add_argument("--worlds", type=int, default=64, help="worlds that step together")
    parser.add_argument("--steps", type=int, default=64, help="steps of each world between two improvements")
    parser.add_argument("--total-steps", type=int, default=400_000, help="of all worlds together")
    parser.add_argument("--epochs", type=int, default=8, help="how often each step is learnt from")
    parser.add_argument("--parts", type=int, default=8, help="gradient steps in an epoch")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
