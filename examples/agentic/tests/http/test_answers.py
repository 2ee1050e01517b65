from typing import Any

import pytest


def test_health_is_ok_while_redis_answers(client: Any) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/api/v1/health").json()["redis"] == "ok"


def test_version_tells_release_and_instance(client: Any) -> None:
    answer = client.get("/api/v1/version").json()

    assert set(answer) == {"version", "release", "instance", "setting"}


def test_the_counter_counts_from_one(client: Any) -> None:
    assert client.get("/api/v1/counter").json() == {"value": 0}
    assert [client.post("/api/v1/counter").json()["value"] for _ in range(3)] == [1, 2, 3]
    assert client.get("/api/v1/counter").json() == {"value": 3}


def test_a_job_is_accepted_and_waits(client: Any) -> None:
    answer = client.post("/api/v1/jobs", params={"name": "index", "seconds": 1})

    assert (answer.status_code, answer.json()) == (202, {"accepted": "index"})
    assert client.get("/api/v1/jobs").json() == {"waiting": 1, "done": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/jobs", 422),
        ("POST", "/api/v1/jobs?name=a&seconds=soon", 422),
        ("DELETE", "/api/v1/counter", 405),
        ("GET", "/api/v2/counter", 404),
    ],
)
def test_what_is_asked_wrongly_is_refused(client: Any, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_slow_answers_what_it_slept(client: Any) -> None:
    assert client.get("/api/v1/slow?seconds=-3").json()["slept"] == 0
