"""A real Prometheus that says that zones do well, until it is stopped, and again once it is started."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.absent import unavailable
from tests.bridges.control_plane import free_port, wait_for

ZONES = ("zone-1", "zone-2", "zone-3")
MEASURED = {"users": 10.0, "cpu_cores": 0.08, "memory_mb": 20.0, "latency_ms": 20.0}


class Page(BaseHTTPRequestHandler):
    """What a Prometheus scrapes: zones that do well."""

    def do_GET(self) -> None:
        lines = [f'steady_{name}{{zone="{zone}"}} {value}' for name, value in MEASURED.items() for zone in ZONES]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write("\n".join([*lines, ""]).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Measuring:
    """A real Prometheus that can be stopped and started again, and the page that it scrapes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._address = folder, f"127.0.0.1:{free_port()}"
        self._page = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._thread = threading.Thread(target=self._page.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        scraped = {"job_name": "zones", "static_configs": [{"targets": [f"127.0.0.1:{self._page.server_port}"]}]}
        configuration = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scraped]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        self.start()

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    def start(self) -> None:
        command = ["prometheus", f"--config.file={self._folder}/prometheus.yml"]
        command += [f"--storage.tsdb.path={self._folder}/data", f"--web.listen-address={self._address}"]
        with (self._folder / "prometheus.log").open("ab") as log:
            try:
                self._process = subprocess.Popen(command, stdout=log, stderr=log)
            except FileNotFoundError:
                unavailable("no program prometheus; Debian's package is called prometheus")
        wait_for(self._measures, "what a Prometheus measures", 60.0, 0.2)

    def _measures(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/api/v1/query", params={"query": "steady_users"}, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and len(answer.json()["data"]["result"]) == len(ZONES)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30.0)

    def close(self) -> None:
        self.stop()
        self._page.shutdown()
        self._thread.join()
        self._page.server_close()
