"""A bridge that acts, as a process under the manifests' account; what tests do to it, and what they ask of it."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

from bridges.decisions import read_log
from bridges.kubernetes.marks import EPOCH
from bridges.manifests.services import acting, arguments
from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from tests.bridges.control_plane import AuditLog, ControlPlane, Json, free_port, path_of, wait_for
from tests.bridges.kubernetes_site import Site, container_of
from tests.bridges.steady_prometheus import MEASURED, ZONES, Measuring
from tests.bridges.wished import FILE

ROOT = Path(__file__).parents[2]
INSTALLER = "kubectl"
AT_ONCE = {
    "scaleUp": {"policies": [{"type": "Percent", "value": 900, "periodSeconds": 1}]},
    "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Percent", "value": 90, "periodSeconds": 1}]},
}
SHIELD = {"cpu_cores": AT_ONCE, "cycle_share": 1.0, "reversals_per_h": 60}
PATIENCE = {"states": {"shadow_cycles": 1, "calm_cycles": 2}}
QUERY = '[{0}]\nvalue = "sum by (zone) (steady_{0})"\nstamp = "max by (zone) (timestamp(steady_{0}))"\n'


class Bridge:
    """One process, and what it wrote into its log of decisions."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, url: str) -> None:
        self.process, self.folder, self.url = process, folder, url
        self._seen = 0

    @property
    def records(self) -> list[Json]:
        return read_log(self.folder / "decisions.jsonl")

    def wish(self, **parts: dict[str, float]) -> None:
        """Ask from now on for cores by zone: ``wish(policy={"zone-1": 0.2})``."""
        fresh = self.folder / "wishes.fresh"
        fresh.write_text(json.dumps(parts), encoding="utf-8")
        fresh.replace(self.folder / "wishes.json")

    def until(self, so: Callable[[Json], Any], what: str, seconds: float = 40.0) -> Json:
        """Return the first cycle of which this is so, of those after the one that was returned before."""
        found: list[Json] = []

        def look() -> bool:
            assert self.process.poll() is None, self.said
            fresh = [one for one in self.records[self._seen :] if so(one)]
            found.extend(fresh[:1])
            return bool(fresh)

        try:
            wait_for(look, what, seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(
                f"{error}; the last cycles: {list(map(brief, self.records[-6:]))}{self.said}"
            ) from None
        self._seen = self.records.index(found[0]) + 1
        return found[0]

    def until_written(self, *zones: str) -> Json:
        return self.until(lambda one: set(zones) <= set(written(one)), f"a write to {zones}")

    def until_refused(self, zone: str, code: str) -> Json:
        return self.until(lambda one: refusals(one).get(zone) == code, f"{code} of {zone}")

    def until_mode(self, mode: str, reason: str) -> Json:
        return self.until(lambda one: (one["state"]["mode"], one["state"]["reason"]) == (mode, reason), reason)

    def cycles(self, count: int) -> list[Json]:
        """Return so many cycles that begin after now."""
        first = len(self.records) + 1
        wait_for(lambda: len(self.records) >= first + count, f"{count} cycles", 60.0, 0.1)
        self._seen = first + count
        return self.records[first : first + count]

    def ready(self) -> int:
        return httpx.get(f"{self.url}/readyz", timeout=5.0, trust_env=False).status_code

    def reasons(self) -> list[str]:
        """Return why it is not ready; nothing before it answers."""
        try:
            reasons: list[str] = httpx.get(f"{self.url}/readyz", timeout=5.0, trust_env=False).json()["reasons"]
        except httpx.TransportError:
            return []
        return reasons

    @property
    def said(self) -> str:
        return "\n" + (self.folder / "log").read_text(encoding="utf-8")[-200:]

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait(30.0)


def written(record: Json) -> list[str]:
    return [one["zone"] for one in record["receipts"] if one["result"] == "written"]


def refusals(record: Json) -> dict[str, str]:
    """Return the zones whose CPU was not written, by the code of the reason: known before, or found when it was."""
    held = {
        zone: why for zone, quantity, rule, _, _, why in record["clamps"] if (quantity, rule) == ("cpu_cores", "held")
    }
    known = {zone: why.partition(":")[0] for zone, why in held.items()}
    return known | {one["zone"]: one["code"] for one in record["receipts"] if one["result"] != "written"}


def brief(record: Json) -> tuple[Any, ...]:
    said = [(one["zone"], one["result"], one["code"], one["message"]) for one in record["receipts"]]
    about = record["state"]["mode"], record["reasons"], record["error"], record["ill"], refusals(record)
    return record["cycle"], *about, said


class Installation:
    """A namespace with zones and the account of a controller that may act, as the manifests have them."""

    def __init__(self, plane: ControlPlane, audit: AuditLog, measuring: Measuring, folder: Path) -> None:
        self.plane, self.audit, self.measuring, self.folder = plane, audit, measuring, folder
        self.namespace = f"faults-{secrets.token_hex(3)}"
        policy = "wished:Wished"
        own = {"zones": len(ZONES), "zone": "zone:1", "pull": "Never", "tick_s": 1.0, "policy": policy}
        self.settings = Settings(namespace=self.namespace, **own)  # type: ignore[arg-type]
        self._site, self._ended, self._bridges = Site(plane, self.namespace, audit), threading.Event(), list[Bridge]()
        self._pods = threading.Thread(target=self._run_pods, daemon=True)
        files = make(self.settings)
        parts = [files[name] for name in ("namespace.yaml", "rbac.yaml", "stgnn-zones.yaml")]
        self.install(*(document for part in parts for document in yaml.safe_load_all(part)), *acting(self.settings))
        self._pods.start()
        self._files()
        wait_for(self._site.settled, "the zones", 60.0)
        audit.mark()

    def install(self, *manifests: Json, manager: str = INSTALLER) -> None:
        """Apply as somebody who installs things would."""
        for one in manifests:
            query = {"fieldManager": manager, "force": "true"}
            self.plane.call("PATCH", path_of(one, self.namespace), one, "apply", **query)

    @property
    def root(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    def manifest(self, zone: str) -> Json:
        """Return a zone's Deployment as it is installed."""
        documents = yaml.safe_load_all(make(self.settings)["stgnn-zones.yaml"])
        return next(one for one in documents if one["kind"] == "Deployment" and one["metadata"]["name"] == zone)

    def _files(self) -> None:
        (self.folder / "shield.json").write_text(json.dumps(SHIELD), encoding="utf-8")
        (self.folder / "settings.json").write_text(json.dumps(PATIENCE), encoding="utf-8")
        (self.folder / "queries.toml").write_text("".join(map(QUERY.format, MEASURED)), encoding="utf-8")

    def _run_pods(self) -> None:
        """Say of the pods what a kubelet would, where there is none."""
        while not (self.plane.has_node or self._ended.wait(0.1)):
            try:
                self._site.settled()
            except (httpx.TransportError, AssertionError, KeyError):  # the server is away, as it is to be
                continue

    def log_in(self, file: Path, server: str = "") -> None:
        """Write a token of the controller's account to a file, as a kubelet does."""
        config = yaml.safe_load(self.plane.script("sa-kubeconfig.sh", self.namespace, "controller", "3600"))
        config["clusters"][0]["cluster"]["server"] = server or self.plane.url
        fresh = file.with_suffix(".fresh")
        fresh.write_text(yaml.safe_dump(config), encoding="utf-8")
        fresh.replace(file)

    def start(self, name: str = "first", server: str = "", tick_s: float = 1.0) -> Bridge:
        """Start a replica; one of the same name goes on where the last one ended."""
        folder, port = self.folder / name, free_port()
        folder.mkdir(exist_ok=True)
        (folder / "decisions.jsonl").touch()
        self.log_in(folder / "kubeconfig", server)
        environment = {
            **os.environ,
            FILE: str(folder / "wishes.json"),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}",
        }
        command = [sys.executable, "-m", "metaverse_env.cli", *self._arguments(folder, port), "--tick-s", f"{tick_s:g}"]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        bridge = Bridge(process, folder, f"http://127.0.0.1:{port}")
        if not (folder / "wishes.json").exists():
            bridge.wish()
        self._bridges.append(bridge)
        return bridge

    def _arguments(self, folder: Path, port: int) -> list[str]:
        words = arguments(self.settings, "active")
        here = {"--host": "127.0.0.1", "--port": str(port), "--prometheus": self.measuring.url}
        here |= {"--checkpoint": str(folder / "checkpoint.json"), "--pause-file": str(folder / "paused")}
        changed = [here.get(before, word) for before, word in zip(["", *words], words, strict=False)]
        files = [part for name in ("shield", "settings") for part in (f"--{name}", f"{self.folder}/{name}.json")]
        more = ["--queries", f"{self.folder}/queries.toml", "--decisions", f"{folder}/decisions.jsonl"]
        more += ["--kubeconfig", f"{folder}/kubeconfig", "--forecaster", "none"]
        more += ["--fallback", "wished:Otherwise", "--rollouts", "--rollout-cool-down-s", "0"]
        return [*changed, *files, *more]

    def running(self, name: str = "first", server: str = "", tick_s: float = 1.0) -> Bridge:
        """Start a replica and see it act: zone-1 gets 200m."""
        bridge = self.start(name, server, tick_s)
        bridge.wish(policy={"zone-1": 0.2})
        bridge.until_written("zone-1")
        return bridge

    def writes(self) -> list[tuple[str, str]]:
        """Return the zones that the controller's account wrote to, and the CPU that it asked for, from the audit."""
        return [(zone, cpu) for zone, cpu, _ in self.epochs()]

    def epochs(self) -> list[tuple[str, str, str]]:
        """Return the same with the epoch that is stamped on each write."""
        entries = [one for one in self.asked() if one.code < 400]
        assert all(one.resource == "deployments" and one.subresource == "" and one.body for one in entries)
        bodies = [(one.name, one.body or {}) for one in entries]
        stamps = [body["metadata"]["annotations"].get(EPOCH, "") for _, body in bodies]
        cores = [container_of(body)["resources"]["requests"]["cpu"] for _, body in bodies]
        return [(name, cpu, stamp) for (name, _), cpu, stamp in zip(bodies, cores, stamps, strict=True)]

    def asked(self) -> list[Any]:
        """Return what the account asked to be changed of zones, granted or not."""
        found = self.audit.since(user=f"{self.namespace}:controller")
        return [one for one in found if one.mutating and one.resource in ("deployments", "pods")]

    def close(self) -> None:
        for bridge in self._bridges:
            if bridge.process.poll() is None:
                bridge.send(signal.SIGCONT)
                bridge.kill()
        self._ended.set()
        self._pods.join()
        self._site.close()
        self.plane.send("DELETE", f"/api/v1/namespaces/{self.namespace}")
