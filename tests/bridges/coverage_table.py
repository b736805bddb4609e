"""The table of this folder's README: which file tests which failure of the checklist. Run it to write the table anew."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "tests" / "bridges" / "README.md"
LAST = 90
NAMED = re.compile(r"^ *def test_t0*(\d+)b?_\w+\(", re.MULTILINE)
ROW = re.compile(r"^\| T(\d+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
HEAD = "| | what happens, and what is to come of it | tests |\n|---|---|---|\n"


def files_by_number() -> dict[int, list[str]]:
    """Return the files that have a test of each number, shortest path first."""
    found: dict[int, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for number in NAMED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(int(number), set()).add(path.relative_to(ROOT / "tests").as_posix())
    return {
        number: sorted(paths, key=lambda path: (not path.startswith("bridges"), path))
        for number, paths in found.items()
    }


def rows(text: str) -> dict[int, str]:
    """Return the words of each row of a README."""
    return {int(number): words for number, words, _ in ROW.findall(text)}


def table(words: dict[int, str], found: dict[int, list[str]]) -> str:
    """Return the table."""
    return HEAD + "".join(f"{line}\n" for line in lines(words, found))


def lines(words: dict[int, str], found: dict[int, list[str]]) -> Iterator[str]:
    for number in range(1, LAST + 1):
        files = ", ".join(f"`{path.removeprefix('bridges/')}`" for path in found.get(number, []))
        yield f"| T{number} | {words[number]} | {files} |"


def written() -> str:
    """Return the README with its table as it is to be."""
    text = README.read_text(encoding="utf-8")
    before, after = text[: text.index(HEAD)], text[text.rindex(" |\n") + 3 :]
    return before + table(rows(text), files_by_number()) + after


if __name__ == "__main__":
    README.write_text(written(), encoding="utf-8")
