import pytest
from conftest import Programs


def test_exit_prints_two_lines_and_exits_3(programs: Programs) -> None:
    code, out, err = programs.run("api", FAULT="exit")

    assert code == 3
    assert "loading the model index" in out
    assert "bad magic number" in err


@pytest.mark.parametrize(
    ("fault", "path", "status"),
    [
        ("unhealthy", "/health", 503),
        ("redirect", "/health", 301),
        ("smoke", "/health", 200),
        ("smoke", "/api/v1/version", 500),
    ],
)
def test_fault_answers(programs: Programs, fault: str, path: str, status: int) -> None:
    answer = programs.api(FAULT=fault).request(path)

    assert answer.status == status
    if status == 301:
        assert answer.headers["Location"] == "/healthz/"


def test_migrate_fails_and_changes_nothing(programs: Programs) -> None:
    code, out, err = programs.run("migrate", FAULT="migrate")

    assert (code, out) == (1, "")
    assert "split_jobs failed" in err


def test_unknown_fault_is_refused(programs: Programs) -> None:
    code, _, err = programs.run("api", FAULT="unhealty")

    assert code == 1
    assert "unhealty" in err
