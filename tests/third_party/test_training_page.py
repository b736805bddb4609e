"""What docs/training.md tells people to type works, with a budget of a few steps; RLlib has a test of its own."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE))
BUDGETS = (
    (r"\.learn\([\d_]+\)", ".learn(64)"),
    (r"learning_starts=[\d_]+", "learning_starts=32"),
    (r"rollout\((\d+)", "rollout(3"),
    (r"make_vec_env\((.*?), (16|64),", r"make_vec_env(\1, 2,"),
    (r"n_steps=64, batch_size=\d+", "n_steps=16, batch_size=16"),
)


def blocks(section: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", SECTIONS[section], flags=re.DOTALL)


def with_few_steps(block: str) -> str:
    for pattern, small in BUDGETS:
        block = re.sub(pattern, small, block)
    return block


@pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version")
@pytest.mark.parametrize("section", ["Stable-Baselines3", "sb3-contrib", "TorchRL"])
def test_blocks_run_one_after_the_other(section: str) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(section):
        exec(compile(with_few_steps(block), "training.md", "exec"), names)


def test_the_page_has_these_sections_with_code() -> None:
    assert [name for name in SECTIONS if blocks(name)] == ["Stable-Baselines3", "sb3-contrib", "TorchRL", "RLlib"]


def test_the_versions_are_those_that_are_pinned() -> None:
    pinned = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for package, row in (
        ("stable-baselines3", "Stable-Baselines3 | {}"),
        ("sb3-contrib", "sb3-contrib | {}"),
        ("torch", "torch {}"),
        ("torchrl", "TorchRL | {}"),
        ("tensordict", "tensordict {}"),
        ("ray", "ray {}"),
        ("pettingzoo", "with {} the above"),
    ):
        assert row.format(pinned[package]) in PAGE
    assert version("sb3-contrib") == pinned["sb3-contrib"]


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
