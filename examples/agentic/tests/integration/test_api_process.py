import json
import signal
import threading
import time

from conftest import Answer, Programs

NO_REDIS = "redis://127.0.0.1:1/0"


def test_health_is_ok_with_redis_and_503_without(programs: Programs) -> None:
    well, alone = programs.api(), programs.api(REDIS_URL=NO_REDIS)

    assert well.request("/health").status == 200
    assert json.loads(well.request("/health").body) == {"status": "ok"}
    assert alone.request("/health").status == 503
    detail = alone.request("/api/v1/health")
    assert detail.status == 503
    assert "Connect" in json.loads(detail.body)["redis"]
    assert alone.request("/api/v1/counter").status == 503


def test_version_shows_release_and_setting(programs: Programs) -> None:
    answer = json.loads(programs.api(FAIRLEAD_RELEASE="r7").request("/api/v1/version").body)

    assert answer["version"] == "v0.0.1"
    assert answer["release"] == "r7"
    assert answer["setting"] == "Hello from a test"


def test_counter_is_shared_by_instances(programs: Programs) -> None:
    one, other = programs.api(), programs.api()

    first = json.loads(one.request("/api/v1/counter", "POST").body)
    second = json.loads(other.request("/api/v1/counter", "POST").body)

    assert (first["value"], second["value"]) == (1, 2)
    assert first["receipt"] != second["receipt"]
    assert json.loads(one.request("/api/v1/counter").body) == {"value": 2}


def test_sigterm_lets_a_slow_request_finish_and_exits_0(programs: Programs) -> None:
    api = programs.api()
    answers: list[Answer] = []
    client = threading.Thread(target=lambda: answers.append(api.request("/api/v1/slow?seconds=3")))
    client.start()
    time.sleep(1)

    api.process.send_signal(signal.SIGTERM)
    client.join()

    assert answers[0].status == 200
    assert api.process.wait(20) in (0, -signal.SIGTERM)


def test_missing_key_is_named(programs: Programs) -> None:
    code, _, err = programs.run("api", SECRET_KEY="")

    assert code == 1
    assert "SECRET_KEY" in err
    assert "Traceback" not in err
