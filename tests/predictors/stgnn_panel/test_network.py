"""The network of a panel: what it is before it has learnt anything, who hears whom, and its loss."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel
from metaverse_env.units import QUANTILES
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.series import make_series
from predictors.stgnn.messages import table_messages
from predictors.stgnn.panel.correction import UNKNOWN_SHARE
from predictors.stgnn.panel.edges import edges, neighbour_table
from predictors.stgnn.panel.fitting import Fitting, build, choose_graph
from predictors.stgnn.panel.innovation import measure_innovation
from predictors.stgnn.panel.loss import MOST_ERRORS, panel_loss
from predictors.stgnn.panel.network import Outputs, PanelNet, TensorInputs

Shaken = Callable[..., PanelNet]
ORIGINS = np.array([0, 3, 30, 299, 398])


def inputs_of(linear: Linear) -> TensorInputs:
    return TensorInputs.of(linear.windows.inputs(ORIGINS))


def levels_of(outputs: Outputs) -> torch.Tensor:
    return torch.cat([outputs.median[..., None], outputs.upper, outputs.mean[..., None]], dim=-1)


# --- before it has learnt anything ---


@pytest.mark.parametrize("graph", ["none", "given", "learned"])
def test_untrained_it_is_the_linear_forecast(linear: Linear, graph: str) -> None:
    net = build(linear, Fitting(members=2, hidden=8, graph=graph)).cpu().eval()  # type: ignore[arg-type]
    with torch.no_grad():
        outputs = net(inputs_of(linear))
    torch.testing.assert_close(outputs.median, outputs.skip[0], rtol=0, atol=0)
    torch.testing.assert_close(outputs.mean, outputs.skip[1], rtol=0, atol=0)
    skip = linear.levels(linear.windows.inputs(ORIGINS))
    np.testing.assert_allclose(outputs.skip.numpy(), skip, atol=2e-5)


def test_untrained_it_has_the_quantiles_of_the_linear_forecasts_errors(linear: Linear) -> None:
    """On the training part, that they were measured on, they cover what they say."""
    net = build(linear, Fitting(members=1, hidden=8)).cpu().eval()
    windows, end = linear.windows, linear.windows.series.train_end
    origins = windows.origins(0, end)
    levels, weights = windows.targets(origins, 0, end)
    with torch.no_grad():
        upper = net(TensorInputs.of(windows.inputs(origins))).upper.numpy()
    for q, share in enumerate(QUANTILES[1:]):
        covered = ((levels <= upper[..., q]) * weights).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
        np.testing.assert_allclose(covered, share, atol=0.003)


def test_levels_become_the_values_of_the_scaling(linear: Linear, shaken: Shaken) -> None:
    levels = np.random.default_rng(0).normal(0.0, 3.0, (2, 5, 4, 2)).astype(np.float32)
    levels[0, 0] = 1e6
    found = shaken(linear).values(torch.from_numpy(levels)).numpy()
    np.testing.assert_allclose(found, linear.windows.scaling.values(levels), rtol=1e-4)
    assert np.isfinite(found).all()


# --- what outputs promise ---


def test_quantiles_never_cross(linear: Linear, shaken: Shaken) -> None:
    with torch.no_grad():
        outputs = shaken(linear)(inputs_of(linear))
    stacked = torch.cat([outputs.median[..., None], outputs.upper], dim=-1)
    assert (torch.diff(stacked, dim=-1) >= 0.0).all()
    assert not torch.equal(outputs.median, outputs.skip[0])


def test_a_gate_is_the_share_of_a_correction(linear: Linear, shaken: Shaken) -> None:
    net = shaken(linear)
    with torch.no_grad():
        whole = net(inputs_of(linear))
        net.gates.fill_(0.0)
        net.gates[0, 1, 2, 0] = 0.5
        gated = net(inputs_of(linear))
    torch.testing.assert_close(gated.mean, gated.skip[1])
    expected = gated.skip[0].clone()
    expected[1, :, 2, 0] = torch.lerp(whole.skip[0], whole.median, 0.5)[1, :, 2, 0]
    torch.testing.assert_close(gated.median, expected)


def test_members_are_averaged(linear: Linear, shaken: Shaken) -> None:
    net, inputs = shaken(linear), inputs_of(linear)
    with torch.no_grad():
        each = [net(inputs, member).median for member in range(2)]
        together = net(inputs).median
    torch.testing.assert_close(together, torch.stack(each).mean(0), rtol=1e-4, atol=1e-4)


# --- who hears whom ---


def test_three_ways_to_hear_agree(linear: Linear, shaken: Shaken) -> None:
    """torch-geometric's messages, a dense matrix, and a table of neighbours."""
    net, inputs = shaken(linear), inputs_of(linear)
    edge_index, edge_weight = edges(linear.windows.series.panel)
    dense = torch.zeros(4, 4)
    for (sender, hearer), weight in zip(edge_index.T.tolist(), edge_weight.tolist(), strict=True):
        dense[hearer, sender] += weight
    torch.testing.assert_close(dense.sum(1), torch.ones(4))
    neighbours, weights = (torch.from_numpy(part) for part in neighbour_table(linear.windows.series.panel))

    def by_table(state: torch.Tensor) -> torch.Tensor:
        return torch.stack([table_messages(one, neighbours, weights[..., None]) for one in state])

    with torch.no_grad():
        messages = levels_of(net(inputs))
        matrix = levels_of(net(inputs, hear=lambda state: dense @ state))
        table = levels_of(net(inputs, hear=by_table))
        deaf = levels_of(net(inputs, hear=torch.zeros_like))
    torch.testing.assert_close(messages, matrix, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(messages, table, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(messages, deaf, atol=1e-2)


def test_without_a_graph_zones_do_not_hear_each_other(linear: Linear, shaken: Shaken) -> None:
    inputs = linear.windows.inputs(ORIGINS)
    other = inputs.lags.copy()
    other[:, 2] += 1.0
    for graph, same in (("none", True), ("given", False), ("learned", False)):
        net = shaken(linear, graph=graph)
        with torch.no_grad():
            before = net(TensorInputs.of(inputs)).median[:, :, 1]
            after = net(TensorInputs.of(inputs._replace(lags=other))).median[:, :, 1]
        assert torch.equal(before, after) == same, graph


def test_edges_without_weights_weigh_the_same() -> None:
    pairs = np.array([[0, 1, 2, 0], [1, 2, 1, 2]])
    panel = Panel(np.zeros((2, 3, 1), np.float32), ("f",), ("a", "b", "c"), edge_index=pairs)
    np.testing.assert_allclose(edges(panel)[1], [0.5, 0.5, 0.5, 0.5])
    weighed = replace(panel, edge_weight=np.array([3.0, -1.0, 1.0, 0.0]))
    np.testing.assert_allclose(edges(weighed)[1], [0.75, 1.0, 0.25, 0.0])
    assert edges(replace(panel, edge_index=None))[1].shape == (0,)
    neighbours, weights = neighbour_table(panel)
    assert neighbours.tolist() == [[0, 0], [0, 2], [1, 0]]
    assert weights.tolist() == [[0.0, 0.0], [0.5, 0.5], [0.5, 0.5]]


def test_a_graph_is_chosen_as_wished(linear: Linear) -> None:
    windows = linear.windows
    assert choose_graph(windows, None) == "given"
    assert choose_graph(windows, "none") == "none"
    bare = replace(
        windows, series=replace(windows.series, panel=replace(windows.series.panel, edge_index=None, edge_weight=None))
    )
    assert choose_graph(bare, None) == "none"
    with pytest.raises(PanelError, match="has no edges to hear neighbours along"):
        choose_graph(bare, "given")
    names = tuple(map(str, range(2001)))
    crowd = Panel(np.zeros((10, 2001, 1), np.float32), ("f",), names)
    with pytest.raises(PanelError, match="2001 zones; a graph can be learned of 2000"):
        choose_graph(replace(bare, series=replace(bare.series, panel=crowd)), "learned")


# --- zones that are not told ---


def test_in_training_some_zones_are_unknown(linear: Linear, shaken: Shaken) -> None:
    net = shaken(linear, graph="none")
    member, told = net.members[0], []
    member.identity.register_forward_hook(lambda module, args, output: told.append(args[0]))  # type: ignore[union-attr]
    inputs = TensorInputs.of(linear.windows.inputs(np.arange(300)))
    for training in (True, False):
        net.train(training)
        with torch.no_grad():
            net(inputs, 0)
    unknown = [(one == net.sizes.zones).float().mean().item() for one in told]
    assert unknown[0] == pytest.approx(UNKNOWN_SHARE, abs=0.03)
    assert unknown[1] == 0.0


def test_any_number_of_unknown_zones_can_be_placed(linear: Linear, shaken: Shaken) -> None:
    """Zones that are not told from each other and show the same get the same forecast."""
    inputs = linear.windows.inputs(ORIGINS)
    twice = type(inputs)(
        *(
            part
            if name == "calendar"
            else np.concatenate(
                [part[..., :1, :, :] if name == "seasonal" else part[:, :1]] * 7, axis=2 if name == "seasonal" else 1
            )
            for name, part in inputs._asdict().items()
        )
    )
    names = tuple(f"new-{n}" for n in range(7))
    panel = Panel(np.zeros((2, 7, 2), np.float32), linear.windows.series.panel.feature_names, names)
    for graph in ("none", "given", "learned"):
        net = shaken(linear, graph=graph).place(panel, np.full(7, 4))
        with torch.no_grad():
            found = levels_of(net(TensorInputs.of(twice)))
        assert found.shape == (3, 5, 7, 2, 4)
        torch.testing.assert_close(found, found[:, :, :1].expand_as(found))


# --- its loss ---


def test_loss_by_hand(linear: Linear) -> None:
    net = build(linear, Fitting(members=1, hidden=8)).cpu()
    with torch.no_grad():
        net.step.fill_(2.0)
        net.rms.fill_(4.0)
        net.logarithmic.fill_(False)
        net.deviation.fill_(8.0)
    shape = (3, 1, 4, 2)
    median, truth = torch.zeros(shape), torch.full(shape, 1.0)
    upper = torch.stack([torch.full(shape, 0.5), torch.full(shape, 3.0)], dim=-1)
    mean = torch.full(shape, -1.0)
    weights = torch.zeros(shape)
    weights[0, 0, 0, 0] = 1.0
    quantiles = (0.5 * 1.0 + 0.9 * 0.5 + 0.01 * 2.0) / 2.0
    bounded = functional.huber_loss(torch.tensor(8.0 * 2.0 / 4.0), torch.tensor(0.0), delta=MOST_ERRORS)
    found = panel_loss(net, Outputs(median, upper, mean, median), truth, weights)
    assert float(found) == pytest.approx(quantiles + 0.5 * float(bounded), rel=1e-5)
    assert float(panel_loss(net, Outputs(median, upper, mean, median), truth, torch.zeros(shape))) == 0.0


@pytest.mark.parametrize("part", ["median", "mean", "levels", "weights"])
def test_a_loss_of_other_shapes_is_refused(linear: Linear, part: str) -> None:
    """Each of these would broadcast, and train a network that is wrong."""
    net = build(linear, Fitting(members=1, hidden=8)).cpu()
    shape = (3, 5, 4, 2)
    parts = {name: torch.zeros(shape) for name in ("median", "mean", "levels", "weights")}
    parts[part] = torch.zeros(3, 5, 1, 2)
    outputs = Outputs(parts["median"], torch.zeros(*shape, 2), parts["mean"], torch.zeros(2, *shape))
    with pytest.raises(ValueError, match="equal shapes"):
        panel_loss(net, outputs, parts["levels"], parts["weights"])


# --- how far the skip is off ---


def test_innovation_by_hand() -> None:
    """Persistence of a clock that ticks by 1, or by 2 in the second zone, one and two ticks ahead."""
    ticks = np.arange(50.0)
    values = np.stack([ticks - 60.0, 2.0 * ticks, np.full(50, np.nan)], axis=1)[..., None].astype(np.float32)
    series = make_series(Panel(values, ("f",), ("a", "b", "never")))
    held = best_linear(series, 2, (1, 2), lambda name: name == "persistence")
    found = measure_innovation(held)
    deviation = ticks[:35].std()
    np.testing.assert_allclose(found.values[..., 0], [[1.0, 2.0, 1.5, 1.5], [2.0, 4.0, 3.0, 3.0]], rtol=1e-4)
    np.testing.assert_allclose(found.levels[..., 0], np.array([[1.0] * 4, [2.0] * 4]) / deviation, rtol=1e-4)
    np.testing.assert_allclose(found.margins, 1.0, rtol=1e-4)
