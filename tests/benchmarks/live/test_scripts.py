"""The page's scripts, run by node on what the server sends: they mean the same as the Python beside which they stand."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaverse_env.live.commands import Step
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation, Terms
from metaverse_env.rendering.shapes import Scene
from metaverse_env.rendering.wire import scene_to_json
from tests.absent import unavailable
from tests.benchmarks.live.test_page import PAGE

QUARTER_PX = 0.25
PHASES = (0.0, 0.1, 0.5, 0.9, 1.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    session = Session(Simulation(Terms("multi_zone", dynamics="physics", forecaster="none")))
    for _ in range(3):
        session.apply(Step())
    return session.frame()


def node(folder: Path, script: str, given: Any) -> Any:
    """Run a script that may import the page's modules; return what it writes as JSON."""
    program = shutil.which("node")
    if program is None:
        unavailable("install nodejs to run the scripts of the page")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "test.js").write_text(
        "import { readFileSync } from 'node:fs'; const given = JSON.parse(readFileSync(0));" + script
    )
    run = subprocess.run(
        [program, str(folder / "test.js")], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_dots_are_where_they_are(scene: Scene, tmp_path: Path) -> None:
    script = """
        import { decodeDots, drawDots } from "./dots.js";
        const dots = decodeDots(given.dots);
        const drawn = given.phases.map((phase) => {
          const arcs = [];
          const context = { beginPath() {}, moveTo() {}, fill() {}, arc: (x, y, radius) => arcs.push([x, y, radius]) };
          drawDots(context, dots, {}, phase);
          return arcs;
        });
        console.log(JSON.stringify(drawn));
    """
    told = scene_to_json(scene)["dots"]
    assert len(scene.dots) > 300
    order = np.argsort(scene.dots.kind, kind="stable")
    for phase, arcs in zip(PHASES, node(tmp_path, script, {"dots": told, "phases": PHASES}), strict=True):
        places, radii = scene.dots.at(phase)
        shown = order[radii[order] > 0.0]
        found = np.array(arcs)
        assert len(found) == len(shown)
        np.testing.assert_allclose(found[:, :2], places[shown], atol=QUARTER_PX)
        np.testing.assert_allclose(found[:, 2], radii[shown], atol=0.02)


def test_what_lies_above_is_hit_and_phases_run_to_one(scene: Scene, tmp_path: Path) -> None:
    script = """
        import { Picture } from "./picture.js";
        const picture = new Picture();
        const changed = picture.take({ ...given.scene, number: 1, phase: 0.25, phase_per_s: 2 }, 1000);
        const hits = given.places.map(([x, y]) => picture.hitAt(x, y)?.slice(4) ?? null);
        const phases = [1000, 1250, 9000].map((nowMs) => picture.phaseAt(nowMs));
        const again = picture.take({ width: picture.width, height: picture.height, layers: { above: [] }, number: 2,
          phase: 1, phase_per_s: 0 }, 2000);
        console.log(JSON.stringify({ changed, hits, phases, again, below: picture.layers.below.length }));
    """
    places = [(hit.x + hit.width / 2, hit.y + hit.height / 2) for hit in scene.hits] + [(-1.0, -1.0)]
    found = node(tmp_path, script, {"scene": scene_to_json(scene), "places": places})
    expected = [scene.hit(x, y) for x, y in places]
    assert found["hits"] == [None if hit is None else [hit.name, hit.zone] for hit in expected]
    assert found["hits"][-1] is None
    assert found["phases"] == [0.25, 0.75, 1.0]
    assert found["changed"] == ["ground", "below", "above"]
    assert (found["again"], found["below"]) == (["above"], len(scene.below))


def test_dots_take_the_time_between_pictures_where_those_come_more_slowly_than_ticks(tmp_path: Path) -> None:
    script = """
        import { Picture } from "./picture.js";
        const paces = given.map(([gap_ms, ticks_per_s, phase]) => {
          const picture = new Picture();
          let now = 0;
          for (let number = 0; number < 40; number += 1) {
            now += gap_ms;
            picture.take({ width: 1, height: 1, layers: {}, number, phase, phase_per_s: ticks_per_s }, now);
          }
          return picture.phasePerS;
        });
        console.log(JSON.stringify(paces));
    """
    in_time = [(500.0, 2.0, 0.0), (62.5, 16.0, 0.0), (5000.0, 2.0, 0.0), (100.0, 0.0, 1.0)]
    late = [(150.0, 16.0, 0.0), (150.0, 16.0, 0.5)]
    found = node(tmp_path, script, in_time + late)
    assert found == pytest.approx([2.0, 16.0, 2.0, 0.0, 1.1 / 0.15, 0.55 / 0.15], rel=1e-3)
