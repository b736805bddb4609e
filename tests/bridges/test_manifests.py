"""The files of an installation, without a cluster: complete, hardened, valid for newer Kubernetes, and nobody's else."""

import json
import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner, Result

from bridges.kubernetes.discovery import Features
from bridges.kubernetes.lease import LEASE
from bridges.kubernetes.preflight import Mode, Uses, needs
from bridges.manifests.permissions import ACTS, NODES, SEES
from bridges.manifests.settings import Settings, parse_images
from bridges.manifests.writing import COMPONENTS, make
from metaverse_env.cli import COMMANDS, Branch, app
from metaverse_env.errors import ConfigurationError
from metaverse_env.plugins import resolve
from tests.bridges.installation import DOCUMENTS, FILES, FOREIGN, NEWER, Json, documents, named, pods


def manifests(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["bridge", "manifests", *map(str, arguments)], prog_name="metaverse")


def test_thirty_zones_are_deployments_of_one_file() -> None:
    zones = [document for document in yaml.safe_load_all(FILES["stgnn-zones.yaml"]) if document["kind"] == "Deployment"]
    assert [zone["metadata"]["name"] for zone in zones] == [f"zone-{number}" for number in range(1, 31)]
    for zone in zones:
        name = zone["metadata"]["name"]
        assert zone["metadata"]["labels"]["metaverse-env.dev/zone"] == name
        assert zone["spec"]["selector"]["matchLabels"].items() <= zone["spec"]["template"]["metadata"]["labels"].items()
        (container,) = zone["spec"]["template"]["spec"]["containers"]
        assert {"name": "ZONE", "value": name} in container["env"]
    assert "prometheus-configmap.yaml" in FILES


def test_the_same_settings_give_the_same_bytes_and_one_command_writes_them(tmp_path: Path) -> None:
    told = manifests("--out", tmp_path / "a", "--zones", 4, "--namespace", "mall", "--json")
    assert (told.exit_code, told.stderr) == (0, "")
    files = make(Settings(zones=4, namespace="mall"))
    assert json.loads(told.stdout)["files"] == sorted(files)
    written = {str(path.relative_to(tmp_path / "a")): path for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert {name: path.read_text(encoding="utf-8") for name, path in written.items()} == files
    assert all(namespace_of(document) in {"mall", None} for _, document in documents(files))


def namespace_of(document: Json) -> str | None:
    found: str | None = document.get("metadata", {}).get("namespace")
    return found


def test_files_that_are_there_stay_unless_forced(tmp_path: Path) -> None:
    assert manifests("--out", tmp_path, "--zones", 1).exit_code == 0
    mine = tmp_path / "server.yaml"
    mine.write_text("mine\n", encoding="utf-8")
    refused = manifests("--out", tmp_path, "--zones", 2)
    assert refused.exit_code == 2
    assert "README.md and 26 more are there already; --force replaces them" in refused.stderr
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert manifests("--out", tmp_path, "--zones", 2, "--force").exit_code == 0
    assert mine.read_text(encoding="utf-8") == make(Settings(zones=2))["server.yaml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--namespace", "Mall"], "a to z, 0 to 9"),
        (["--namespace", "a" * 64], "at most 63"),
        (["--namespace", "kube-system"], "Kubernetes' own"),
        (["--zones", "0"], "--zones"),
        (["--zones", "1001"], "--zones"),
        (["--image", "zone"], "PART=IMAGE"),
        (["--image", "door=a:1"], "one of server, controller"),
        (["--image", "zone=a:1", "--image", "zone=b:1"], "twice"),
        (["--image", "zone=zone:latest"], "may change"),
        (["--image", "zone=registry.example.org:5000/zone"], "may change"),
        (["--image", "zone=zone:1; rm -rf /"], "is no image"),
        (["--image", "zone=a@sha256:12"], "is no image"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(arguments: list[str], said: str, tmp_path: Path) -> None:
    refused = manifests("--out", tmp_path / "out", *arguments)
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())
    assert not (tmp_path / "out").exists()


def test_images_are_taken_by_version_or_digest() -> None:
    digest = "a" * 64
    given = parse_images([f"zone=registry.example.org:5000/team/zone@sha256:{digest}", "server=s:1.2.3-rc.1"])
    settings = Settings(zones=1, zone=given["zone"], server=given["server"])
    text = "".join(make(settings).values())
    assert f"image: registry.example.org:5000/team/zone@sha256:{digest}" in text
    assert "image: s:1.2.3-rc.1" in text
    with pytest.raises(ConfigurationError, match="may change"):
        Settings(grafana="grafana/grafana")


def test_every_resource_of_kustomize_is_there_and_is_a_component_or_listed() -> None:
    base = yaml.safe_load(FILES["kustomization.yaml"])
    listed = set(base["resources"])
    for component in COMPONENTS:
        folder = f"components/{component}"
        part = yaml.safe_load(FILES[f"{folder}/kustomization.yaml"])
        assert (part["kind"], part["apiVersion"]) == ("Component", "kustomize.config.k8s.io/v1alpha1")
        listed |= {f"{folder}/{name}" for name in part["resources"]}
        for patch in part.get("patches", []):
            target = patch["target"]
            assert (target["kind"], target["name"]) in {(d["kind"], d["metadata"]["name"]) for d in named("Deployment")}
            assert {step["op"] for step in yaml.safe_load(patch["patch"])} == {"replace"}
    here = {path for path in FILES if path.endswith(".yaml") and not path.endswith("kustomization.yaml")}
    assert listed == here


def test_no_object_is_there_twice_and_all_are_labelled() -> None:
    keys = [
        (document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"])
        for _, document in DOCUMENTS
        if "metadata" in document
    ]
    assert len(set(keys)) == len(keys)
    for _, document in DOCUMENTS:
        if "metadata" in document:
            labels = document["metadata"]["labels"]
            zones = labels.get("app.kubernetes.io/component", "zone") == "zone"
            assert labels["app.kubernetes.io/part-of"] == ("metaverse" if zones else "metaverse-bridge")


def test_every_pod_keeps_the_restricted_security_standard() -> None:
    found = dict(pods())
    assert set(found) == {
        *(f"zone-{number}" for number in range(1, 31)),
        "server",
        "controller",
        "prometheus",
        "grafana",
    }
    for name, pod in found.items():
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert context["runAsUser"] > 0
        assert pod["automountServiceAccountToken"] is (name in {"controller", "prometheus"})
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not any("hostPath" in volume for volume in pod.get("volumes", []))
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            resources = container["resources"]
            assert {*resources["requests"]} == {*resources["limits"]} == {"cpu", "memory"}
            assert {"livenessProbe", "readinessProbe"} <= set(container)
            assert re.fullmatch(r".+(:[^:/]*\d[^:/]*|@sha256:[0-9a-f]{64})", container["image"])
    standard = named("Namespace")[0]["metadata"]["labels"]
    assert standard["pod-security.kubernetes.io/enforce"] == "restricted"


def test_rights_are_of_the_namespace_without_wildcards_or_ways_to_more() -> None:
    powerful = {"secrets", "nodes/proxy", "roles", "rolebindings", "pods/exec", "serviceaccounts/token"}
    for role in named("Role", "ClusterRole"):
        for rule in role["rules"]:
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not any("*" in word for word in words)
            assert not words & (powerful | {"escalate", "bind", "impersonate", "delete", "deletecollection"})
            if role["kind"] == "ClusterRole":
                assert set(rule["verbs"]) <= {"get", "list", "watch"}
    reads = [rule for role in named("Role") if role["metadata"]["name"] == "controller" for rule in role["rules"]]
    assert {verb for rule in reads for verb in rule["verbs"]} == {"list"}  # in shadow mode it cannot write


def test_nobody_speaks_to_anybody_but_as_said() -> None:
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in named("NetworkPolicy")}
    assert policies.pop("default-deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(policies) == {"zone", "server", "controller", "prometheus", "grafana"}
    for policy in policies.values():
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        assert all(rule["from"] and rule["ports"] for rule in policy.get("ingress", []))
        assert all(rule["ports"] for rule in policy.get("egress", []))
    assert {name for name, policy in policies.items() if "egress" not in policy} == {"zone", "server"}
    assert {name for name, policy in policies.items() if "ingress" not in policy} == {"grafana"}
    ports = {port["port"] for rule in policies["controller"]["egress"] for port in rule["ports"]}
    assert ports == {53, 443, 6443, 9090}


@pytest.mark.parametrize("version", NEWER)
def test_all_is_valid_for_newer_kubernetes(version: str) -> None:
    few = make(Settings(zones=1))
    checked = [document for _, document in documents(few) if document["kind"] not in FOREIGN]
    for document in checked:
        kubernetes_validate.validate(document, version, strict=True)
    assert "ValidatingAdmissionPolicy" in {document["kind"] for document in checked}


def test_services_budgets_and_policies_select_pods_that_there_are() -> None:
    labels = [document["spec"]["template"]["metadata"]["labels"] for document in named("Deployment")]
    selectors = [service["spec"]["selector"] for service in named("Service")]
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in named("PodDisruptionBudget")]
    for selector in selectors:
        assert sum(selector.items() <= of_pod.items() for of_pod in labels) == 1
    for policy in named("NetworkPolicy"):
        selector = policy["spec"]["podSelector"].get("matchLabels", {})
        assert any(selector.items() <= of_pod.items() for of_pod in labels)


def test_dockerfiles_are_pinned_and_need_no_root() -> None:
    for part in ("server", "controller", "zone"):
        lines = FILES[f"images/{part}.Dockerfile"].splitlines()
        for line in (line for line in lines if line.startswith("FROM") and "scratch" not in line):
            assert re.search(r":\d+\.\d+\.\d+-\w+", line), line
        last = lines[len(lines) - 1 - [line.split()[0] if line else "" for line in reversed(lines)].index("FROM") :]
        assert "USER 65532:65532" in last
        assert f"metaverse-{part}" in FILES["README.md"]
        assert not any(line.startswith("ADD") for line in lines)


def test_the_controller_is_started_with_options_that_there_are() -> None:
    bridge = COMMANDS["bridge"]
    assert isinstance(bridge, Branch)
    for name, pod in pods():
        if name not in {"server", "controller"}:
            continue
        words = pod["containers"][0]["args"]
        command = words[: next(i for i, word in enumerate(words) if word.startswith("--"))]
        if command == ["bridge", "run"] and "run" not in bridge.commands:
            continue
        told = CliRunner().invoke(app, [*command, "--help"], prog_name="metaverse", env={"COLUMNS": "200"})
        for option in (word for word in words if word.startswith("--")):
            assert option in told.output, option


def test_the_instructions_name_files_that_there_are_and_all_commands_are_whole() -> None:
    text = FILES["README.md"]
    for path in re.findall(r"`((?:components|images|dashboards)/[\w./-]*|[\w-]+\.yaml)`", text):
        assert any(name == path or name.startswith(path.rstrip("/") + "/") for name in FILES), path
    assert "port-forward service/prometheus 9090:9090" in text
    assert "port-forward service/grafana 3000:3000" in text
    for place in ("Docker Desktop", "kind", "real cluster"):
        assert place in text


def test_the_command_finds_its_function() -> None:
    bridge = COMMANDS["bridge"]
    assert isinstance(bridge, Branch)
    assert callable(resolve("command", "manifests", {"manifests": bridge.commands["manifests"].target}))


@pytest.mark.parametrize("mode", ["shadow", "active"])
def test_rights_are_those_that_the_preflight_asks_for(mode: Mode) -> None:
    every = Features(True, "v2", "v1", "v1beta1", "v1", "v1", "v1alpha1")
    needed = needs(mode, every, Uses(lease=LEASE))
    tables = {False: SEES + ACTS if mode == "active" else SEES, True: NODES}
    for everywhere, table in tables.items():
        given = {
            (verb, group, resource, name)
            for group, resources, verbs, names in table
            for resource in resources
            for verb in verbs
            for name in names or ("",)
        }
        assert given == {need[:4] for need in needed if need.everywhere is everywhere}
