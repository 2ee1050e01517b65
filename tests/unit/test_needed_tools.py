"""A tool that bootstrap brings is no reason to skip a test in a run that called bootstrap."""

import pytest

from tests import tools


@pytest.fixture(autouse=True)
def nothing_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "programs", lambda _: tools.Programs(tmp_path, {"PATH": "/nowhere"}))
    monkeypatch.setattr(tools, "LEFT_OUT", tmp_path / "left-out")


def test_by_hand_what_is_not_here_is_skipped(monkeypatch):
    monkeypatch.delenv(tools.STRICT, raising=False)
    with pytest.raises(pytest.skip.Exception, match="gitleaks is not installed"):
        tools.needs("gitleaks")


def test_where_bootstrap_ran_it_fails(monkeypatch):
    monkeypatch.setenv(tools.STRICT, "yes")
    for name in ("gitleaks", "eslint"):
        with pytest.raises(pytest.fail.Exception, match=f"{name} is not installed"):
            tools.needs(name)


def test_what_bootstrap_never_brings_or_said_it_left_out_is_skipped(monkeypatch):
    monkeypatch.setenv(tools.STRICT, "yes")
    tools.LEFT_OUT.write_text("eslint\nnode-actionlint\n")
    for name in ("eslint", "actionlint"):
        with pytest.raises(pytest.skip.Exception):
            tools.needs(name)
