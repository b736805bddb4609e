"""Quantities: the grammar by hand, the canonical form by the real server."""

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bridges.kubernetes.quantities import (
    canonical,
    check_amounts,
    cpu_cores,
    cpu_quantity,
    memory_mb,
    memory_quantity,
    parse,
)
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import ControlPlane, deployment

SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e0", "e3", "E2", "e-3", "e-10"]
NUMBERS = st.from_regex(r"[0-9]{1,4}(\.[0-9]{0,12})?|\.[0-9]{1,10}", fullmatch=True)
TEXTS = st.builds("".join, st.tuples(st.sampled_from(["", "", "+"]), NUMBERS, st.sampled_from(SUFFIXES)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("250m", "0.25"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1k", "1000"),
        ("64Mi", "67108864"),
        ("1Ei", str(2**60)),
        ("1E", str(10**18)),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1e-10", "1e-9"),  # finer than a billionth: away from zero
        ("-1e-10", "-1e-9"),
        ("1.1Ki", "1126.4"),
    ],
)
def test_t64_a_quantity_is_read_exactly(text: str, value: str) -> None:
    assert parse(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1K", "1ki", "1mi", "0x1", "1e", "1e3Ki", "NaN", "inf", "--1", "1_0", "١", "9" * 65]
)
def test_t63_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is none; write it as"):
        parse(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 1e30, True, "1"])
def test_t63_an_amount_that_cannot_be_is_refused(value: Any) -> None:
    for write in (cpu_quantity, memory_quantity):
        with pytest.raises(ConfigurationError, match="cannot be asked for"):
            write(value)


def test_t63_a_request_above_its_limit_is_refused() -> None:
    check_amounts({"cpu": "0.5", "memory": "64Mi"}, {"cpu": "500m"}, "plaza")
    with pytest.raises(ConfigurationError, match=r"zone 'plaza': cpu request 501m is above its limit 0\.5"):
        check_amounts({"cpu": "501m"}, {"cpu": "0.5"}, "plaza")
    with pytest.raises(ConfigurationError, match="memory limit -1Mi is negative"):
        check_amounts({}, {"memory": "-1Mi"}, "plaza")


@given(st.integers(0, 10**7))
def test_t64_whole_millicores_and_bytes_survive_both_ways(number: int) -> None:
    assert cpu_quantity(number / 1000) == canonical(f"{number}m")
    assert cpu_cores(cpu_quantity(number / 1000)) == number / 1000
    megabytes = number * 977 / 1e6
    assert parse(memory_quantity(megabytes)) == number * 977
    assert memory_mb(memory_quantity(megabytes)) == megabytes


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_t64_order_and_nearness_survive(one: float, other: float) -> None:
    """So a request that is not above its limit is none after rounding either."""
    low, high = sorted((one, other))
    for write, unit in ((cpu_quantity, Decimal("0.001")), (memory_quantity, Decimal(1))):
        assert parse(write(low)) <= parse(write(high))
        exact = Decimal(high) * (1 if write is cpu_quantity else 1_000_000)
        assert abs(parse(write(high)) - exact) <= unit
        assert (parse(write(high)) > 0) == (high > 0)


def tried(plane: ControlPlane, asked: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return what the server makes of amounts: one container for each, in a Deployment that is only tried."""
    manifest = deployment("quantities")
    manifest["spec"]["template"]["spec"]["containers"] = [
        {"name": f"c{index}", "image": "zone:1", "resources": {"requests": amounts}}
        for index, amounts in enumerate(asked)
    ]
    made = plane.call("POST", "/apis/apps/v1/namespaces/default/deployments", manifest, dryRun="All")
    return [entry["resources"]["requests"] for entry in made["spec"]["template"]["spec"]["containers"]]


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(st.lists(TEXTS, min_size=60, max_size=60))
@example(
    ["1e-10", "1.5", "0.15", "150m", "1000Mi", "1024Mi", "1023", "1.0Ki", "0.1Ki", "1e3", "12e2", "0e3", "0Ki", "5e-4"]
)
def test_t64_the_server_reads_and_writes_them_as_we_say(control_plane: ControlPlane, texts: list[str]) -> None:
    for text, written in zip(
        texts, tried(control_plane, [{"cpu": text, "memory": text} for text in texts]), strict=True
    ):
        for answer in written.values():
            assert answer in {canonical(text), text}
            assert parse(answer) == parse(canonical(text))


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(st.lists(st.tuples(st.floats(0, 512), st.floats(0, 1e6)), min_size=60, max_size=60))
def test_t64_what_we_write_comes_back_as_it_is(control_plane: ControlPlane, amounts: list[tuple[float, float]]) -> None:
    asked = [{"cpu": cpu_quantity(cores), "memory": memory_quantity(megabytes)} for cores, megabytes in amounts]
    assert tried(control_plane, asked) == asked


@pytest.mark.parametrize(
    ("requests", "limits"),
    [({"cpu": "501m"}, {"cpu": "0.5"}), ({"cpu": "-1m"}, {}), ({"cpu": "1K"}, {}), ({"memory": "NaN"}, {})],
)
def test_t63_the_server_is_the_second_line(
    control_plane: ControlPlane, requests: dict[str, str], limits: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError):
        check_amounts(requests, limits, "plaza")
    manifest = deployment("refused")
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": requests, "limits": limits}
    answer = control_plane.send("POST", "/apis/apps/v1/namespaces/default/deployments", manifest, dryRun="All")
    assert answer.status_code in {400, 422}
