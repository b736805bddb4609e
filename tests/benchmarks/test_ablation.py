"""The ablation on a tiny budget: what it trains, reports, and does not do twice."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from benchmarks.ablation import REFERENCE, VARIANTS
from metaverse_env.cli import app

TINY = ["--agent-steps", "2000", "--worlds", "8", "--seeds", "2", "--seed", "7"]


def ablation(out: Path, *words: str) -> Result:
    arguments = ["benchmark", "ablation", *TINY, "--out", str(out), *words]
    return CliRunner().invoke(app, arguments, prog_name="metaverse")


def test_every_variant_is_run_on_the_same_seeds_and_compared_with_the_first(tmp_path: Path) -> None:
    done = ablation(tmp_path, "--variants", "no forecast", "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["variants"]
    assert list(rows) == [REFERENCE, "no forecast"]
    assert rows[REFERENCE]["cost_over_reference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    difference = rows["no forecast"]["cost_eur_per_h"]["mean"] - rows[REFERENCE]["cost_eur_per_h"]["mean"]
    assert abs(rows["no forecast"]["cost_over_reference"]["mean"] - difference) < 1e-9
    cards = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("*/mappo.json")}
    assert len(cards["no_forecast"]["zone_features"]) < len(cards["ST-GNN_with_intents_mixed_reward"]["zone_features"])

    trained = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/mappo.json")}
    again = ablation(tmp_path, "--variants", "no forecast")
    assert again.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    assert "no forecast" in again.stdout


def test_a_variant_that_there_is_not_is_wrong_usage(tmp_path: Path) -> None:
    done = ablation(tmp_path, "--variants", "no hope")
    assert done.exit_code == 2
    assert "no variant no hope" in done.output


def test_the_variants_answer_what_forecasts_and_rewards_are_worth() -> None:
    assert {changes.get("forecaster", "stgnn") for changes in VARIANTS.values()} == {
        "stgnn", "none", "persistence", "stgnn_without_intents", "perfect",
    }  # fmt: skip
    assert {changes.get("global_weight", 0.5) for changes in VARIANTS.values()} == {0.0, 0.5, 1.0}
