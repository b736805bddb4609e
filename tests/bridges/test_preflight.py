"""What an account must be allowed, asked of the real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridges.errors import DeniedError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.discovery import Features
from bridges.kubernetes.preflight import Mode, Need, Uses, check, needs
from tests.bridges.control_plane import AuditLog, ControlPlane, Json, rule

OLD = Features(False, "v2beta2", "v1beta1")
NEW = Features(True, "v2", "v1", "v1beta1", "v1", "v1", "v1alpha1")
Connect = Callable[..., ApiClient]


def granted(mode: Mode, uses: Uses, without: Need | None = None) -> list[Json]:
    """Return the rules for exactly what is needed, but one."""
    wanted = [need for need in needs(mode, OLD, uses) if need != without and not need.everywhere]
    return [rule(need.group, need.resource, need.verb, [need.name] if need.name else ()) for need in wanted]


@pytest.fixture
def connect(service_account_kubeconfig: Callable[..., Path]) -> Iterator[Connect]:
    clients: list[ApiClient] = []

    def make(rules: list[Json], **options: Any) -> ApiClient:
        clients.append(ApiClient.from_kubeconfig(service_account_kubeconfig(rules, **options)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.mark.parametrize("mode", ["shadow", "canary", "active"])
def test_t39_exactly_what_is_needed_is_enough(connect: Connect, namespace: str, mode: Mode) -> None:
    client = connect(granted(mode, Uses()))
    assert [str(need) for need in check(client, namespace, mode)] == ["verb 'list' on 'nodes'", "verb 'list' on 'pods'"]


ACTIVE = [need for need in needs("active", OLD, Uses(evict=True, nodes=False)) if not need.optional]


def test_t39_each_verb_that_is_missing_is_named(connect: Connect, namespace: str) -> None:
    uses = Uses(evict=True, nodes=False)
    for number, need in enumerate(ACTIVE):
        client = connect(granted("active", uses, without=need), name=f"lacks-{number}")
        with pytest.raises(DeniedError) as caught:
            check(client, namespace, "active", uses)
        expected = f"mode active in namespace {namespace!r} is not allowed {need}. Add it to the account's Role"
        assert str(caught.value) == expected


def test_t39_all_that_is_missing_is_named_at_once(connect: Connect, namespace: str) -> None:
    with pytest.raises(
        DeniedError, match=r"'list' on 'deployments\.apps'; verb 'list' on 'pods'; verb 'list' on 'limitranges'"
    ):
        check(connect([]), namespace, "shadow")


def test_t39_another_namespace_is_not_ours(connect: Connect) -> None:
    with pytest.raises(DeniedError, match="in namespace 'kube-system'"):
        check(connect(granted("shadow", Uses())), "kube-system", "shadow")


def test_t73_the_questions_are_dry_runs(connect: Connect, namespace: str, audit_log: AuditLog) -> None:
    client = connect(granted("shadow", Uses()))
    mark = audit_log.mark()
    check(client, namespace, "shadow")
    asked = audit_log.since(mark, user="bridge")
    assert len(asked) > 5
    assert not [entry for entry in asked if entry.mutating]


def test_an_administrator_may_do_everything(control_plane: ControlPlane, namespace: str) -> None:
    with ApiClient.from_kubeconfig(control_plane.kubeconfig) as client:
        assert check(client, namespace, "active", Uses(evict=True)) == ()


def test_what_is_not_served_or_not_used_is_not_needed() -> None:
    def words(mode: Mode, features: Features, uses: Uses) -> set[str]:
        return {f"{need.verb} {need.resource}" for need in needs(mode, features, uses)}

    assert "patch pods/resize" in words("active", NEW, Uses())
    assert "patch pods/resize" not in words("active", OLD, Uses())
    assert "patch pods/resize" not in words("active", NEW, Uses(vertical=False))
    assert "patch deployments/scale" not in words("active", NEW, Uses(horizontal=False))
    assert {"list verticalpodautoscalers", "list scaledobjects"} <= words("shadow", NEW, Uses())
    assert not any(word.split()[0] != "list" for word in words("shadow", NEW, Uses(evict=True)))
    assert "patch httproutes" in words("active", NEW, Uses())
    assert not {"patch httproutes", "create leases", "create events"} & words(
        "active", NEW, Uses(handover=False, lease="", events=False)
    )
