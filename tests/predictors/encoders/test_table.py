"""Encoders by name."""

import pytest

from metaverse_env.errors import ConfigurationError, UnknownNameError
from predictors.encoders import ENCODERS, load_encoders
from predictors.encoders.table import MODALITIES


def test_every_modality_has_an_encoder() -> None:
    assert {entry.modality for entry in ENCODERS.values()} == set(MODALITIES)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown encoder 'blib'\. Did you mean 'blip'"):
        load_encoders("blib")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("", "'' names none"),
        ("blip+", "'' names none"),
        ("blip=", "'blip=' names none"),
        ("blip+efficientnet", "blip and efficientnet both read image\\. Keep one"),
        ("kan+kan=folder", "kan and kan both read motion"),
    ],
)
def test_a_line_that_makes_no_set_is_refused(named: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_encoders(named)
