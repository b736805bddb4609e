"""For Kubernetes 1.30 and later: whoever has the controller's token can change amounts and replicas, and nothing else.

RBAC cannot say which field of a Deployment may be patched, and who may patch a pod template may run code. The policy
compares the new object with the old one: templates must be the same when the amounts of their containers are left out.
"""

from typing import Final

from bridges.manifests.parts import PREFIX, Json, named
from bridges.manifests.settings import Settings

NAME: Final = "bridge-amounts"

CONTAINER_FIELDS: Final = (
    "image", "command", "args", "workingDir", "ports", "envFrom", "env", "volumeMounts", "volumeDevices",
    "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "terminationMessagePath",
    "terminationMessagePolicy", "imagePullPolicy", "securityContext", "stdin", "stdinOnce", "tty", "resizePolicy",
    "restartPolicy", "restartPolicyRules",
)  # fmt: skip
"""Everything of a container but its name and ``resources``."""
POD_FIELDS: Final = (
    "volumes", "initContainers", "ephemeralContainers", "restartPolicy", "terminationGracePeriodSeconds",
    "activeDeadlineSeconds", "dnsPolicy", "nodeSelector", "serviceAccountName", "automountServiceAccountToken",
    "nodeName", "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "securityContext", "imagePullSecrets",
    "hostname", "subdomain", "affinity", "schedulerName", "tolerations", "hostAliases", "priorityClassName", "priority",
    "dnsConfig", "readinessGates", "runtimeClassName", "enableServiceLinks", "preemptionPolicy", "overhead",
    "topologySpreadConstraints", "setHostnameAsFQDN", "os", "hostUsers", "schedulingGates", "resourceClaims",
    "serviceAccount", "resources", "schedulingGroup", "hostnameOverride", "evictionResponders", "workloadRef",
)  # fmt: skip
"""Everything of a pod but ``containers``."""
_METADATA: Final = ("labels", "finalizers", "ownerReferences")
_POD: Final = "variables.pod"
_TEMPLATE: Final = "variables.template"
SPEC_FIELDS: Final = (
    "selector",
    "strategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "paused",
)


def admission(settings: Settings) -> list[Json]:
    """Return the policy and its binding."""
    names = f"{settings.namespace}-{NAME}"
    policy = named("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", names, settings, "controller")
    binding = named(
        "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", names, settings, "controller"
    )
    for document in (policy, binding):
        del document["metadata"]["namespace"]
    account = f"system:serviceaccount:{settings.namespace}:controller"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}
    policy["spec"] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "by-the-controller", "expression": f"request.userInfo.username == '{account}'"}],
        "variables": [
            {"name": name, "expression": f"{side}.{path}"}
            for name, path in (("template", "spec.template.metadata"), ("pod", "spec.template.spec"))
            for name, side in ((name, "object"), (f"{name}_before", "oldObject"))
        ],
        "validations": [
            _validation(
                _same("object.spec", "oldObject.spec", SPEC_FIELDS), "only replicas and amounts may be changed"
            ),
            _validation(_annotations(), "of a template's metadata, only its egress bandwidth may be changed"),
            _validation(_same(_POD, f"{_POD}_before", POD_FIELDS), "of a pod, only its containers' may be changed"),
            _validation(_containers(), "of a container, only its resources may be changed"),
            _validation(
                _same("object.metadata", "oldObject.metadata", _METADATA), "labels and owners stay as they are"
            ),
        ],
    }
    binding["spec"] = {
        "policyName": names,
        "validationActions": ["Deny", "Audit"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": settings.namespace}}},
    }
    return [policy, binding]


def _validation(expression: str, message: str) -> Json:
    return {"expression": expression, "message": f"{PREFIX}: {message}", "reason": "Forbidden"}


def _same(new: str, old: str, fields: tuple[str, ...]) -> str:
    return " && ".join(_same_field(new, old, name) for name in fields)


def _same_field(new: str, old: str, name: str) -> str:
    """Return the comparison of a field that may be absent on either side."""
    return f"(has({new}.{name}) ? has({old}.{name}) && {new}.{name} == {old}.{name} : !has({old}.{name}))"


def _containers() -> str:
    new, old = f"{_POD}.containers", f"{_POD}_before.containers"
    each = _same("c", "o", CONTAINER_FIELDS)
    return f"size({new}) == size({old}) && {new}.all(c, {old}.exists(o, o.name == c.name && {each}))"


def _annotations() -> str:
    """Return that of a template's metadata only the annotation of the egress bandwidth differs."""
    one_way = (
        "(!has({a}.annotations) || {a}.annotations.all(k, k == {key} || "
        "(has({b}.annotations) && k in {b}.annotations && {a}.annotations[k] == {b}.annotations[k])))"
    )
    key, old = "'kubernetes.io/egress-bandwidth'", f"{_TEMPLATE}_before"
    ways = (one_way.format(a=a, b=b, key=key) for a, b in ((_TEMPLATE, old), (old, _TEMPLATE)))
    return " && ".join([_same_field(_TEMPLATE, old, "labels"), *ways])
