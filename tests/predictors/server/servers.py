"""Servers in processes of their own, spoken to over real sockets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[3]
READY_S = 60.0


class Server:
    """A running server."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / f"log-{time.monotonic_ns()}.txt"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.url: str = json.loads(line)["url"]
        self.client = httpx.Client(base_url=self.url, timeout=30.0)

    def wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + READY_S
        while self.client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.05)

    def predict(self, zone_name: str, active_users: float, **more: Any) -> httpx.Response:
        return self.client.post("/predict", json={"zone_name": zone_name, "active_users": active_users, **more})

    def post(self, path: str, body: str | bytes, content_type: str = "application/json") -> httpx.Response:
        return self.client.post(path, content=body, headers={"Content-Type": content_type})

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Server]
