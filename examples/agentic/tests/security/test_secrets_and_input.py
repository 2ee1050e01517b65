import hashlib
import hmac
from typing import Any

import pytest
from agentic import settings
from conftest import SECRET

PATHS = ["/health", "/api/v1/health", "/api/v1/version", "/api/v1/counter", "/api/v1/jobs"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_holds_the_secret(client: Any, path: str) -> None:
    answer = client.get(path)

    assert SECRET not in answer.text
    assert SECRET not in str(answer.headers)


def test_settings_that_are_printed_hide_the_secret(client: Any) -> None:
    assert SECRET not in repr(settings.load())


def test_a_receipt_is_signed_with_the_secret(client: Any) -> None:
    answer = client.post("/api/v1/counter").json()

    signed = hmac.new(SECRET.encode(), str(answer["value"]).encode(), hashlib.sha256)
    assert hmac.compare_digest(answer["receipt"], signed.hexdigest())


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_console_is_offered(client: Any, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "name", ['"}, {"name": "forged', "a\nb", "<script>", "'; FLUSHALL; '", "%00"]
)
def test_a_name_stays_a_name(client: Any, name: str) -> None:
    """Whatever it looks like, it makes one job, and nothing of it is carried out."""
    client.post("/api/v1/counter")
    client.post("/api/v1/jobs", params={"name": name})

    assert client.get("/api/v1/jobs").json()["waiting"] == 1
    assert client.get("/api/v1/counter").json() == {"value": 1}


def test_a_wrong_request_tells_nothing_of_the_inside(client: Any) -> None:
    told = client.post("/api/v1/jobs?name=a&seconds=soon").text

    assert "Traceback" not in told
    assert ".py" not in told
