"""The admission policy judged by another implementation of its language: amounts pass, code does not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cel
import kubernetes_validate
import pytest
import yaml

from bridges.manifests import admission
from tests.bridges.installation import FILES, NEWER, Json, named

POLICY = next(iter(yaml.safe_load_all(FILES["components/admission/policy.yaml"])))["spec"]
CONTROLLER = "system:serviceaccount:metaverse:controller"
ZONE = next(document for document in named("Deployment") if document["metadata"]["name"] == "zone-1")
Edit = Callable[[Json], Any]


def refused(edit: Edit, user: str = CONTROLLER, before: Json = ZONE) -> list[str]:
    """Return what the policy says of an edited Deployment; nothing when it lets it through."""
    after = copy.deepcopy(before)
    edit(after)
    given: Json = {"object": after, "oldObject": before, "request": {"userInfo": {"username": user}}}
    if not all(cel.evaluate(condition["expression"], given) for condition in POLICY["matchConditions"]):
        return []
    given["variables"] = {each["name"]: cel.evaluate(each["expression"], given) for each in POLICY["variables"]}
    return [each["message"] for each in POLICY["validations"] if cel.evaluate(each["expression"], given) is not True]


def pod(document: Json) -> Json:
    specification: Json = document["spec"]["template"]["spec"]
    return specification


def main(document: Json) -> Json:
    container: Json = pod(document)["containers"][0]
    return container


BANDWIDTH = {"kubernetes.io/egress-bandwidth": "8M"}
ALLOWED: dict[str, Edit] = {
    "nothing": lambda d: None,
    "requests": lambda d: main(d)["resources"]["requests"].update(cpu="2"),
    "no limits": lambda d: main(d)["resources"].pop("limits"),
    "replicas": lambda d: d["spec"].update(replicas=4),
    "a mark": lambda d: d["metadata"].update(annotations={"metaverse-env.dev/bridge": "{}"}),
    "bandwidth": lambda d: d["spec"]["template"]["metadata"].update(annotations=BANDWIDTH),
}
FORBIDDEN: dict[str, Edit] = {
    "image": lambda d: main(d).update(image="evil:1"),
    "command": lambda d: main(d).update(command=["sh"]),
    "environment": lambda d: main(d)["env"].append({"name": "LD_PRELOAD", "value": "x"}),
    "another name": lambda d: main(d).update(name="other"),
    "a second container": lambda d: pod(d)["containers"].append({"name": "evil", "image": "evil:1"}),
    "no container": lambda d: pod(d)["containers"].clear(),
    "an init container": lambda d: pod(d).update(initContainers=[{"name": "evil", "image": "evil:1"}]),
    "the host's files": lambda d: pod(d).update(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
    "the host's network": lambda d: pod(d).update(hostNetwork=True),
    "another account": lambda d: pod(d).update(serviceAccountName="controller"),
    "its older name": lambda d: pod(d).update(serviceAccount="controller"),
    "a token": lambda d: pod(d).update(automountServiceAccountToken=True),
    "root": lambda d: pod(d)["securityContext"].update(runAsUser=0),
    "privileges": lambda d: main(d)["securityContext"].update(privileged=True),
    "no context": lambda d: main(d).pop("securityContext"),
    "no probe": lambda d: main(d).pop("readinessProbe"),
    "the pods' labels": lambda d: d["spec"]["template"]["metadata"]["labels"].update(team="evil"),
    "the pods' annotations": lambda d: d["spec"]["template"]["metadata"].update(annotations={"inject": "yes"}),
    "labels": lambda d: d["metadata"]["labels"].pop("metaverse-env.dev/zone"),
    "owners": lambda d: d["metadata"].update(ownerReferences=[{"name": "x"}]),
    "the selector": lambda d: d["spec"]["selector"]["matchLabels"].update(a="b"),
    "the strategy": lambda d: d["spec"].update(strategy={"type": "Recreate"}),
    "a pause": lambda d: d["spec"].update(paused=True),
}


@pytest.mark.parametrize("edit", ALLOWED.values(), ids=ALLOWED)
def test_the_controller_may_change_amounts_and_replicas(edit: Edit) -> None:
    assert refused(edit) == []


@pytest.mark.parametrize("edit", FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_controller_may_change_nothing_else(edit: Edit) -> None:
    assert refused(edit)
    assert refused(edit, user="kubernetes-admin") == []


def test_an_annotation_of_the_pods_that_was_there_stays() -> None:
    before = copy.deepcopy(ZONE)
    before["spec"]["template"]["metadata"]["annotations"] = {"mesh": "on"}
    template: Callable[[Json], Json] = lambda d: d["spec"]["template"]["metadata"]  # noqa: E731
    assert refused(lambda d: template(d)["annotations"].update(BANDWIDTH), before=before) == []
    assert refused(lambda d: template(d).pop("annotations"), before=before)
    assert refused(lambda d: template(d)["annotations"].update(mesh="off"), before=before)


@pytest.mark.parametrize("version", NEWER)
def test_every_field_that_a_version_knows_is_compared(version: str) -> None:
    schemas = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    kinds = json.loads((schemas / f"v{version}.0-local" / "_definitions.json").read_text(encoding="utf-8"))["$defs"]

    def fields(kind: str) -> set[str]:
        return set(kinds[f"io.k8s.api.{kind}"]["properties"])

    assert fields("core.v1.PodSpec") - {"containers"} <= set(admission.POD_FIELDS)
    assert fields("core.v1.Container") - {"name", "resources"} <= set(admission.CONTAINER_FIELDS)
    assert fields("apps.v1.DeploymentSpec") - {"replicas", "template"} <= set(admission.SPEC_FIELDS)
