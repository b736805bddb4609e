"""The forecaster's network: two ways to pass messages, its export, what outputs promise by construction, its loss."""

import math
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.history import HISTORY_FEATURES
from metaverse_env.scenario import load_scenario
from metaverse_env.zones import ZoneGraph, build_graph
from predictors.stgnn.blocks import neighbour_table
from predictors.stgnn.card import WEIGHTS, blank_card
from predictors.stgnn.export import example_inputs, export
from predictors.stgnn.features import FLOORS, FORECAST_FEATURES, log_of_bits
from predictors.stgnn.losses import pinball
from predictors.stgnn.messages import ZoneMessages, table_messages
from predictors.stgnn.model import MOST_SPREAD, ForecastNet, quantile_stack
from predictors.stgnn.tasks import union_edges

Net = TypeVar("Net", bound=torch.nn.Module)


def graph_of(zones: int) -> ZoneGraph:
    reference = load_scenario("multi_zone")
    return build_graph(reference.with_changes(layout=reference.layout.model_copy(update={"zones": zones})))


def restless(build: type[Net]) -> Net:
    """Return the same network each time, with every weight shaken, so that no head is near its quiet start."""
    torch.manual_seed(3)
    net = build()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return net.eval()


# --- two ways to pass a message ---


@pytest.mark.parametrize("zones", [1, 3, 30, 300])
def test_table_and_message_passing_agree(zones: int) -> None:
    graph = graph_of(zones)
    values = torch.randn(2 * zones, 7)
    neighbours, weights = (torch.from_numpy(array) for array in neighbour_table(graph, 2))
    edges = (torch.from_numpy(array) for array in union_edges(graph, 2))
    passing = ZoneMessages()  # type: ignore[abstract]
    torch.testing.assert_close(
        table_messages(values, neighbours, weights), passing(values, *edges), atol=1e-5, rtol=1e-5
    )


def test_messages_by_hand() -> None:
    values = torch.tensor([[1.0], [10.0], [100.0]])
    neighbours = torch.tensor([[1, 2], [0, 0], [1, 0]])  # zone 1 has one neighbour, zone 2 too: weight 0 pads
    weights = torch.tensor([[0.25, 0.75], [1.0, 0.0], [1.0, 0.0]])[:, :, None]
    torch.testing.assert_close(table_messages(values, neighbours, weights), torch.tensor([[77.5], [1.0], [10.0]]))


def test_whole_forecast_is_the_same_both_ways() -> None:
    net, graph = restless(ForecastNet), graph_of(12)
    features, last, ticks = 0.3 * torch.randn(24, len(FORECAST_FEATURES)), torch.randn(24, 4), torch.tensor([0, 7])
    table = (torch.from_numpy(array) for array in neighbour_table(graph, 2))
    index, weight = (torch.from_numpy(array) for array in union_edges(graph, 2))
    by_table = net(features, last, *table, ticks)
    by_messages = torch.exp(net.levels(features, last, index, weight, ticks, 12)).flatten(2)
    torch.testing.assert_close(by_table, by_messages, atol=1e-4, rtol=1e-4)


# --- the export ---


@pytest.mark.parametrize(("zones", "degree"), [(1, 1), (3, 2), (300, 4)])
def test_onnx_equals_torch(zones: int, degree: int, exported: Path) -> None:
    net = restless(ForecastNet)
    inputs = example_inputs(net, zones, degree)
    inputs["ticks"] = torch.arange(16 if zones == 3 else 1)
    session = ort.InferenceSession(exported, providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    with torch.no_grad():
        np.testing.assert_allclose(values, net(**inputs).numpy(), rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stem = tmp_path_factory.mktemp("onnx") / "forecaster"
    export(restless(ForecastNet), blank_card("forecaster"), stem)
    return stem.with_suffix(".onnx")


# --- by construction ---


def test_quantiles_never_cross() -> None:
    net, graph = restless(ForecastNet), graph_of(30)
    index, weight = (torch.from_numpy(array) for array in union_edges(graph, 1))
    levels = net.levels(
        0.5 * torch.randn(30, len(FORECAST_FEATURES)), torch.randn(30, 4), index, weight, torch.arange(16), 30
    )
    steps = levels.detach().diff(dim=-1)
    assert bool((steps >= 0.0).all())
    assert float(steps.max()) <= MOST_SPREAD + 1e-4


def test_stack_adds_spreads_to_the_median() -> None:
    outputs = torch.zeros(12)
    outputs[1], outputs[4 + 1], outputs[8 + 1] = 5.0, 0.1, 0.2  # the second target: median, first spread, second
    quantiles = (outputs @ quantile_stack()).reshape(4, 3)
    torch.testing.assert_close(quantiles[1], torch.tensor([5.0, 5.3, 5.9]))
    assert not quantiles[[0, 2, 3]].any()


@given(st.floats(min_value=2.0**-20, max_value=2.0**20, width=32))
def test_log_of_bits_is_the_logarithm(value: float) -> None:
    bits = int(np.float32(value).view(np.int32))
    assert log_of_bits(bits) == pytest.approx(math.log(value), abs=1e-6)


def test_names_count_the_columns() -> None:
    assert ForecastNet().project.in_features == len(set(FORECAST_FEATURES)) == 180
    assert len(FLOORS) == len(HISTORY_FEATURES) - 3 == 8


# --- losses ---


def test_losses_do_not_broadcast() -> None:
    """A target ``[N, 1]`` against ``[N]`` would broadcast to ``[N, N]`` and train on nonsense."""
    levels, weights = torch.zeros(8, 3), torch.ones(8)
    with pytest.raises(ValueError, match=r"equal shapes, got \(8,\), \(8, 1\), \(8,\)"):
        pinball(levels, torch.zeros(8, 1), weights)


def test_pinball_by_hand() -> None:
    levels = torch.tensor([[1.0, 2.0, 3.0], [9.0, 9.0, 9.0]])
    loss = pinball(levels, torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert float(loss) == pytest.approx((0.5 * 1.0 + 0.0 + 0.01 * 1.0) / 3.0)


def test_pinball_weighs_targets_as_it_is_told() -> None:
    levels, truth = torch.zeros(1, 2, 3), torch.tensor([[1.0, 2.0]])
    alike = (1.0 + 2.0) * (0.5 + 0.9 + 0.99) / 3.0 / 2.0
    assert float(pinball(levels, truth, torch.ones(1, 2))) == pytest.approx(alike)
    skewed = (3.0 * 1.0 + 0.5 * 2.0) * (0.5 + 0.9 + 0.99) / 3.0 / 2.0
    assert float(pinball(levels, truth, torch.ones(1, 2), torch.tensor([3.0, 0.5]))) == pytest.approx(skewed)
    with pytest.raises(ValueError, match="does not broadcast"):
        pinball(levels, truth, torch.ones(1, 2), torch.tensor([3.0]))


def test_no_latency_is_foretold_beyond_what_a_zone_shows_that_serves_nobody() -> None:
    """A zone that shows more already, in a world that waits for longer, is not foretold to get better for that."""
    torch.manual_seed(0)
    net = ForecastNet()
    with torch.no_grad():
        net.bias[..., :4] = 30.0  # everything is about to explode
        last = torch.log(torch.tensor([[1.0, 500.0, 10.0, 50.0], [1.0, 500.0, 10.0, 5000.0]]))
        table, weights = torch.zeros(2, 1, dtype=torch.int64), torch.ones(2, 1, 1)
        found = net(torch.zeros(2, len(FORECAST_FEATURES)), last, table, weights, torch.arange(2))
    found = found.reshape(2, 2, 4, 3)
    torch.testing.assert_close(found[0, :, -1], torch.full((2, 3), 2000.0), rtol=1e-5, atol=0.0)
    torch.testing.assert_close(found[1, :, -1], torch.full((2, 3), 5000.0), rtol=1e-5, atol=0.0)
    assert (found[..., :3, :] > 1e9).all()


def test_pinball_is_least_at_the_quantile() -> None:
    truth = torch.linspace(0.0, 1.0, 1001)
    losses = [float(pinball(torch.full((1001, 3), q), truth, torch.ones(1001))) for q in np.linspace(0, 1, 101)]
    assert np.argmin(losses) / 100 == pytest.approx(np.mean([0.5, 0.9, 0.99]), abs=0.02)


def test_shipped_network_tells_nothing_of_the_machine_that_trained() -> None:
    model = onnx.load(WEIGHTS / "stgnn_forecaster.onnx")
    nodes = (model, model.graph, *model.graph.node, *model.graph.value_info)
    assert [node for node in nodes if node.metadata_props or node.doc_string] == []
