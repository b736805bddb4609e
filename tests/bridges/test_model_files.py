"""Files of a model that were changed, or that could hold code: the controller does not start."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import agents

WEIGHTS = Path(agents.__file__).parent / "weights"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a copy of a shipped policy's files."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(WEIGHTS / f"ppo_single_zone{suffix}", tmp_path / f"mine{suffix}")
    return tmp_path / "mine.safetensors"


def start(weights: Path) -> subprocess.CompletedProcess[str]:
    options = ["--policy", f"ppo@{weights.with_suffix('.json')}", "--dry-run-cluster", "--cycles", "1", "--port", "0"]
    command = [str(Path(sys.executable).with_name("metaverse")), "bridge", "run", *options, "--scenario", "single_zone"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_t76_the_files_as_they_came_are_taken(weights: Path) -> None:
    agents.load(f"ppo@{weights.with_suffix('.json')}")


def test_t76_weights_that_are_not_those_of_the_card_are_refused(weights: Path) -> None:
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    run = start(weights)
    assert run.returncode != 0
    assert "mine" in run.stderr
    assert '"cycle"' not in run.stdout


def test_t76_a_pickle_is_not_opened(weights: Path) -> None:
    weights.write_bytes(pickle.dumps({"first.weight": [1.0]}))
    run = start(weights)
    assert run.returncode != 0
    assert "mine" in run.stderr
    assert "Traceback" not in run.stderr
