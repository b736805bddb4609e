"""Folders for results: made, tried, and left as they were."""

from pathlib import Path

import pytest

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import free_for_run, writable


def test_a_folder_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"--out .*file/below: cannot write"):
        writable(tmp_path / "file" / "below")


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert list(writable(tmp_path / "new" / "folder").iterdir()) == []


def test_no_run_is_lost_by_a_command_that_is_given_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds a run of 7 steps; --resume goes on, --overwrite starts anew"):
        free_for_run(tmp_path, "a run of 7 steps", resume=False, overwrite=False)
    with pytest.raises(ConfigurationError, match="give one of them"):
        free_for_run(tmp_path, "", resume=True, overwrite=True)
    for asked in ({"resume": True, "overwrite": False}, {"resume": False, "overwrite": True}):
        assert free_for_run(tmp_path, "a run", **asked) == tmp_path
    assert free_for_run(tmp_path / "new", "", resume=False, overwrite=False).is_dir()
