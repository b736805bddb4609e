"""Handover of new sessions as weights of an HTTPRoute (Gateway API): shares made whole numbers that add up."""

import copy
import math
from collections.abc import Mapping
from typing import Any

from bridges.kubernetes.documents import Document, rows, text, whole
from bridges.kubernetes.resources import Json
from metaverse_env.errors import ActionError

WHOLE = 1000
"""What the weights of a rule add up to."""


def weights(shares: Mapping[str, float], zone: str) -> dict[str, int]:
    """Return weights of neighbours and of the zone itself, by largest remainders.

    >>> weights({"b": 1 / 3, "c": 1 / 3}, "a")
    {'b': 333, 'c': 333, 'a': 334}

    Raises:
        ActionError: A share is not in [0, 1], or they are more than all.
    """
    for neighbour, share in shares.items():
        if not math.isfinite(share) or not 0 <= share <= 1:
            raise ActionError(f"zone {zone!r}: handover to {neighbour!r} of {share!r}: give a share from 0 to 1")
    total = math.fsum(shares.values())
    if total > 1 + 1e-9:
        raise ActionError(
            f"zone {zone!r}: handover of {total:g} of its new sessions: give shares of at most 1 together"
        )
    exact = {**{each: share * WHOLE for each, share in shares.items()}, zone: max(0.0, 1 - total) * WHOLE}
    found = {each: math.floor(value) for each, value in exact.items()}
    short = WHOLE - sum(found.values())
    for each in sorted(exact, key=lambda name: (found[name] - exact[name], name != zone))[:short]:
        found[each] += 1
    return found


def reweighted(
    route: Document, wanted: Mapping[str, int], services: Mapping[str, str]
) -> tuple[Json | None, list[str]]:
    """Return a route's rules with other weights, and the zones that no rule can send to.

    Only rules that name the zone's own service and all wanted neighbours are changed; nothing is added, as a service
    may not be reachable from there.

    Args:
        route: HTTPRoute as it stands.
        wanted: Zone to weight; the zone itself is the last.
        services: Zone to the service that serves it.

    Returns:
        The body of a merge patch with the route's version as precondition, ``None`` when nothing changes; and these
        zones.
    """
    rules: list[Any] = copy.deepcopy(rows(route, "spec", "rules", most=1000))
    by_service = {services[zone]: weight for zone, weight in wanted.items()}
    sending = {zone for zone, weight in wanted.items() if weight}
    missing, changed, found = set(sending), False, False
    for rule in rules:
        named = {text(backend, "name") for backend in rows(rule, "backendRefs", most=1000)}
        lacking = {zone for zone in sending if services[zone] not in named}
        missing &= lacking
        if not lacking:
            found = True
            changed |= _reweigh(rule, by_service)
    if not found:
        return None, sorted(missing or sending)
    version = text(route, "metadata", "resourceVersion")
    return ({"metadata": {"resourceVersion": version}, "spec": {"rules": rules}} if changed else None), []


def _reweigh(rule: Any, by_service: Mapping[str, int]) -> bool:
    changed = False
    for backend in rule["backendRefs"]:
        weight = by_service.get(backend["name"], 0)
        changed |= whole(backend, "weight", default=1) != weight
        backend["weight"] = weight
    return changed
