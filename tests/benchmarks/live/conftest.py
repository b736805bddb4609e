"""Servers and browsers for the tests of a session."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.absent import unavailable
from tests.benchmarks.live.chromium import Chromium, Page, program
from tests.predictors.server.servers import Server

NAMES = ("広場", "Плаза", "الساحة", "🎮🎲🎯", "<b>&amp;</b>", "x" * 60)
ZONES = 6
QUICK = ("--dynamics", "physics", "--forecaster", "none")


class Show(Server):
    """A live session that is served; ``url`` has no token, ``address`` has."""

    def __init__(self, command: list[str], folder: Path) -> None:
        super().__init__(command, folder, {})
        self.address = self.url
        self.url, _, self.token = self.address.partition("/#")
        self.client.base_url = self.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


Serve = Callable[..., Show]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a small scenario whose zones have names of many scripts."""
    path = tmp_path_factory.mktemp("scenario") / "six.toml"
    layout = f"[layout]\nzones = {ZONES}\nnames = {json.dumps(NAMES, ensure_ascii=False)}\n"
    path.write_text(f'name = "six"\ndescription = "Six names."\n{layout}', encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Show sessions by the command: ``serve("--scenario", "complex")``; or by ``showing.py``: ``serve(token="…")``."""
    shows: list[Show] = []
    folder = tmp_path_factory.mktemp("shows")

    def begin(*arguments: str, **options: Any) -> Show:
        command = ["-m", "metaverse_env.cli", "live", "--web", "--json", "--port", "0", *QUICK, *arguments]
        if options:
            command = [str(Path(__file__).with_name("showing.py")), json.dumps(options)]
        shows.append(Show(command, folder))
        return shows[-1]

    yield begin
    for show in shows:
        show.close()


@pytest.fixture(scope="session")
def six(serve: Serve, scenario: str) -> Show:
    """Return a session of six zones, which several tests share."""
    return serve("--scenario", scenario)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Return a browser without a window; skip without it, or fail where METAVERSE_NO_SKIP=1."""
    if program() is None:
        unavailable("install Debian's chromium to test the page in a browser")
    browser = Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def look(chromium: Chromium) -> Iterator[Open]:
    """Open pages: ``look(show.address, width=800)``."""
    pages: list[Page] = []

    def begin(address: str, **options: Any) -> Page:
        pages.append(chromium.page(address, **options))
        return pages[-1]

    yield begin
    for page in pages:
        page.close()
