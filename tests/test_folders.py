"""Folders for results: made, tried, and left as they were."""

from pathlib import Path

import pytest

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable


def test_a_folder_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"--out .*file/below: cannot write"):
        writable(tmp_path / "file" / "below")


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert list(writable(tmp_path / "new" / "folder").iterdir()) == []
