"""Who owns which field of an object: ``managedFields`` (fieldsV1) read into paths.

Paths are those that the server names in conflicts, without the leading dot:
``spec.template.spec.containers[name="zone"].resources.requests.cpu``.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from bridges.kubernetes.documents import Document, broken, part, rows, text

MOST_DEPTH = 40
MOST_MANAGERS = 200


class Owner(NamedTuple):
    """One manager's entry.

    Attributes:
        manager: Its name.
        applies: Whether by server-side apply, so that what it leaves out of its next intent is taken away.
        subresource: Such as ``"scale"`` or ``"status"``; ``""`` for the object itself.
    """

    manager: str
    applies: bool
    subresource: str = ""


Owners = dict[str, tuple[Owner, ...]]
"""Path of a leaf to those who own it."""


def owners_of(document: Document) -> Owners:
    """Return the owners of every leaf field. A server that keeps none gives none."""
    found: dict[str, list[Owner]] = {}
    for entry in rows(document, "metadata", "managedFields", most=MOST_MANAGERS):
        owner = Owner(text(entry, "manager"), text(entry, "operation") == "Apply", text(entry, "subresource"))
        for path in leaves(part(entry, "fieldsV1")):
            found.setdefault(path, []).append(owner)
    return {path: tuple(owners) for path, owners in found.items()}


def leaves(fields: Document, path: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the paths of a field set that have none below.

    >>> list(leaves({"f:spec": {"f:replicas": {}, "f:list": {'k:{"name":"a"}': {".": {}, "f:image": {}}}}}))
    ['spec.replicas', 'spec.list[name="a"].image']
    """
    if depth > MOST_DEPTH:
        raise broken("metadata.managedFields", f"at most {MOST_DEPTH} levels", path)
    for key, below in fields.items():
        if key == ".":
            continue
        at = path + _step(key) if path else _step(key).removeprefix(".")
        deeper = below if isinstance(below, dict) else {}
        inner = {name for name in deeper if name != "."}
        if inner:
            yield from leaves(deeper, at, depth + 1)
        else:
            yield at


def _step(key: str) -> str:
    kind, _, name = key.partition(":")
    if kind == "k":
        return "[" + ",".join(f"{field}={json.dumps(value)}" for field, value in _keys(name).items()) + "]"
    return f".{name}" if kind == "f" else f"[{name}]"


def _keys(written: str) -> dict[str, Any]:
    try:
        keys = json.loads(written)
    except ValueError:
        raise broken("metadata.managedFields", "a key in JSON", written) from None
    if not isinstance(keys, dict):
        raise broken("metadata.managedFields", "an object as key", written)
    return keys


def resource_path(container: str, side: str, resource: str) -> str:
    """Return the path of one amount: ``side`` is ``"requests"`` or ``"limits"``."""
    return f"spec.template.spec.containers[name={json.dumps(container)}].resources.{side}.{resource}"


def applied_by(owners: Owners, manager: str) -> frozenset[str]:
    """Return what a manager owns by apply on the object itself: leaving it out would take it away (or reset it)."""
    return frozenset(path for path, those in owners.items() if Owner(manager, True) in those)


def names(owners: Owners) -> dict[str, str]:
    """Return each path's managers in one text, for people."""
    return {path: ", ".join(sorted({owner.manager for owner in those})) for path, those in owners.items()}
