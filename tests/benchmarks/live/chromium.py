"""A real browser, driven over its DevTools protocol: no more of it than the tests need."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_S = 60.0
ANSWER_S = 60.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
)
LISTENING = re.compile(r"DevTools listening on (ws://\S+)")


def program() -> str | None:
    return shutil.which("chromium")


class Chromium:
    """A running browser without a window."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.log = folder / f"chromium-{time.monotonic_ns()}.txt"
        command = [str(program()), *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, "about:blank"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, "HOME": str(folder)}
            )
        self.endpoint = self._listening()

    def _listening(self) -> str:
        deadline_s = time.monotonic() + START_S
        while not (found := LISTENING.search(self.log.read_text(errors="replace"))):
            assert time.monotonic() < deadline_s, self.log.read_text(errors="replace")
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            time.sleep(0.05)
        return found[1]

    def page(self, url: str, width: int = 1280, height: int = 720, ratio: float = 1.0, reduced: bool = False) -> "Page":
        page = Page(self.endpoint, url)
        page.resize(width, height, ratio)
        if reduced:
            page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        page.open(url)
        return page

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Page:
    """A tab: what is called is answered; what happens meanwhile is kept in ``events``."""

    def __init__(self, endpoint: str, url: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._number = 0
        self._browser: ClientConnection = connect(endpoint, max_size=None, open_timeout=ANSWER_S).__enter__()
        self._session = ""
        self.target = self.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # as if every tab were in a window of its own

    def call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._browser.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._browser.recv(ANSWER_S))
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, (script, found)
        return found["result"].get("value")

    def wait(self, script: str, timeout_s: float = 30.0) -> Any:
        deadline_s = time.monotonic() + timeout_s
        while not (found := self.evaluate(script)):
            assert time.monotonic() < deadline_s, (script, self.errors(), self.evaluate("document.body.innerText"))
            time.sleep(0.03)
        return found

    def resize(self, width: int, height: int, ratio: float = 1.0) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio, mobile=False
        )

    def press(self, key: str, text: str | None = None) -> None:
        typed = text if text is not None else (key if len(key) == 1 else None)
        more = {"text": typed} if typed is not None else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **CODES.get(key, {}), **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **CODES.get(key, {}))

    def click(self, x: float, y: float) -> None:
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path: Path | None = None) -> bytes:
        picture = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.write_bytes(picture)
        return picture

    def errors(self) -> list[str]:
        """Return whatever the console shows as an error or a warning, and what was thrown."""
        self.call("Runtime.evaluate", expression="0")  # so that all that happened has come
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(parameters["exceptionDetails"])[:500])
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(parameters["args"])[:500])
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
        return found

    def requested(self) -> list[str]:
        """Return every address that the page asked for."""
        found = []
        for event in self.events:
            if event.get("method") == "Network.requestWillBeSent":
                found.append(event["params"]["request"]["url"])
            elif event.get("method") == "Network.webSocketCreated":
                found.append(event["params"]["url"])
        return found

    def close(self) -> None:
        self.call("Target.closeTarget", targetId=self.target)
        self._browser.close()


CODES: dict[str, dict[str, Any]] = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32},
    "ArrowUp": {"code": "ArrowUp", "windowsVirtualKeyCode": 38},
    "ArrowRight": {"code": "ArrowRight", "windowsVirtualKeyCode": 39},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
}
