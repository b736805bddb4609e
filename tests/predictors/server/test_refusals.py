"""What is refused, how, and what the refusal does not say (checklist T81-T86, T90)."""

import json
import socket

import httpx
import pytest

from tests.predictors.server.servers import Server, Start

PLAIN = {"zone_name": "plaza", "active_users": 12}
SECRET = "correct horse battery staple"


def refused(answer: httpx.Response, status: int) -> dict[str, object]:
    """Assert that an answer is a problem of this status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "errors"}
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("place", ["active_users", "embedding"])
def test_t81_what_is_not_finite_is_422(echo: Server, number: str, place: str) -> None:
    users, entry = (number, "0") if place == "active_users" else ("1", number)
    body = f'{{"zone_name": "plaza", "active_users": {users}, "embedding": [{entry}{", 0" * 31}]}}'
    problem = refused(echo.post("/predict", body), 422)
    expected = "#/active_users" if place == "active_users" else "#/embedding/0"
    assert [error["pointer"] for error in problem["errors"]] == [expected]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"active_users": True}, "#/active_users"),
        ({"active_users": "12"}, "#/active_users"),
        ({"active_users": -1}, "#/active_users"),
        ({"active_users": 10**8}, "#/active_users"),
        ({"active_users": 10**400}, "#/active_users"),
        ({"active_users": None}, "#/active_users"),
        ({"zone_name": ""}, "#/zone_name"),
        ({"zone_name": "x" * 129}, "#/zone_name"),
        ({"zone_name": "a\x00b"}, "#/zone_name"),
        ({"zone_name": "\ud800"}, "#/zone_name"),
        ({"zone_name": 7}, "#/zone_name"),
        ({"embedding": [0.0] * 31}, "#/embedding"),
        ({"embedding": [0.0] * 33}, "#/embedding"),
        ({"embedding": []}, "#/embedding"),
        ({"embedding": [0.0] * 31 + [10.5]}, "#/embedding/31"),
        ({"embedding": [0.0] * 31 + [True]}, "#/embedding/31"),
        ({"embedding": {"0": 1}}, "#/embedding"),
        ({"usage": {"cpu_cores": 1}}, "#/usage/memory_mb"),
        ({"allocation": {"cpu_cores": 0, "memory_mb": 1, "bandwidth_mbps": 1}}, "#/allocation/cpu_cores"),
        ({"more": 1}, "#"),
    ],
)
def test_t82_what_does_not_fit_the_schema_is_422_and_points_there(
    echo: Server, change: dict[str, object], pointer: str
) -> None:
    problem = refused(echo.post("/predict", json.dumps(PLAIN | change)), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]  # type: ignore[attr-defined]


def test_t82_the_expected_width_is_named(echo: Server) -> None:
    problem = refused(echo.predict("plaza", 1, embedding=[0.0] * 8), 422)
    assert "32" in problem["errors"][0]["detail"]  # type: ignore[index]


def test_t82_a_missing_field_and_a_body_that_is_no_object_are_422(echo: Server) -> None:
    assert len(refused(echo.post("/predict", "{}"), 422)["errors"]) == 2  # type: ignore[arg-type]
    for body in ("[]", "12", '"plaza"', "null"):
        refused(echo.post("/predict", body), 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json", "application/jsonx"])
def test_t82_another_content_type_is_422(echo: Server, kind: str) -> None:
    assert "Content-Type" in str(refused(echo.post("/predict", json.dumps(PLAIN), kind), 422)["detail"])


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.zone+json"])
def test_json_by_another_name_is_json(echo: Server, kind: str) -> None:
    assert echo.post("/predict", json.dumps(PLAIN), kind).status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/forecast"])
def test_t83_a_body_over_the_limit_is_413_with_and_without_a_length(start: Start, path: str) -> None:
    server = start("echo", max_body_bytes=2000)
    body = json.dumps(PLAIN | {"more": "x" * 3000}).encode()
    assert "2000 bytes" in str(refused(server.post(path, body), 413)["detail"])
    pieces = (body[at : at + 500] for at in range(0, len(body), 500))
    chunked = server.client.post(path, content=pieces, headers={"Content-Type": "application/json"})
    assert "content-length" not in chunked.request.headers
    refused(chunked, 413)
    assert server.post("/predict", json.dumps(PLAIN).ljust(2000)).status_code == 200
    refused(server.post("/predict", json.dumps(PLAIN).ljust(2001)), 413)


def test_t83_what_is_declared_too_large_is_refused_before_it_comes(echo: Server) -> None:
    host, port = echo.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10.0) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # to the end: the server closes the connection
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"zone_name": "plaza", "active_users": ' + b"9" * 5000 + b"}",
        b'{"zone_name": "\xff", "active_users": 1}',
        b"\xef\xbb\xbf" + json.dumps(PLAIN).encode(),
        json.dumps(PLAIN).encode("utf-16"),
        b"",
        b"{",
        b"zone_name=plaza&active_users=12",
        b'{"zone_name": "plaza", "active_users": 012}',
    ],
    ids=["deep", "huge integer", "not UTF-8", "byte order mark", "UTF-16", "empty", "cut", "form", "octal"],
)
def test_t84_what_is_not_json_is_400(echo: Server, body: bytes) -> None:
    refused(echo.post("/predict", body), 400)


def test_t84_deep_but_whole_is_a_wrong_value(echo: Server) -> None:
    refused(echo.post("/predict", b'{"zone_name": ' + b"[" * 200 + b"]" * 200 + b"}"), 422)


@pytest.mark.parametrize(
    "body",
    [
        {**PLAIN, "embedding": [SECRET] * 20_000},
        {**PLAIN, SECRET: 1},
        {**PLAIN, "zone_name": SECRET * 100},
        {**PLAIN, "active_users": SECRET},
        {"zone_name": [SECRET]},
        [SECRET],
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/forecast"])
def test_t85_a_refusal_does_not_repeat_the_request(echo: Server, path: str, body: object) -> None:
    answer = echo.post(path, json.dumps(body))
    refused(answer, 422)
    assert SECRET not in answer.text
    assert len(answer.content) < 4000


def test_t85_nor_do_those_of_a_batch_and_of_a_forecast(echo: Server) -> None:
    nested = [
        ("/predict/batch", {"reports": [{**PLAIN, "embedding": [SECRET]}, {SECRET: 1}]}),
        ("/forecast", {"time_s": 0, "zones": {SECRET: [{"active_users": SECRET}]}}),
        ("/forecast", {"time_s": 0, "zones": {SECRET * 9: [{"active_users": 1}]}}),
        ("/forecast", {"time_s": 0, "zones": {SECRET: [None]}, "ticks_ahead": [1, 1]}),
    ]
    for path, body in nested:
        answer = echo.post(path, json.dumps(body))
        refused(answer, 422)
        assert SECRET not in answer.text


def test_t85_unknown_paths_and_methods_are_problems_too(echo: Server) -> None:
    refused(echo.client.get("/predict/nothing"), 404)
    answer = echo.client.put("/zones")
    refused(answer, 405)
    assert answer.headers["allow"] == "DELETE, GET"
    refused(echo.client.delete("/zones"), 422)


def test_t86_a_prediction_that_is_not_finite_is_a_problem_and_never_null(start: Start) -> None:
    server = start("not_finite")
    assert server.predict("good", 1).status_code == 200
    assert server.predict("bad", 2).status_code == 200
    answer = server.predict("bad", 666)
    assert "finite" in str(refused(answer, 500)["detail"])
    page = server.client.get("/metrics").text
    assert 'stgnn_cpu_cores{zone="good"} 1.0' in page
    assert 'stgnn_cpu_cores{zone="bad"}' not in page  # rather nothing than what was true before
    assert 'stgnn_forecast_failures_total{reason="not_finite"} 1.0' in page
    assert server.predict("good", 3).json()["cpu_cores"] == 3.0
    assert server.predict("bad", 4).json()["cpu_cores"] == 4.0


def test_t86_nor_is_a_forecast(start: Start) -> None:
    server = start("not_finite")
    body = {"time_s": 0, "zones": {"bad": [{"active_users": 666}], "good": [{"active_users": 1}]}}
    refused(server.post("/forecast", json.dumps(body)), 500)
    del body["zones"]["bad"]  # type: ignore[attr-defined]
    assert server.post("/forecast", json.dumps(body)).status_code == 200


def test_t86_a_forecaster_that_raises_is_a_problem_and_the_next_request_is_not(start: Start) -> None:
    server = start("raising")
    refused(server.predict("bad", 666), 500)
    assert "nobody expects this" in server.log.read_text()
    assert server.predict("bad", 1).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        '{"zone_name": "plaza", "active_users": 1, "active_users": 1000}',
        '{"zone_name": "plaza", "active_users": 1, "active\\u005fusers": 1000}',
        '{"zone_name": "plaza", "zone_name": "plaza", "active_users": 1}',
        '{"zone_name": "plaza", "active_users": 1, "usage": {"cpu_cores": 1, "cpu_cores": 2}}',
    ],
)
def test_t90_a_key_that_comes_twice_is_refused(echo: Server, body: str) -> None:
    assert "twice" in str(refused(echo.post("/predict", body), 422)["detail"])


def test_t90_in_batches_and_forecasts_as_well(echo: Server) -> None:
    twice = '{"zone_name": "plaza", "active_users": 1, "active_users": 2}'
    refused(echo.post("/predict/batch", f'{{"reports": [{twice}]}}'), 422)
    body = '{"time_s": 0, "zones": {"a": [{"active_users": 1}], "a": [{"active_users": 2}]}}'
    refused(echo.post("/forecast", body), 422)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predict?ticks_ahead=4"),
        ("POST", "/predict/batch?quantile=0.9"),
        ("POST", "/forecast?ticks_ahead=4"),
        ("GET", "/zones?zone_name=plaza"),
        ("DELETE", "/zones?zone_name=plaza&more=correct+horse"),
    ],
)
def test_a_query_that_nobody_reads_is_422(echo: Server, method: str, path: str) -> None:
    problem = refused(echo.client.request(method, path, json=PLAIN if method == "POST" else None), 422)
    assert "query parameter" in str(problem["detail"])
    assert "horse" not in json.dumps(problem), "nothing of the request is repeated"
