"""Parameters as data: what a tuner reads is what the controller takes."""

import inspect
from importlib import import_module

import numpy as np
import pytest

import agents
from agents.baselines.parameters import parameters_of
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError

LISTED = tuple(sorted({*agents.CLASSICAL, *agents.CLAIRVOYANT} - {"hold", "random"}))


def class_of(name: str) -> type:
    module, attribute = agents.POLICIES[name].split(":")
    found: type = getattr(import_module(module), attribute)
    return found


@pytest.mark.parametrize("name", LISTED)
def test_the_list_is_the_signature_and_every_range_holds(name: str) -> None:
    listed = parameters_of(class_of(name))
    assert [one.name for one in listed] == list(inspect.signature(class_of(name)).parameters)
    for one in listed:
        low, high = one.range.search or (one.default, one.default)
        assert one.range.least <= low <= one.default <= high <= one.range.most, one.name
        assert one.range.about, one.name
        assert low > 0 or not one.range.logarithmic, one.name
        agents.load(name, **{one.name: low})
        agents.load(name, **{one.name: high})


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "0.5", True])
def test_every_parameter_refuses_what_is_no_number_of_its_range(name: str, value: object) -> None:
    for one in parameters_of(class_of(name)):
        with pytest.raises(ConfigurationError, match=one.name):
            agents.load(name, **{one.name: value})


def test_whole_numbers_are_whole() -> None:
    assert agents.load("keda", least_replicas=3).least_replicas == 3.0  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match=r"least_replicas = 2.5; must be a whole number in \[1, 1e\+06\] rep"):
        agents.load("keda", least_replicas=2.5)


def test_a_view_tells_what_a_pod_is_where_there_are_whole_pods() -> None:
    for scaling, expected in (("horizontal", (0.5, 1024.0, 100.0)), ("vertical", None)):
        shell = Shell("multi_zone", 1, "physics", "none", scaling=scaling)
        shell.reset([0])
        size = shell.view.pod_size
        assert size is None if expected is None else np.allclose(size, expected)
