"""``metaverse demo --encoders``: samples in; texts, intents, forecasts and a picture out; and what it lacks, it says."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner, Result

from benchmarks import encoder_picture
from benchmarks.encoder_demo import Outlook, look_ahead
from benchmarks.encoder_samples import ANNOUNCED
from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.intents import load_bank


def demo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["demo", *(str(argument) for argument in arguments)], prog_name="metaverse")


def test_what_is_announced_is_foretold(tmp_path: Path) -> None:
    found = demo("--encoders", "efficientnet+kan", "--out", tmp_path, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told == json.loads((tmp_path / "encoders.json").read_text(encoding="utf-8"))
    assert tuple(told) == ANNOUNCED
    for name, one in told.items():
        assert len(one["samples"]) == 4
        assert all(sample["text"] and not sample["problem"] for sample in one["samples"])
        assert max(one["activity"], key=one["activity"].get) == name
        assert len(one["report"]["embedding"]) == 32
    medians = {name: np.array(one["medians"]["bandwidth_mbps"]) for name, one in told.items()}
    assert (medians["concert"] > 1.5 * medians["idle"])[3:].all()
    with Image.open(tmp_path / "encoders.png") as picture:
        assert picture.size == (1500, 1050)


def test_only_the_announcement_differs() -> None:
    """An intent that is what a zone's users show anyway changes little; one of a concert much."""
    scenario = load_scenario("multi_zone")
    bank = load_bank("samples", ["idle", "concert"]).vectors.mean(axis=(0, 2))
    outlook = look_ahead(scenario, {"idle": bank[0], "idle again": bank[0], "concert": bank[1]}, seed=0)
    np.testing.assert_array_equal(outlook.forecasts["idle"], outlook.forecasts["idle again"])
    assert outlook.forecasts["concert"][7, 2, 0] > outlook.forecasts["idle"][7, 2, 0]
    assert outlook.past.shape == (12, 3)


def test_intents_of_another_length_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="has intents of 32 numbers, the fusion makes 8"):
        look_ahead(load_scenario("single_zone"), {"idle": np.zeros(8, dtype=np.float32)}, seed=0)


def test_own_samples_that_are_not_there_are_named(tmp_path: Path) -> None:
    found = demo("--encoders", "kan", "--samples", tmp_path, "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "no samples of concert" in found.stderr
    assert "loading encoders" not in found.stderr


def test_without_a_fusion_the_advice_leads_on(tmp_path: Path) -> None:
    for more in (["--fusion", "none"], []):
        found = demo("--encoders", "kan=nowhere" if more else "blip=tiny", *more, "--out", tmp_path)
        assert found.exit_code == 2
        assert "take --encoders efficientnet+moonshine+kan, whose fusion is shipped" in found.stderr
        assert "or take --fusion none" not in found.stderr


def test_pictures_are_at_one_height_whatever_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(encoder_picture, "Figure", lambda **more: drawn.append(Figure(**more)) or drawn[-1])
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    picture = ("image", str(tmp_path / "a.png"), "envelope 0.27, abacus 0.05")
    samples = {
        "concert": [picture, ("speech", "a.wav", "a very long sentence, " * 9)],
        "idle": [picture, ("speech", "b.wav", "short")],
    }
    forecasts = {name: np.ones((16, 4, 3)) for name in samples}
    outlook = Outlook("zone-1", 3.0, np.ones((12, 3)), forecasts)
    encoder_picture.plot_outlooks(tmp_path / "out.png", samples, outlook)
    above = drawn[0].subfigs[0].subfigs
    first, second = (part.axes[0].get_window_extent() for part in above)
    assert (first.y0, first.y1) == (second.y0, second.y1)
    for part in above:
        words = [text.get_text() for text in part.texts]
        assert any("envelope" in text for text in words)
        title = part.texts[0].get_window_extent()
        assert title.y1 < drawn[0].bbox.y1 - 5


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "predictors.encoders.speech.moonshine", raising=False)
    monkeypatch.setitem(sys.modules, "moonshine_voice", None)
    found = demo("--encoders", "moonshine+kan", "--out", tmp_path)
    assert found.exit_code == 1
    assert "encoder 'moonshine' needs moonshine_voice, which is not installed" in found.stderr
    assert "metaverse-env[encoders-offline]" in found.stderr


def test_an_encoder_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    found = demo("--encoders", "efficientnt", "--out", tmp_path)
    assert found.exit_code == 2
    assert "Did you mean 'efficientnet'?" in found.stderr
