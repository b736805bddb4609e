"""Other people's libraries on our environments, unchanged."""

import logging
import multiprocessing
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import torchrl

# TorchRL, when first imported, changes how processes start for the whole program, other tests' included: back again.
assert torchrl.__version__
multiprocessing.set_start_method(None, force=True)

# Ray is larger than all else but torch together, so `make test` does not install it, and its tests are then not
# collected: they are no part of that run, and nothing is skipped there. To run them:
# pip install -c constraints.txt -e '.[ray]'; python -m pytest tests/third_party/test_rllib.py
collect_ignore = [] if find_spec("ray") else ["test_rllib.py"]


@pytest.fixture
def plain() -> dict[str, Any]:
    """Return the arguments of the fastest world, with episodes of five ticks."""
    return {"dynamics": "physics", "forecaster": "none", "episode_ticks": 5}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread: tests run side by side."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep what TorchRL says of its successes out of reports."""
    caplog.set_level(logging.WARNING, logger="torchrl")
