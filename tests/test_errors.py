"""The tree of errors: built-in bases, suggestions, and that they survive a process border."""

import copy
import inspect
import pickle

import pytest

from metaverse_env import errors
from metaverse_env.errors import (
    ActionError,
    CheckpointError,
    ClusterError,
    ConfigurationError,
    LifecycleError,
    MetaverseError,
    MissingDependencyError,
    PanelError,
    PolicyError,
    SampleError,
    ScenarioError,
    TraceError,
    UnknownArgumentError,
    UnknownNameError,
    did_you_mean,
)

EXAMPLES = (
    MetaverseError("m"),
    ConfigurationError("c"),
    UnknownNameError("scenario", "sing_zone", ["single_zone", "multi_zone"]),
    UnknownArgumentError.among("dynamic", ["dynamics", "world"]),
    ScenarioError("s"),
    TraceError("t"),
    PanelError("n"),
    SampleError("i"),
    ActionError("a"),
    PolicyError("p"),
    ClusterError("u"),
    LifecycleError("l"),
    CheckpointError("k"),
    MissingDependencyError("the window", "pygame", "render"),
)


def test_the_examples_are_all_there_are() -> None:
    defined = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}
    assert {type(error) for error in EXAMPLES} == defined


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_each_is_of_the_family_and_keeps_its_message_in_a_copy(error: MetaverseError) -> None:
    assert isinstance(error, MetaverseError)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


@pytest.mark.parametrize(
    ("kind", "built_in"),
    [
        (ConfigurationError, ValueError),
        (UnknownNameError, ValueError),
        (UnknownArgumentError, ValueError),
        (UnknownArgumentError, TypeError),
        (ActionError, ValueError),
        (PolicyError, RuntimeError),
        (CheckpointError, ValueError),
        (LifecycleError, RuntimeError),
        (MissingDependencyError, ImportError),
    ],
)
def test_callers_who_know_only_pythons_errors_catch_them(kind: type, built_in: type) -> None:
    assert issubclass(kind, built_in)


def test_an_unknown_name_suggests_the_nearest_and_lists_all() -> None:
    message = str(UnknownNameError("scenario", "sing_zone", ["single_zone", "multi_zone"]))
    assert message == "unknown scenario 'sing_zone'. Did you mean 'single_zone'? Known: multi_zone, single_zone."


def test_an_unknown_argument_is_told_in_pythons_words() -> None:
    message = str(UnknownArgumentError.among("dynamic", ["world", "dynamics"]))
    assert message == "unexpected keyword argument 'dynamic'. Did you mean 'dynamics'? Known: dynamics, world."


def test_nothing_near_suggests_nothing() -> None:
    assert did_you_mean("xyz", ["single_zone"]) == ""
    assert did_you_mean("singel_zone", ["single_zone"]) == " Did you mean 'single_zone'?"


def test_a_missing_package_names_its_extra() -> None:
    message = str(MissingDependencyError("the window", "pygame", "render"))
    assert message == "the window needs pygame, which is not installed. Run: pip install 'metaverse-env[render]'"
