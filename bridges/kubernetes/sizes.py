"""What a container asks for and may take, in whole millicores and bytes, so that equal is equal.

Floats end here: what is compared, scaled and written are whole numbers, as the API server would round them itself.
"""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from bridges.contracts import Amounts
from bridges.kubernetes.documents import Document, part, quantity, rows
from bridges.kubernetes.quantities import canonical
from metaverse_env.errors import ActionError

QoS = Literal["Guaranteed", "Burstable", "BestEffort"]

MOST_MILLICORES = 10_000_000
MOST_BYTES = 1 << 50
BYTES_PER_MB = 1_000_000


class Size(NamedTuple):
    """CPU and memory; ``None`` where nothing is said."""

    millicores: int | None = None
    bytes: int | None = None


class Sizing(NamedTuple):
    """Requests and limits of one container."""

    requests: Size = Size()
    limits: Size = Size()


class Ratios(NamedTuple):
    """Limit over request, which a change of the request keeps; ``None`` without a limit."""

    cpu: Fraction | None = None
    memory: Fraction | None = None


def sizing_of(container: Document) -> Sizing:
    """Return what a container asks for; a limit without a request is its request too, as the server has it in pods."""
    return _defaulted(_size_at(container, "requests"), _size_at(container, "limits"))


def _size_at(container: Document, kind: str) -> Size:
    found = part(container, "resources", kind)
    where = f"resources.{kind}"
    return Size(_units(found, "cpu", 1000, where), _units(found, "memory", 1, where))


def _units(found: Document, key: str, per_one: int, where: str) -> int | None:
    return None if found.get(key) is None else math.ceil(quantity(found[key], f"{where}.{key}") * per_one)


def _defaulted(requests: Size, limits: Size) -> Sizing:
    pairs = zip(requests, limits, strict=True)
    return Sizing(Size(*(limit if request is None else request for request, limit in pairs)), limits)


def amounts_of(size: Size) -> Amounts:
    """Return a size in cores and MB.

    >>> amounts_of(Size(250, 64_000_000))
    Amounts(cpu_cores=0.25, memory_mb=64.0)
    """
    return Amounts(
        None if size.millicores is None else size.millicores / 1000,
        None if size.bytes is None else size.bytes / BYTES_PER_MB,
    )


def size_of(amounts: Amounts, zone: str) -> Size:
    """Return amounts as a size, to the nearest millicore and byte, at least one of each.

    Raises:
        ActionError: An amount is not a number, not above 0, or more than any machine has.
    """
    return Size(
        _rounded(amounts.cpu_cores, 1000, MOST_MILLICORES, "cores of CPU", zone),
        _rounded(amounts.memory_mb, BYTES_PER_MB, MOST_BYTES, "MB of memory", zone),
    )


def _rounded(value: float | None, per_one: int, most: int, what: str, zone: str) -> int | None:
    if value is None:
        return None
    if not math.isfinite(value) or not 0 < value * per_one <= most:
        raise ActionError(f"zone {zone!r}: {value!r} {what} asked for; give a number above 0, up to {most / per_one:g}")
    return max(1, round(value * per_one))


def ratios_of(resources: Sizing) -> Ratios:
    """Return limit over request, exactly."""
    pairs = zip(resources.requests, resources.limits, strict=True)
    return Ratios(*(None if limit is None or not request else Fraction(limit, request) for request, limit in pairs))


def rescaled(now: Sizing, wanted: Size, ratios: Ratios) -> Sizing:
    """Return the requests that are wanted, what is not mentioned as it is now, and limits in proportion, rounded up."""
    requests, limits = [], []
    for old, limit, new, ratio in zip(now.requests, now.limits, wanted, ratios, strict=True):
        requests.append(old if new is None else new)
        limits.append(limit if new is None or ratio is None else math.ceil(new * ratio))
    return Sizing(Size(*requests), Size(*limits))


def written(resources: Sizing) -> dict[str, dict[str, str]]:
    """Return resources as the API has them; what is ``None`` is left out.

    >>> written(Sizing(Size(250, 64_000_000), Size(500)))
    {'requests': {'cpu': '250m', 'memory': '62500Ki'}, 'limits': {'cpu': '500m'}}
    """
    sides = {"requests": _written(resources.requests), "limits": _written(resources.limits)}
    return {side: amounts for side, amounts in sides.items() if amounts}


def _written(size: Size) -> dict[str, str]:
    cpu = {} if size.millicores is None else {"cpu": f"{size.millicores}m"}
    whole = size.bytes is not None and size.bytes % 1024 == 0
    spelt = f"{size.bytes // 1024}Ki" if size.bytes is not None and whole else str(size.bytes)
    memory = {} if size.bytes is None else {"memory": canonical(spelt)}
    return cpu | memory


def container_of(pod_spec: Document, name: str) -> Document | None:
    """Return a container by its name, or the only one where no name is given; ``None`` where there is no such."""
    containers = rows(pod_spec, "containers", most=1000)
    if not name:
        return containers[0] if len(containers) == 1 else None
    return next((container for container in containers if container.get("name") == name), None)


def qos_of(pod_spec: Document, replaced: Mapping[str, Sizing] | None = None) -> QoS:
    """Return a pod's class of service, with the resources of some containers replaced.

    As in ``pkg/apis/core/v1/helper/qos``: all of CPU and memory limited, with equal requests, is Guaranteed; nothing
    asked and nothing limited is BestEffort.
    """
    replaced = replaced or {}
    containers = [*rows(pod_spec, "containers"), *rows(pod_spec, "initContainers")]
    return _qos([replaced.get(str(each.get("name")), sizing_of(each)) for each in containers])


def _qos(containers: Iterable[Sizing]) -> QoS:
    sizes = [side for resources in containers for side in resources]
    if all(not value for side in sizes for value in side):
        return "BestEffort"
    guaranteed = all(side.millicores and side.bytes for side in sizes) and sizes[::2] == sizes[1::2]
    return "Guaranteed" if guaranteed else "Burstable"


def pod_total(pod_spec: Document, replaced: Mapping[str, Sizing] | None = None) -> Sizing:
    """Return what a whole pod asks for and may take: the sum of its containers, or its largest init container.

    A side is ``None`` when no container says anything.
    """
    replaced = replaced or {}
    running = [replaced.get(str(each.get("name")), sizing_of(each)) for each in rows(pod_spec, "containers")]
    starting = [sizing_of(each) for each in rows(pod_spec, "initContainers")]
    overhead = Size(_units(part(pod_spec, "overhead"), "cpu", 1000, "overhead"), None)
    overhead = overhead._replace(bytes=_units(part(pod_spec, "overhead"), "memory", 1, "overhead"))
    return Sizing(
        _total([*(each.requests for each in running), overhead], [each.requests for each in starting]),
        _total([each.limits for each in running], [each.limits for each in starting]),
    )


def _total(together: list[Size], alone: list[Size]) -> Size:
    sums = [[value for value in column if value is not None] for column in zip(*together, strict=True)]
    most = [[value for value in column if value is not None] for column in zip(*alone, strict=True)] or [[], []]
    return Size(*(max([sum(one), *other]) if one or other else None for one, other in zip(sums, most, strict=True)))
