"""One training, from the first step to the kept weights: resumable, without pickle, whatever learns."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from agents.learning.card import Weights
from agents.learning.learners import blank_card, make_learner, make_shells, make_team, pay, weights_of
from agents.learning.price import Price
from agents.learning.runtime import LearnedPolicy
from agents.learning.settings import Settings
from agents.learning.tally import Tally
from agents.learning.validation import Judge
from metaverse_env.errors import CheckpointError
from predictors.stgnn.checkpoints import (
    load_optimiser,
    optimiser_tensors,
    part,
    prefixed,
    read_checkpoint,
    write_checkpoint,
)

LOOKS: Final = 80
"""How often in a training the policy is judged, the price follows and everything is saved [choice]."""

Report = Callable[[dict[str, float]], None]


class Training:
    """A training in a folder.

    Args:
        settings: What to train and how.
        folder: For the checkpoint.
        command: What was asked for, for the card.
        resume: Go on from the folder's checkpoint. Worlds start anew then, and so does the memory of DQN.

    Raises:
        CheckpointError: There is none to go on from, it is damaged, or it was made with other settings.
    """

    def __init__(self, settings: Settings, folder: Path, command: str = "", resume: bool = False) -> None:
        self.settings, self.folder = settings, folder
        self.team = make_team(settings)
        self.learner: BaseAlgorithm = make_learner(settings, self.team)
        self.judge = Judge.of(settings)
        self.card = blank_card(settings, self.team, command)
        self.price = Price(settings.violated_eur_per_user_h, settings.violated_percent)
        self.history: list[dict[str, float]] = []
        self.best: Weights = weights_of(self.learner)
        self.seconds, self._hardness = 0.0, settings.hardness_at(0.0)
        if resume:
            self._load()
            self.harden()

    @property
    def agent_steps(self) -> int:
        """How many were learnt from."""
        return self.learner.num_timesteps

    def fit(self, report: Report = lambda figures: None, minutes: float | None = None) -> Weights:
        """Train to the end or the time limit; return the weights that did best on the validation worlds.

        Args:
            report: Called after every look with its figures.
            minutes: At most, this time.
        """
        left = self.settings.agent_steps - self.agent_steps
        if left > 0:
            looks = _Looks(self, report, None if minutes is None else 60.0 * minutes)
            try:
                self.learner.learn(left, looks, log_interval=10, reset_num_timesteps=False)
                self._look_once_more(report)
            finally:
                self.save()
        return self.best

    def look(self) -> dict[str, float]:
        """Judge the policy as it is, keep it if it is the best so far, let the price follow, and save everything."""
        weights, training = weights_of(self.learner), self.team.tally.figures()
        self.team.tally = Tally()
        figures = self.judge.figures(LearnedPolicy(self.card, weights))
        loss = self.judge.loss(figures)
        if loss < min((entry["loss"] for entry in self.history), default=float("inf")):
            self.best = weights
        entry = {"agent_steps": float(self.agent_steps), "minutes": self.seconds / 60.0, "loss": loss, **figures}
        entry |= {f"training_{name}": value for name, value in training.items()}
        entry["violated_eur_per_user_h"] = self.price.eur_per_user_h
        self.history.append(entry)
        self._reprice(figures["violated_percent"])
        self.save()
        return entry

    def _look_once_more(self, report: Report) -> None:
        """Judge what was learnt since the last look where time ran out; a full training ends with a look of its own."""
        seen = self.history[-1]["agent_steps"] if self.history else 0.0
        if seen < self.agent_steps and (not self.history or self.agent_steps < self.settings.agent_steps):
            report(self.look())

    def _reprice(self, violated_percent: float) -> None:
        if self.settings.price_follows:
            self.price.follow(violated_percent)
        self.team.pay = pay(self.settings, self.price.eur_per_user_h)

    def harden(self) -> None:
        """Make the worlds as hard as they are to be by now."""
        hardness = self.settings.hardness_at(self.agent_steps / self.settings.agent_steps)
        if hardness != self._hardness:
            self._hardness = hardness
            self.team.replace(make_shells(self.settings, hardness))
            self.learner._last_obs = self._normalised.reset()  # where it goes on from

    def save(self) -> None:
        """Write the checkpoint in one go."""
        policy: Any = self.learner.policy
        best = {name: torch.from_numpy(value) for name, value in self.best.items()}
        note = {
            "settings": self.settings.facts(),
            "agent_steps": self.agent_steps,
            "seconds": self.seconds,
            "price": vars(self.price),
            "rewards": [float(value) for value in self._reward_statistics()],
            "history": self.history,
        }
        tensors = prefixed("policy.", policy.state_dict()) | prefixed("best.", best)
        write_checkpoint(self.folder, tensors | optimiser_tensors(policy.optimizer), json.loads(json.dumps(note)))

    def _reward_statistics(self) -> tuple[Any, Any, Any]:
        returns = self._normalised.ret_rms
        return returns.mean, returns.var, returns.count

    @property
    def _normalised(self) -> VecNormalize:
        return cast("VecNormalize", self.learner.get_vec_normalize_env())  # make_learner wraps them

    def _load(self) -> None:
        tensors, note = read_checkpoint(self.folder)
        if note.get("settings") != json.loads(json.dumps(self.settings.facts())):
            raise CheckpointError(
                f"the checkpoint in {self.folder} was made with {note.get('settings')}, not {self.settings.facts()}; "
                f"use the same, or leave --resume out"
            )
        policy: Any = self.learner.policy
        policy.load_state_dict(part(tensors, "policy."))
        load_optimiser(policy.optimizer, tensors)
        self.best = {name: tensor.numpy() for name, tensor in part(tensors, "best.").items()}
        self.learner.num_timesteps, self.seconds = note["agent_steps"], note["seconds"]
        self.price, self.history = Price(**note["price"]), note["history"]
        returns = self._normalised.ret_rms
        returns.mean, returns.var, returns.count = note["rewards"]
        self.team.pay = pay(self.settings, self.price.eur_per_user_h)


class _Looks(BaseCallback):
    """Looks, and stops in time."""

    def __init__(self, training: Training, report: Report, seconds: float | None) -> None:
        super().__init__()
        self.training, self.report, self.limit_s = training, report, seconds
        self._before_s = training.seconds
        self._per_look = max(1, training.settings.agent_steps // LOOKS)
        self._next = training.agent_steps + self._per_look

    def _on_training_start(self) -> None:
        self._started = time.perf_counter()

    def _on_step(self) -> bool:
        training = self.training
        training.seconds = self._before_s + time.perf_counter() - self._started
        if training.agent_steps >= self._next:
            self._next += self._per_look
            self._look()
        return self.limit_s is None or training.seconds - self._before_s < self.limit_s

    def _look(self) -> None:
        entry = self.training.look()
        for name, value in entry.items():
            self.logger.record(f"validation/{name}", value)
        self.training.harden()
        self.report(entry)
