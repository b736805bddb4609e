"""Where encoders run."""

import pytest
import torch

from metaverse_env.errors import ConfigurationError, UnknownNameError
from predictors.encoders.devices import choose_device, inference


def test_auto_is_what_is_there() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cpu:1", "cuda:x", "auto:0", ""])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown device"):
        choose_device(name)


def test_a_gpu_that_is_not_there_is_said_to_be_missing() -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ConfigurationError, match=f"'{missing}': torch .* sees {torch.cuda.device_count()} GPUs"):
        choose_device(missing)


def test_on_a_cpu_nothing_is_rounded_to_16_bits() -> None:
    weight = torch.full((1, 1), 1.0 + 2.0**-20, requires_grad=True)
    with inference(torch.device("cpu")):
        product = weight @ torch.ones(1, 1)
    assert product.dtype == torch.float32
    assert float(product) == 1.0 + 2.0**-20
    assert not product.requires_grad
