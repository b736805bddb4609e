"""The page as files: it needs nothing from elsewhere, runs nothing that is not a file, and is installed."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.live.gate import PROTOCOL
from benchmarks.live.site import page_files
from metaverse_env.rendering.wire import WIRE_VERSION
from tests.absent import unavailable

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "benchmarks" / "live" / "page"
FILES = sorted(PAGE.iterdir())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
NAMESPACES = {"http://www.w3.org/2000/svg"}
MOST_LINES = 250


class Reader(HTMLParser):
    """Collects what a browser would fetch, and what it would run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.inline: list[str] = []
        self.identifiers: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag in ("script", "style")
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset", "poster"):
                self.fetched.append(value or "")
            elif name.startswith("on") or name == "style":
                self.inline.append(f"{tag} {name}")
            elif name == "id":
                self.identifiers.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


@pytest.fixture
def index() -> Reader:
    reader = Reader()
    reader.feed((PAGE / "index.html").read_text("utf-8"))
    return reader


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    text = path.read_text("utf-8")
    addresses = set(
        re.findall(r"(?:https?:|wss?:)?//[\w.-]+\.[\w./-]+", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    )
    assert addresses <= NAMESPACES
    assert not re.search(
        r"@import|@font-face|url\(|eval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", text
    )


def test_the_index_fetches_files_of_the_page_only_and_holds_no_script(index: Reader) -> None:
    assert index.inline == []
    assert set(index.fetched) == {"icon.svg", "live.css", "live.js"}
    assert {f"/{name}" for name in index.fetched} <= set(page_files())


def test_modules_import_files_of_the_page_and_every_file_is_used(index: Reader) -> None:
    imported = {name for path in SCRIPTS for name in re.findall(r'from "\./([^"]+)"', path.read_text("utf-8"))}
    assert imported <= {path.name for path in SCRIPTS}
    assert imported | set(index.fetched) | {"index.html"} == {path.name for path in FILES}


def test_scripts_name_elements_that_there_are(index: Reader) -> None:
    named = {
        name
        for path in SCRIPTS
        for name in re.findall(r'(?:getElementById|\bat)\("([\w-]+)"\)', path.read_text("utf-8"))
    }
    assert named
    assert named <= set(index.identifiers)
    assert len(index.identifiers) == len(set(index.identifiers))


def test_page_and_server_speak_of_the_same_version() -> None:
    texts = {path.name: path.read_text("utf-8") for path in SCRIPTS}
    assert f"WIRE_VERSION = {WIRE_VERSION};" in texts["picture.js"]
    assert f'PROTOCOL = "{PROTOCOL}";' in texts["link.js"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_modules_and_short(path: Path, tmp_path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    node = shutil.which("node")
    if node is None:
        unavailable("install nodejs to check the scripts of the page")
    module = tmp_path / f"{path.stem}.mjs"
    module.write_bytes(path.read_bytes())
    run = subprocess.run([node, "--check", str(module)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_page_is_installed(tmp_path: Path) -> None:
    """What setuptools would put into a wheel, by its own judgement."""
    script = (
        "from setuptools import Distribution\n"
        "made = Distribution(); made.parse_config_files()\n"
        "build = made.get_command_obj('build_py'); build.ensure_finalized()\n"
        "print(*[name for _, _, _, names in build.data_files for name in names], sep='\\n')"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert {f"live/page/{path.name}" for path in FILES} <= set(run.stdout.split())
