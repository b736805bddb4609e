"""The gallery draws what its table says, the same for the same seed, as files that are small."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks import gallery
from metaverse_env.cli import app
from metaverse_env.rendering.colours import COLOURS

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


def test_a_picture_is_made_and_made_again(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        done = CliRunner().invoke(
            app, ["benchmark", "gallery", "--out", str(tmp_path / name), "--only", "live-unicode", "--json"]
        )
        assert done.exit_code == 0, done.output
        made.append(Path(json.loads(done.stdout)["files"]["live-unicode"]).read_bytes())
    assert made[0] == made[1]
    with Image.open(tmp_path / "a" / "live-unicode.png") as picture:
        assert picture.size == (1280, 720)


def test_no_named_colour_is_lost_however_little_has_it() -> None:
    picture = Image.effect_noise((200, 200), 90.0).convert("RGB")
    for place, colour in enumerate(COLOURS.values()):
        picture.putpixel((place, 7), colour)
    kept = np.asarray(gallery.with_palette(picture).convert("RGB"))[7, : len(COLOURS)]
    assert [tuple(colour) for colour in kept.tolist()] == list(COLOURS.values())


def test_a_picture_that_there_is_not_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["benchmark", "gallery", "--out", str(tmp_path), "--only", "nothing"])
    assert done.exit_code != 0


def test_something_is_done_to_worlds(tmp_path: Path) -> None:
    shot = gallery.SHOTS["live-node-lost"]
    show = gallery.Show(shot, 1)
    shown = show.tick()
    assert not any(node.lost for node in shown.nodes)
    shot.doings[0][1](show)
    assert [node.lost for node in show.tick().nodes].index(True) == gallery.LOST_NODE


@pytest.mark.parametrize("name", gallery.SHOTS)
def test_every_picture_is_shipped_and_small(name: str) -> None:
    assert 10_000 < (FIGURES / f"{name}.png").stat().st_size < 200_000
