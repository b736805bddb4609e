"""The Kolmogorov-Arnold layer: by hand, by what it can represent, and by its speed."""

import statistics
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from predictors.encoders.motion.kan import KanLayer, MlpLayer


def test_a_tiny_layer_by_hand() -> None:
    layer = KanLayer(2, 1, centres=2, normalised=False)
    with torch.no_grad():
        layer.edges.copy_(torch.tensor([[0.5, -1.0, 1.0, 2.0, 3.0, 4.0]]))
    x = torch.tensor([[0.4, -0.7]])
    total = 0.5 * 0.4 / (1 + np.exp(-0.4)) + 1.0 * 0.7 / (1 + np.exp(0.7))
    for value, below, above in ((0.4, 1.0, 2.0), (-0.7, 3.0, 4.0)):
        inside = 2.5 * np.tanh(value / 2.5)
        total += below * np.exp(-(((inside + 2.5) / 5.0) ** 2)) + above * np.exp(-(((inside - 2.5) / 5.0) ** 2))
    assert layer(x).item() == pytest.approx(total, rel=1e-5)


def test_a_node_is_the_sum_of_functions_of_one_variable() -> None:
    torch.manual_seed(0)
    layer, x = KanLayer(5, 3, normalised=False), torch.randn(7, 5)
    made = layer(x)
    for output in range(3):
        summed = sum(layer.edge(place, output, x[:, place]) for place in range(5))
        torch.testing.assert_close(made[:, output], summed)


@given(st.floats(-1e6, 1e6))
def test_the_basis_never_vanishes(value: float) -> None:
    for centres in (2, 6, 8):
        basis = KanLayer(1, 1, centres).basis(torch.tensor([value]))
        assert 0.75 < basis.max() <= 1.0  # half a step from the nearest centre at most: exp(-1/4)
        assert torch.isfinite(basis).all()


def fitted(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the share of the variance that a network leaves unexplained after it was fitted."""
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (net(x) - y).square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    return float((net(x) - y).square().mean().detach() / y.var())


def test_one_layer_represents_a_sum_of_functions_that_a_matrix_cannot() -> None:
    torch.manual_seed(0)
    x = 2.0 * torch.rand(600, 3) - 1.0
    y = torch.sin(3.0 * x[:, :1]) + x[:, 1:2].square() - 1.5 * x[:, 2:].abs()
    assert fitted(KanLayer(3, 1, 10, normalised=False), x, y) < 0.01
    assert fitted(nn.Linear(3, 1), x, y) > 0.3


def test_layers_and_their_rivals_have_as_many_parameters() -> None:
    for inputs, outputs in ((89, 48), (96, 128), (128, 512)):
        counts = [sum(p.numel() for p in kind(inputs, outputs, 6).parameters()) for kind in (KanLayer, MlpLayer)]
        assert counts[1] == pytest.approx(counts[0], rel=0.01)


def test_it_takes_at_most_twice_the_time_of_an_mlp_of_as_many_parameters() -> None:
    """128 to 512 to 128, batch 64, forward and backward, by turns on one thread: the median of the ratios."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        kan = nn.Sequential(KanLayer(128, 512), KanLayer(512, 128))
        parameters = sum(parameter.numel() for parameter in kan.parameters())
        hidden = round((parameters - 128) / 257)
        mlp = nn.Sequential(nn.Linear(128, hidden), nn.SiLU(), nn.Linear(hidden, 128))
        assert sum(parameter.numel() for parameter in mlp.parameters()) == pytest.approx(parameters, rel=0.001)
        x = torch.randn(64, 128)
        ratios = [once(kan, x) / once(mlp, x) for _ in range(45)][5:]
    finally:
        torch.set_num_threads(threads)
    assert statistics.median(ratios) <= 2.0


def once(net: nn.Module, x: Tensor) -> float:
    """Return the processor's seconds for one forward and backward pass."""
    begun = time.thread_time()
    net.zero_grad()
    net(x).square().mean().backward()
    return time.thread_time() - begun
