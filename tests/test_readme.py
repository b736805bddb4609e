"""What the README tells people to type works, from the first block to the last."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_blocks_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "runs" / "mine"
    mine.mkdir(parents=True)
    for file in (ROOT / "predictors" / "weights").glob("stgnn_forecaster.*"):
        shutil.copy(file, mine)  # stands in for what `metaverse train predictor` would have written
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(r"```toml\n# (\S+)\n(.*?)```", README, flags=re.DOTALL):
        Path(name).write_text(content)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert names["observation"].shape == (1595,)  # type: ignore[attr-defined]
    assert names["model"].num_timesteps >= 8192  # type: ignore[attr-defined]


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_no_placeholder_is_left() -> None:
    assert re.findall(r"[A-Z]+_TABLE", README) == []
