"""In front of the real API server: ``pods/resize`` of Kubernetes 1.33, which version 1.20 lacks.

It lists the subresource in discovery, takes patches of it with the real server's checks (precondition, class of service,
names of containers), and shows pods as a kubelet would that resizes them; everything else is the real server's.
"""

import json
import re
import threading
from typing import Any

from bridges.kubernetes.sizes import qos_of, sizing_of
from tests.bridges.control_plane import Json
from tests.bridges.fault_proxy import FaultProxy, Handler

RESIZE = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/?]+)/resize")
PODS = re.compile(r"/api/v1/(namespaces/[^/]+/)?pods(/[^/?]+)?(\?.*)?")


class ResizeFront(FaultProxy):
    """The front. ``reply`` says what the kubelet makes of resizes: ``"done"``, or a condition's reason."""

    def __init__(self, upstream: str, pki: Any) -> None:
        super().__init__(upstream, pki)
        self._server.RequestHandlerClass = ResizeHandler
        self._server.front = self  # type: ignore[attr-defined]
        self.desired: dict[str, Json] = {}
        self.actual: dict[str, Json] = {}
        self.conditions: dict[str, Json] = {}
        self.reply, self.since = "done", "2026-01-01T00:00:00Z"
        self.patches: list[tuple[str, Json]] = []
        self.guard = threading.Lock()

    def shown(self, pod: Json) -> Json:
        """Return a pod as the newer server has it."""
        uid = pod["metadata"]["uid"]
        status = pod.setdefault("status", {})
        container = pod["spec"]["containers"][0]
        own = container["resources"]
        container["resources"] = self.desired.get(uid, own)
        ready = {"name": container["name"], "restartCount": 0, "resources": self.actual.get(uid, own)}
        statuses = status.get("containerStatuses") or [ready]
        status["containerStatuses"] = [{**statuses[0], "resources": ready["resources"]}]
        if uid in self.conditions:
            status["conditions"] = [*status.get("conditions", []), self.conditions[uid]]
        return pod

    def resize(self, pod: Json, patch: Json) -> tuple[int, Json]:
        """Take a patch as the newer server would."""
        self.patches.append((pod["metadata"]["name"], patch))
        if patch["metadata"]["resourceVersion"] != pod["metadata"]["resourceVersion"]:
            return 409, {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
        (change,) = patch["spec"]["containers"]
        container = pod["spec"]["containers"][0]
        if change["name"] != container["name"]:
            return 422, {"kind": "Status", "reason": "Invalid", "message": "spec.containers: may not add containers"}
        sides = {
            side: {**container["resources"].get(side, {}), **amounts} for side, amounts in change["resources"].items()
        }
        if qos_of(pod["spec"]) != qos_of(pod["spec"], {container["name"]: sizing_of({"resources": sides})}):
            return 422, {"kind": "Status", "reason": "Invalid", "message": "Pod QoS Class may not change"}
        self._take(pod["metadata"]["uid"], sides)
        return 200, self.shown(pod)

    def _take(self, uid: str, sides: Json) -> None:
        with self.guard:
            self.desired[uid] = sides
            self.conditions.pop(uid, None)
            if self.reply == "done":
                self.actual[uid] = sides
            else:
                kind = "PodResizeInProgress" if self.reply == "InProgress" else "PodResizePending"
                about = {"type": kind, "status": "True", "reason": self.reply, "message": f"it is {self.reply}"}
                self.conditions[uid] = {**about, "lastTransitionTime": self.since}


class ResizeHandler(Handler):
    def ask(self, body: bytes) -> Any:
        front: ResizeFront = self.server.front  # type: ignore[attr-defined]
        match = RESIZE.match(self.path)
        if match and self.command == "PATCH":
            return self.resize(front, match, json.loads(body))
        status, headers, answer = super().ask(body)
        if status != 200 or self.command != "GET":
            return status, headers, answer
        found = json.loads(answer)
        if self.path == "/api/v1":
            found["resources"].append({"name": "pods/resize", "kind": "Pod", "namespaced": True, "verbs": ["patch"]})
        elif PODS.fullmatch(self.path):
            found = (
                {**found, "items": list(map(front.shown, found["items"]))} if "items" in found else front.shown(found)
            )
        return status, headers, json.dumps(found).encode()

    def resize(self, front: ResizeFront, match: re.Match[str], patch: Json) -> Any:
        self.command, self.path = "GET", f"/api/v1/namespaces/{match[1]}/pods/{match[2]}"
        del self.headers["Content-Length"], self.headers["Content-Type"]
        status, headers, answer = super().ask(b"")
        if status == 200:
            code, found = front.resize(front.shown(json.loads(answer)), patch)
            return code, headers, json.dumps(found).encode()
        return status, headers, answer
