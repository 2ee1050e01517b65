import pytest
from agentic import settings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("GREETING", "VERSION", "FAIRLEAD_RELEASE", "FAULT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://nowhere:6379/0")
    monkeypatch.setenv("SECRET_KEY", "planted-in-a-test")
    return monkeypatch


def test_what_is_not_set_has_a_default(environment: pytest.MonkeyPatch) -> None:
    here = settings.load()

    assert (here.greeting, here.version, here.release, here.fault) == ("Hello", "dev", None, "")


def test_what_is_set_is_taken(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GREETING", "Hi")
    environment.setenv("FAIRLEAD_RELEASE", "0007-v2")

    assert settings.load().greeting == "Hi"
    assert settings.load().release == "0007-v2"


@pytest.mark.parametrize("missing", ["REDIS_URL", "SECRET_KEY"])
def test_a_missing_key_is_named(environment: pytest.MonkeyPatch, missing: str) -> None:
    environment.setenv(missing, "")

    with pytest.raises(SystemExit, match=missing):
        settings.load()
