"""API keys, their scopes, and the rate (checklist T89)."""

import inspect
from pathlib import Path

import httpx
import pytest

from metaverse_env.errors import ConfigurationError
from predictors.server import access
from predictors.server.access import SCOPES, VARIABLE, KeyRing, RateLimit, load_keys
from tests.predictors.server.servers import Server, Start

ALL, PREDICT, READ = "key-of-the-owner-0123", "key-of-the-game-45678", "key-of-prometheus-9ab"
REPORT = {"zone_name": "plaza", "active_users": 1}


@pytest.fixture(scope="module")
def guarded(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Server:
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"# who may what\n{PREDICT} predict\n\n{READ} read  # scrapes\n", encoding="utf-8")
    return start("command", "--api-key-file", str(path), environment={VARIABLE: ALL})


def status(server: Server, method: str, path: str, key: str | None, header: str = "X-API-Key") -> int:
    value = f"Bearer {key}" if header == "Authorization" else str(key)
    headers = {} if key is None else {header: value}
    return server.client.request(
        method, path, json=REPORT if method == "POST" else None, headers=headers,
        params={"zone_name": "nowhere"} if method == "DELETE" else None,
    ).status_code  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/predict", "predict"),
        ("GET", "/zones", "read"),
        ("GET", "/metrics", "read"),
        ("DELETE", "/zones", "forget"),
    ],
)
def test_t89_no_key_is_401_and_a_key_without_the_scope_403(guarded: Server, method: str, path: str, scope: str) -> None:
    done = 404 if method == "DELETE" else 200
    for header in ("X-API-Key", "Authorization"):
        assert status(guarded, method, path, ALL, header) == done
        assert status(guarded, method, path, PREDICT, header) == (done if scope == "predict" else 403)
        assert status(guarded, method, path, READ, header) == (done if scope == "read" else 403)
        for wrong in (ALL[:-1], ALL + "x", "", "ключ"):
            value = wrong if header == "X-API-Key" else f"Bearer {wrong}".strip()
            headers = {header: value.encode()}  # as bytes: the last one is not ASCII
            assert guarded.client.request(method, path, headers=headers).status_code == 401  # type: ignore[arg-type]
    assert status(guarded, method, path, None) == 401


def test_t89_the_answer_says_how_to_authenticate_and_not_the_key(guarded: Server) -> None:
    answer = guarded.client.post("/predict", json=REPORT, headers={"X-API-Key": "guess-guess-guess-guess"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "guess" not in answer.text
    assert "guess" not in guarded.log.read_text()
    assert ALL not in guarded.log.read_text()


def test_t89_every_endpoint_that_takes_a_body_asks_for_the_key_first(guarded: Server) -> None:
    for path in ("/predict", "/predict/batch", "/forecast"):
        assert guarded.post(path, b"no JSON").status_code == 401


def test_health_and_the_document_need_no_key(guarded: Server) -> None:
    assert guarded.client.get("/healthz").status_code == 200
    assert guarded.client.get("/readyz").status_code == 200
    document = guarded.client.get("/openapi.json").json()
    assert document["paths"]["/predict"]["post"]["security"] == [{"ApiKey": []}, {"Bearer": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]


def test_t89_keys_are_compared_in_constant_time_and_kept_as_digests() -> None:
    ring = KeyRing.of({ALL: SCOPES})
    assert "compare_digest" in inspect.getsource(KeyRing.scopes)
    assert ALL.encode() not in b"".join(ring.digests)
    assert ALL not in repr(ring)


def test_t89_a_rate_is_429_with_the_time_to_wait(start: Start) -> None:
    server = start("echo", max_rate_per_s=2.0)
    answers: list[httpx.Response] = [server.predict("plaza", 1) for _ in range(8)]
    found = [answer.status_code for answer in answers]
    assert found[:2] == [200, 200]
    assert 429 in found
    assert answers[found.index(429)].headers["retry-after"] == "1"
    assert server.client.get("/healthz").status_code == 200


def test_a_bucket_fills_steadily_and_holds_one_second() -> None:
    now = [0.0]
    rate = RateLimit(4.0, lambda: now[0])
    assert [rate.take("a") for _ in range(4)] == [0.0] * 4
    assert rate.take("a") == pytest.approx(0.25)
    assert rate.take("b") == 0.0
    now[0] = 0.25
    assert rate.take("a") == 0.0
    assert rate.take("a") == pytest.approx(0.25)
    now[0] = 100.0
    assert [rate.take("a") for _ in range(5)] == [0.0] * 4 + [pytest.approx(0.25)]


def test_a_slow_rate_lets_one_pass() -> None:
    now = [0.0]
    rate = RateLimit(0.1, lambda: now[0])
    assert (rate.take("a"), rate.take("a")) == (0.0, pytest.approx(10.0))
    now[0] = 10.0
    assert rate.take("a") == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no API keys in"),
        ("# nothing\n", "no API keys in"),
        ("short\n", "16 ASCII characters"),
        ("ключ-достаточной-длины\n", "16 ASCII characters"),
        (f"{ALL}\n{READ} wirte\n", ":2: after the key stand scopes, and there are only forget, predict, read"),
    ],
)
def test_a_file_of_keys_that_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_keys(path)
    assert ALL not in str(caught.value)
    assert "wirte" not in str(caught.value)  # which may be a key that went astray


def test_without_keys_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert load_keys(None) == KeyRing()
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(ConfigurationError, match=str(access.LEAST_CHARACTERS)):
        load_keys(None)
