"""The page in a real browser: it draws, keys and clicks steer, it comes back, and nothing is asked of other hosts."""

import json
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.benchmarks.live.chromium import Page
from tests.benchmarks.live.conftest import NAMES, Open, Serve, Show
from tests.benchmarks.live.viewer import Viewer

LIVE = "import('/live.js')"
LEAST_SHARE = 0.8
"""Of the frames that the browser offers; the machine of the tests is shared, so no absolute rate is asked for."""


def see(page: Page) -> Page:
    page.wait(f"{LIVE}.then(live => live.meter.frames > 2)", 60.0)
    return page


def state(page: Page) -> dict[str, object]:
    found: dict[str, object] = page.evaluate(f"{LIVE}.then(live => live.current().state)")
    return found


def wait_for(page: Page, condition: str) -> None:
    page.wait(f"{LIVE}.then(live => {{ const {{ state, picture }} = live.current(); return {condition}; }})")


def colours(page: Page) -> int:
    """Return how many different colours are on the canvas."""
    return int(
        page.evaluate(
            "(() => { const canvas = document.getElementById('picture'); const found = new Set();"
            "const pixels = new Uint32Array(canvas.getContext('2d')"
            ".getImageData(0, 0, canvas.width, canvas.height).data.buffer);"
            "for (const pixel of pixels) found.add(pixel); return found.size; })()"
        )
    )


@pytest.fixture
def page(six: Show, look: Open) -> Page:
    return see(look(six.address))


def test_it_draws_without_a_word_of_the_console_and_asks_no_other_host(page: Page, six: Show, tmp_path: Path) -> None:
    assert colours(page) > 50
    assert page.screenshot(tmp_path / "page.png")[:4] == b"\x89PNG"
    assert page.errors() == []
    requested = page.requested()
    assert {urlsplit(address).netloc for address in requested} == {urlsplit(six.url).netloc}
    assert not any(six.token in address for address in requested)  # it stands in no address that is asked for


def test_frames_keep_up_with_the_screen(serve: Serve, look: Open, tmp_path: Path) -> None:
    """30 zones and 1,500 dots; ``pytest -s`` prints the rates."""
    crowded = tmp_path / "crowded.toml"
    crowded.write_text(
        'name = "crowded"\ndescription = "Many users."\n[layout]\nzones = 30\n[workload]\nmean_users_per_zone = 90.0\n'
    )
    page = see(look(serve("--scenario", str(crowded)).address))
    assert page.evaluate(f"{LIVE}.then(live => live.current().picture.dots.count)") >= 1500
    count = (
        f"{LIVE}.then(live => new Promise(done => {{ let offered = 0; const [drawn, since] = [live.meter.frames, performance.now()];"
        "const next = () => { offered += 1; const passed = performance.now() - since;"
        "if (passed < 2500) requestAnimationFrame(next); else done([live.meter.frames - drawn, offered, passed / 1000]); };"
        "requestAnimationFrame(next); }))"
    )
    drawn, offered, passed_s = page.evaluate(count)
    print(f"{drawn / passed_s:.1f} frames/s drawn of {offered / passed_s:.1f} offered")
    assert drawn >= LEAST_SHARE * offered
    assert page.errors() == []


def test_keys_pause_step_and_select(page: Page) -> None:
    page.press(" ")
    wait_for(page, "state.paused")
    before = page.evaluate(f"{LIVE}.then(live => live.current().picture.number)")
    page.press(".")
    wait_for(page, f"picture.number > {before}")
    page.press("ArrowDown")
    wait_for(page, "state.selected === 0")
    assert NAMES[0] in str(state(page)["sentence"])
    page.press("Escape")
    wait_for(page, "state.selected === null")
    page.press("Escape")  # closes nothing more, and ends nothing
    page.press("1")
    wait_for(page, "!state.layers.includes('users')")
    page.press("1")
    wait_for(page, "state.layers.includes('users')")
    page.press(" ")
    wait_for(page, "!state.paused")
    assert page.errors() == []


def test_a_click_on_a_zone_selects_it_wherever_the_picture_lies(six: Show, look: Open) -> None:
    page = see(look(six.address, width=1000, height=900, ratio=2.0))
    x, y = page.evaluate(
        f"{LIVE}.then(live => {{ const {{ picture }} = live.current();"
        "const box = document.getElementById('picture').getBoundingClientRect(); const k = box.width / picture.width;"
        "const [left, top, width, height] = picture.hits.find(hit => hit[4] === 'zone' && hit[5] === 3);"
        "return [box.left + k * (left + width / 2), box.top + k * (top + height / 2)]; })"
    )
    page.click(x, y)
    wait_for(page, "state.selected === 3")
    page.wait(f"document.getElementById('state').textContent.includes({json.dumps(NAMES[3])})")
    page.press("Escape")
    wait_for(page, "state.selected === null")


def test_the_canvas_has_the_pixels_of_the_screen_and_follows_the_window(six: Show, look: Open) -> None:
    page = see(look(six.address, width=1000, height=600, ratio=2.0))
    size = "(() => { const c = document.getElementById('picture'); return [c.width, c.height]; })()"
    assert page.evaluate(size) == [2000, 1200]
    page.resize(1280, 720, 1.0)
    wait_for(page, "picture.width === 1280")
    assert page.evaluate(size) == [1280, 720]
    page.resize(400, 300, 1.0)  # smaller than the server draws: as large as fits
    wait_for(page, "picture.width === 960")
    assert page.evaluate(size) == [400, 225]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_help_opens_shows_every_key_and_closes_by_keyboard(page: Page) -> None:
    page.press("h")
    page.wait("document.getElementById('help').open")
    rows = page.evaluate("document.querySelectorAll('#help-rows li').length")
    shown = page.evaluate("document.getElementById('help').innerText")
    keys = page.evaluate(f"{LIVE}.then(live => live.current().hello)")
    assert rows == len(keys["controls"])
    assert all(control["help"] in shown for control in keys["controls"])
    page.press(" ")  # presses the focused button, and does not pause
    page.wait("!document.getElementById('help').open")
    assert not state(page)["paused"]
    page.press("h")
    page.wait("document.getElementById('help').open")
    page.press("Escape")
    page.wait("!document.getElementById('help').open")


def test_the_key_of_the_help_hides_it_and_other_keys_work_while_it_is_open(page: Page) -> None:
    page.press("ArrowDown")
    wait_for(page, "state.selected === 0")
    page.press("h")
    page.wait("document.getElementById('help').open")
    page.press("1")
    wait_for(page, "!state.layers.includes('users')")
    page.press("1")
    wait_for(page, "state.layers.includes('users')")
    page.press("h")
    page.wait("!document.getElementById('help').open")
    page.press("h")
    page.press("Escape")  # closes the help, and nothing else
    page.wait("!document.getElementById('help').open")
    assert state(page)["selected"] == 0
    page.press("Escape")
    wait_for(page, "state.selected === null")
    assert page.errors() == []


def test_a_frame_that_is_older_than_its_picture_moves_no_dot_backwards(page: Page) -> None:
    script = "import('/picture.js').then(({ Picture }) => { const one = new Picture(); one.phase = 0.25;"
    script += (
        "one.phasePerS = 2; one.arrivedMs = 1000; return [one.phaseAt(900), one.phaseAt(1125), one.phaseAt(9000)]; })"
    )
    assert page.evaluate(script) == [0.25, 0.5, 1.0]


def test_without_a_token_there_is_a_sentence_and_no_empty_picture(six: Show, look: Open) -> None:
    page = look(six.url + "/")
    page.wait("document.getElementById('banner').innerText.includes('holds no token')")
    assert page.evaluate("document.getElementById('picture').getBoundingClientRect().width") == 0


def test_two_viewers_share_one_session(six: Show, look: Open) -> None:
    one, other = see(look(six.address)), see(look(six.address, width=800))
    one.press("ArrowDown")
    wait_for(other, "state.selected === 0")
    other.press("Escape")
    wait_for(one, "state.selected === null")


def test_who_wants_no_motion_sees_none(six: Show, look: Open) -> None:
    page = see(look(six.address, reduced=True))
    drawn = f"{LIVE}.then(live => live.meter.frames - live.meter.pictures)"
    before = page.evaluate(drawn)
    time.sleep(1.0)
    assert page.evaluate(drawn) - before <= 1  # a frame for each picture, none between


def test_names_are_never_markup(page: Page) -> None:
    page.wait("document.getElementById('state').textContent !== ''")
    assert page.evaluate("document.querySelectorAll('b').length") == 0


def test_a_server_that_is_silent_or_gone_is_said_and_one_that_comes_back_is_found(serve: Serve, look: Open) -> None:
    show = serve("--scenario", "single_zone")
    page = see(look(show.address))
    show.process.send_signal(signal.SIGSTOP)
    page.wait("document.body.dataset.link === 'away'")
    assert "silent" in page.evaluate("document.getElementById('banner').textContent")
    show.process.send_signal(signal.SIGCONT)
    page.wait("document.body.dataset.link === 'here' && document.getElementById('banner').hidden")
    show.process.kill()
    show.process.wait()
    page.wait("!document.getElementById('banner').hidden && document.body.dataset.link === 'away'")
    assert "Trying again" in page.evaluate("document.getElementById('banner').textContent")
    pictures = page.evaluate(f"{LIVE}.then(live => live.meter.pictures)")
    serve(scenario="single_zone", port=show.port, token=show.token)
    page.wait("document.body.dataset.link === 'here'", 60.0)
    page.wait(f"{LIVE}.then(live => live.meter.pictures > {pictures} + 1)", 60.0)
    assert page.evaluate("document.getElementById('banner').hidden")


def test_screenshots_and_films_are_saved_where_the_browser_saves(page: Page, tmp_path: Path) -> None:
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.press("c")
    (photo,) = saved(page, tmp_path, "*.png")
    assert photo.read_bytes()[:4] == b"\x89PNG"
    page.press("r")
    page.wait("document.body.classList.contains('recording')")
    time.sleep(1.5)
    page.press("r")
    (film,) = saved(page, tmp_path, "*.webm")
    assert film.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"  # EBML, as Matroska begins
    assert film.stat().st_size > 10_000
    assert page.errors() == []


def saved(page: Page, folder: Path, pattern: str) -> list[Path]:
    deadline_s = time.monotonic() + 30.0
    while not (found := list(folder.glob(pattern))):
        assert time.monotonic() < deadline_s, (list(folder.iterdir()), page.errors())
        time.sleep(0.05)
    return found


def test_after_a_click_on_a_button_space_pauses_and_does_not_click_again(page: Page) -> None:
    place = "(() => { const box = document.querySelector('[data-control=\"layer:users\"]').getBoundingClientRect();"
    page.click(*page.evaluate(place + "return [box.left + box.width / 2, box.top + box.height / 2]; })()"))
    wait_for(page, "!state.layers.includes('users')")
    page.press(" ")
    wait_for(page, "state.paused && !state.layers.includes('users')")
    page.evaluate("document.querySelector('[data-control=\"layer:users\"]').focus()")
    page.press(" ")  # but by the keyboard it is this button's
    wait_for(page, "state.paused && state.layers.includes('users')")
    page.evaluate("document.activeElement.blur()")
    page.press(" ")
    wait_for(page, "!state.paused")


def test_an_address_of_an_earlier_run_is_told_from_a_server_that_is_away(six: Show, look: Open) -> None:
    page = look(f"{six.url}/#of-an-earlier-run")
    page.wait("document.body.dataset.link === 'refused'")
    assert "printed last" in page.evaluate("document.getElementById('banner').textContent")
    bare = look(six.url)
    bare.wait("document.body.dataset.link === 'refused'")
    assert "no token" in bare.evaluate("document.getElementById('banner').textContent")


def test_ending_is_asked_twice_and_then_said(serve: Serve, look: Open) -> None:
    show = serve("--scenario", "single_zone")
    page = see(look(show.address))
    page.press("q")
    page.wait("document.getElementById('end').open")
    page.press("Enter")  # stays
    page.wait("!document.getElementById('end').open")
    other = Viewer(show)
    other.see()
    other.close()
    page.press("q")
    page.wait("document.getElementById('end').open")
    page.press("Tab")
    page.press("Enter")
    page.wait("document.body.dataset.link === 'refused'")
    assert page.evaluate("document.getElementById('banner').textContent") == "The session has ended."
    assert show.process.wait(60.0) == 0
