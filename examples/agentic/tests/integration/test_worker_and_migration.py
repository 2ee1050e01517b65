import json
import signal
import time

import redis
from conftest import Programs


def test_worker_finishes_its_job_after_sigterm(programs: Programs, redis_url: str) -> None:
    api, worker = programs.api(), programs.start("worker")
    api.request("/api/v1/jobs?name=long&seconds=2", "POST")
    api.request("/api/v1/jobs?name=next&seconds=0", "POST")
    while json.loads(api.request("/api/v1/jobs").body)["waiting"] > 1:  # it has not begun
        assert worker.poll() is None
        time.sleep(0.05)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(20) == 0
    jobs = json.loads(api.request("/api/v1/jobs").body)
    assert [job["name"] for job in jobs["done"]] == ["long"]
    assert jobs["waiting"] == 1


def test_migration_runs_once(programs: Programs, redis_url: str) -> None:
    first, second = programs.run("migrate"), programs.run("migrate")

    assert "2 applied now" in first[1]
    assert second[0] == 0
    assert "0 applied now" in second[1]
    assert redis.Redis.from_url(redis_url).get("agentic:schema") == b"2"


def test_migration_keeps_what_is_there(programs: Programs, redis_url: str) -> None:
    redis.Redis.from_url(redis_url).set("agentic:counter", 41)

    programs.run("migrate")

    assert redis.Redis.from_url(redis_url).get("agentic:counter") == b"41"


def test_migration_without_redis_fails_with_a_sentence(programs: Programs) -> None:
    code, _, err = programs.run("migrate", REDIS_URL="redis://127.0.0.1:1/0")

    assert code == 1
    assert "Redis does not answer" in err
    assert "Traceback" not in err
