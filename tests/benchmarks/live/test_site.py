"""The site over real sockets: who is let in, what is refused, who waits for whom, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from benchmarks.live.gate import PROTOCOL
from benchmarks.live.messages import MOST_BYTES
from benchmarks.live.viewers import BEAT_S, MOST_IN_FLIGHT, MOST_VIEWERS
from metaverse_env.rendering.interface import KEYS
from tests.benchmarks.live.conftest import NAMES, QUICK, Serve, Show
from tests.benchmarks.live.viewer import Viewer, reach
from tests.predictors.server.servers import ROOT


@pytest.fixture
def viewer(six: Show) -> Iterator[Viewer]:
    found = Viewer(six)
    yield found
    found.close()


def refused(show: Show, token: str | None = None, **headers: str) -> tuple[int, str]:
    """Return the status with which a WebSocket was refused, and the reason."""
    with pytest.raises(InvalidStatus) as refusal:
        reach(show, token, **headers).close()
    answer = refusal.value.response
    return answer.status_code, json.loads(answer.body)["detail"]


def look_on(viewer: Viewer, quiet_s: float = 60.0) -> NoReturn:
    """Look until nothing comes for so long, or the connection ends."""
    while True:
        said = viewer.hear(quiet_s)
        if "number" in said:
            viewer.say(drawn=said["number"])


def test_every_answer_allows_the_page_itself_and_nothing_else(six: Show) -> None:
    for path in ("/", "/live.js", "/live.css", "/nowhere", "/hello"):
        headers = six.client.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert {policy[f"{kind}-src"] for kind in ("script", "style", "connect", "img")} == {"'self'"}
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_page_is_open_and_the_rest_needs_the_token(six: Show) -> None:
    assert "text/html" in six.client.get("/").headers["content-type"]
    assert "text/javascript" in six.client.get("/live.js").headers["content-type"]
    for offered in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": six.token}, {"Authorization": "Bearer ü"}):
        headers = {name: value.encode() for name, value in offered.items()}
        answer = six.client.get("/hello", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "printed last" in answer.json()["detail"]
    hello = six.client.get("/hello", headers={"Authorization": f"Bearer {six.token}"}).json()
    controls = {control["name"]: control for control in hello["controls"]}
    assert set(controls) == set(KEYS.values())
    assert {key for control in hello["controls"] for key in control["keys"]} == set(KEYS) - {"Tab", "Shift+Tab", "F12"}
    assert controls["pause"]["keys"] == [" "]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/page/live.js", "/../stage.py", "/%2e%2e/stage.py"])
def test_nothing_else_is_there(six: Show, path: str) -> None:
    assert six.client.get(path).status_code == 401
    assert six.client.get(path, headers={"Authorization": f"Bearer {six.token}"}).status_code == 404


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.example", ""])
def test_a_name_that_is_not_ours_is_refused(six: Show, host: str) -> None:
    for path in ("/", "/hello"):
        answer = six.client.get(path, headers={"Host": host, "Authorization": f"Bearer {six.token}"})
        assert (answer.status_code, "IP address" in answer.json()["detail"]) == (403, True)


def test_localhost_is_ours(six: Show) -> None:
    assert six.client.get("/", headers={"Host": f"localhost:{six.port}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_a_page_of_another_site_is_refused_even_with_the_token(six: Show, origin: str) -> None:
    status, detail = refused(six, Origin=origin)
    assert (status, "other sites" in detail) == (403, True)


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_is_refused(six: Show, token: str) -> None:
    assert refused(six, token)[0] == 401


def test_our_own_origin_and_the_protocol_are_taken(six: Show) -> None:
    found = reach(six, Origin=six.url)
    assert found.subprotocol == PROTOCOL
    found.close()


def test_a_picture_comes_and_names_are_whole(viewer: Viewer) -> None:
    picture = viewer.see()
    assert (picture["width"], picture["height"], picture["version"]) == (1280, 720, 1)
    assert sorted(hit[5] for hit in picture["hits"] if hit[4] == "zone") == list(range(len(NAMES)))
    texts = {shape[3] for layer in picture["layers"].values() for shape in layer if shape[0] == "t"}
    for name in NAMES:  # shortened at most
        assert any(text.startswith(name[:2]) for text in texts)
    assert "Controller" in picture["state"]["sentence"]


def test_a_picture_that_was_sent_is_not_sent_again(viewer: Viewer) -> None:
    first, second = viewer.see(), viewer.see()
    assert {"colours", "hits", "dots"} <= set(first)
    assert "colours" not in second
    assert "hits" not in second


def test_controls_steer_and_everybody_sees_it(six: Show, viewer: Viewer) -> None:
    other = Viewer(six, (1000, 600))
    viewer.say(command="Pause", on=True)
    for each in (viewer, other):
        picture = each.see_until(paused=True)
        assert picture["phase_per_s"] == 0.0
    other.say(control="zone", zone=2)
    assert NAMES[2] in viewer.see_until(selected=2)["state"]["sentence"]
    assert other.see_until(selected=2)["width"] == 1000
    other.close()
    viewer.say(control="unselect")
    viewer.see_until(selected=None)
    viewer.say(control="unselect")  # a second time it would end the session, in a window
    viewer.say(command="Pause", on=False)
    viewer.see_until(paused=False)


def test_while_time_stands_still_nothing_is_sent(viewer: Viewer) -> None:
    viewer.say(command="Pause", on=True)
    viewer.see_until(paused=True)
    with pytest.raises(TimeoutError):
        look_on(viewer, quiet_s=0.7)
    assert viewer.hear(BEAT_S + 10.0) == {}  # but that the server is there
    viewer.say(control="pause")
    viewer.see_until(paused=False)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"control": "explode"}, "unknown control 'explode'"),
        ({"size": [1, 1]}, "a picture has 960 to 3840 px"),
        ({"command": "SwitchPolicy", "name": "os:system"}, "unknown policy 'os:system'"),
        ({"command": "SwitchScenario", "name": "/etc/passwd.toml"}, "unknown scenario '/etc/passwd.toml'"),
        ({"control": "screenshot"}, "its own screenshots"),
        ({"control": "record"}, "its own screenshots and films"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(
    viewer: Viewer, message: dict[str, object], words: str
) -> None:
    viewer.see()
    viewer.say(**message)
    assert words in viewer.refusal()
    viewer.see()


def test_before_a_size_nothing_can_be_steered(six: Show) -> None:
    found = reach(six)
    found.send('{"control": "pause"}')
    assert "how large" in json.loads(found.recv(30.0))["refused"]
    found.close()


@pytest.mark.parametrize("message", ["x" * (MOST_BYTES + 1), b"x" * (MOST_BYTES + 1)])
def test_a_message_that_is_too_long_ends_the_connection_of_its_sender_alone(
    six: Show, viewer: Viewer, message: str | bytes
) -> None:
    found = reach(six)
    found.send(message)
    with pytest.raises(ConnectionClosed) as ended:
        found.recv(30.0)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1009
    viewer.see()


def test_who_does_not_draw_is_sent_two_pictures_and_then_the_newest(six: Show, viewer: Viewer) -> None:
    slow = Viewer(six)
    numbers = [slow.wait()["number"] for _ in range(MOST_IN_FLIGHT)]
    seen = [viewer.see()["number"] for _ in range(4)]
    assert slow.hear(BEAT_S + 10.0) == {}  # nothing else was on its way
    slow.say(drawn=numbers[-1])
    assert slow.wait()["number"] > min(seen)
    slow.close()


def test_a_connection_that_takes_nothing_holds_up_nobody(six: Show, viewer: Viewer) -> None:
    host, port = "127.0.0.1", six.port
    stuck = socket.create_connection((host, port))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    request = (
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}, token.{six.token}\r\n\r\n"
    )
    stuck.sendall(request.encode())
    stuck.sendall(masked('{"size": [3840, 2160]}'))
    for number in range(60):
        stuck.sendall(masked(json.dumps({"drawn": 1_000_000 + number})))
    for _ in range(6):
        viewer.see()
    stuck.close()


def masked(text: str) -> bytes:
    """Return a WebSocket frame of a client, with a mask of zeros."""
    payload = text.encode()
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def seat(show: Show) -> ClientConnection:
    """Take a seat, once those who left before are noticed to be gone."""
    deadline_s = time.monotonic() + 30.0
    while True:
        try:
            return reach(show)
        except InvalidStatus:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)


def test_one_more_than_there_are_seats_is_told_so(six: Show) -> None:
    seated = [seat(six) for _ in range(MOST_VIEWERS)]
    status, detail = refused(six)
    assert (status, f"{MOST_VIEWERS} pages" in detail) == (503, True)
    for each in seated:
        each.close()
    seat(six).close()


def test_sigterm_ends_it_as_done_and_viewers_may_come_back(serve: Serve) -> None:
    show = serve("--scenario", "single_zone")
    found = reach(show)
    show.process.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionClosed) as ended:
        found.recv(60.0)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1012
    assert show.process.wait(60.0) == 0
    assert show.log.read_text() == ""


def test_ctrl_c_ends_it_as_interrupted(serve: Serve) -> None:
    show = serve("--scenario", "single_zone")
    found = reach(show)
    show.process.send_signal(signal.SIGINT)
    with pytest.raises(ConnectionClosed):
        found.recv(60.0)
    assert show.process.wait(60.0) == 130
    assert "Traceback" not in show.log.read_text()


def test_who_ends_the_session_ends_it_for_all(serve: Serve) -> None:
    show = serve("--scenario", "single_zone")
    one, other = Viewer(show), Viewer(show)
    one.see()
    one.say(control="quit")
    with pytest.raises(ConnectionClosed) as ended:
        look_on(other)
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1000, "The session has ended.")
    assert other.ended == "The session has ended."
    said, _ = show.process.communicate(timeout=60.0)
    assert show.process.returncode == 0
    assert json.loads(said)["scenario"] == "single_zone"


def test_without_the_packages_of_a_server_it_is_said_what_to_install() -> None:
    script = (
        "import sys; sys.modules['uvicorn'] = None; from metaverse_env.cli import main;"
        f"sys.argv = ['metaverse', 'live', '--web', '--scenario', 'single_zone', *{QUICK}]; main()"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert "pip install 'metaverse-env[serve]'" in run.stderr
    assert "Traceback" not in run.stderr
