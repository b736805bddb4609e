"""The network of the dynamics: its export, and what its outputs promise whatever the weights."""

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from predictors.stgnn.card import WEIGHTS, blank_card
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES, MOST_DEVIATIONS
from predictors.stgnn.dynamics.model import MOST_CARRIED, MOST_COST, MOST_SPREAD, DynamicsNet
from predictors.stgnn.dynamics.runtime import StgnnDynamics
from predictors.stgnn.export import example_inputs, export

MILD, WILD = 0.3, 3.0


def shaken(seed: int, by: float) -> DynamicsNet:
    """Return a network with every weight shaken, so that no head is near its quiet start."""
    torch.manual_seed(seed)
    net = DynamicsNet()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(by * torch.randn_like(parameter))
    return net.eval()


def most_demand(net: DynamicsNet, users: torch.Tensor) -> torch.Tensor:
    """Return what demand cannot exceed."""
    per_user = torch.exp(net.typical[:3] + MOST_COST)
    return (torch.exp(net.idle) + users * per_user) * math.exp(MOST_SPREAD * MOST_DEVIATIONS)


# --- the export ---


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stem = tmp_path_factory.mktemp("onnx") / "dynamics"
    export(shaken(3, MILD), blank_card("dynamics"), stem)
    return stem.with_suffix(".onnx")


@pytest.mark.parametrize(("zones", "degree"), [(1, 1), (3, 2), (300, 4)])
def test_onnx_equals_torch(zones: int, degree: int, exported: Path) -> None:
    net = shaken(3, MILD)
    inputs = example_inputs(net, zones, degree)
    session = ort.InferenceSession(exported, providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    with torch.no_grad():
        np.testing.assert_allclose(values, net(**inputs).numpy(), rtol=1e-4, atol=1e-4)


def test_names_count_the_columns() -> None:
    assert DynamicsNet().encode.in_features == len(set(DYNAMICS_FEATURES)) == 71


def test_shipped_network_is_small_and_tells_nothing_of_the_machine_that_trained() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.glob("stgnn_dynamics.*")) < 200_000
    model = onnx.load(WEIGHTS / "stgnn_dynamics.onnx")
    nodes = (model, model.graph, *model.graph.node, *model.graph.value_info)
    assert [node for node in nodes if node.metadata_props or node.doc_string] == []


# --- by construction ---


@given(seed=st.integers(0, 10_000), by=st.sampled_from([MILD, WILD]))
def test_outputs_are_bounded_whatever_the_weights(seed: int, by: float) -> None:
    net = shaken(seed, by)
    inputs = example_inputs(net, zones=8)
    inputs["features"] = 100.0 * inputs["features"]
    inputs["noise"] = torch.clamp(10.0 * inputs["noise"], -MOST_DEVIATIONS, MOST_DEVIATIONS)
    with torch.no_grad():
        values = net(**inputs)
        most = most_demand(net, inputs["users"])
    assert bool(torch.isfinite(values).all())
    assert bool((values >= 0.0).all())
    assert bool((values[:, :3] <= 1.001 * most).all())
    assert bool((values[:, 6:] <= 1.0).all())


@given(seed=st.integers(0, 10_000))
def test_what_waits_fades_whatever_the_weights(seed: int) -> None:
    """A millisecond that waited makes at most 0.98 ms more, in the median as in p50 and p99."""
    net = shaken(seed, WILD)
    inputs = example_inputs(net, zones=8)
    inputs["allocation"] -= 5.0  # overloaded
    with torch.no_grad():
        before = net(**inputs)
        more = net(**(inputs | {"waiting": inputs["waiting"] + 1000.0})) - before
    assert bool((more[:, 3:6] >= 0.0).all())
    slack = 1e-5 * before[:, 3:6].max() + 1e-2  # of float32
    assert bool((more[:, 3:6] <= 1000.0 * MOST_CARRIED + slack).all())


@given(seed=st.integers(0, 10_000), resource=st.integers(0, 2))
def test_more_allocation_never_gives_more_latency(seed: int, resource: int) -> None:
    """Whatever the weights, the noise, and what waits."""
    net = shaken(seed, MILD)
    inputs = example_inputs(net, zones=16)
    with torch.no_grad():
        scarce = net(**inputs)
        inputs["allocation"] = inputs["allocation"].clone()
        inputs["allocation"][:, resource] += 0.5
        plenty = net(**inputs)
    assert bool((plenty[:, 3:6] <= scarce[:, 3:6] * (1.0 + 1e-5)).all())
    assert torch.equal(plenty[:, :3], scarce[:, :3]), "demand does not depend on what is given"


@given(seed=st.integers(0, 10_000))
def test_quantiles_of_latency_are_in_order(seed: int) -> None:
    net = shaken(seed, WILD)
    with torch.no_grad():
        latency = net(**example_inputs(net, zones=16))[:, 3:6]
    assert bool((latency.diff(dim=1) >= 0.0).all())


def test_a_world_of_any_network_stays_bounded(tmp_path: Path) -> None:
    """Fed back what it says for an hour, a network with absurd weights still says what it may."""
    net = shaken(5, 1.0)
    export(net, blank_card("dynamics", residual_keep=((0.5, 0.9, 0.99, 1.0),) * 4), tmp_path / "absurd")
    world = SimulatedWorld("multi_zone", 4, StgnnDynamics(tmp_path / "absurd"))
    command = Command.of(world.reset(seeds=range(4)).allocation)
    for _ in range(240):
        outcome = world.step(command).outcome.zones
        users = torch.from_numpy(outcome["users"].copy())[..., None]
        assert (outcome["demand"] <= 1.001 * most_demand(net, users).detach().numpy()).all()
        assert np.isfinite(world.state.zones["memory_mb"]).all()
        assert (outcome["latency_ms"] <= world.scenario.service.down_latency_ms).all()


# --- hand-overs ---


def test_demand_is_served_where_it_is_handed_to() -> None:
    """A quarter of what zone 0's users need goes to zone 1; what zone 0 needs without users stays."""
    net = DynamicsNet()
    with torch.no_grad():
        net.idle.zero_()  # 1 core, 1 MB, 1 Mbps
    demand = torch.tensor([[5.0, 9.0, 13.0], [2.0, 2.0, 2.0]])
    shares = torch.tensor([[-0.25, 0.0], [0.0, 0.25]])[:, :, None]
    served = net.served(demand, torch.tensor([[0, 1], [1, 0]]), shares)
    torch.testing.assert_close(served, torch.tensor([[4.0, 7.0, 10.0], [3.0, 4.0, 5.0]]))


def test_handed_over_demand_weighs_next_door() -> None:
    """With all of zone 0's demand at zone 1, what zone 1 is given matters more to it."""
    net = shaken(3, MILD)
    inputs = example_inputs(net, zones=2, degree=2)
    inputs["neighbours"] = torch.tensor([[0, 1], [1, 0]])
    inputs["shares"] = torch.zeros(2, 2, 1)
    with torch.no_grad():
        alone = net(**inputs)
        inputs["shares"] = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])[:, :, None]
        shared = net(**inputs)
    assert torch.equal(alone[:, :3], shared[:, :3]), "demand is of a zone's users, wherever they are served"
    assert float(shared[1, 4]) > float(alone[1, 4])
