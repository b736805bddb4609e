"""What a test does that lacks something."""

import os
from typing import NoReturn

import pytest


def unavailable(message: str) -> NoReturn:
    """Skip with this sentence, or fail with it where METAVERSE_NO_SKIP=1."""
    if os.environ.get("METAVERSE_NO_SKIP") == "1":
        pytest.fail(message)
    pytest.skip(message)
