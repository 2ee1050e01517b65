"""The project's own programs come first, and a version is asked for once."""

import os
from pathlib import Path

from fairlead.checks.cache import Memory
from fairlead.checks.programs import Programs


def program(file: Path, version: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho asked >>{file}.log\necho {version}\n")
    file.chmod(0o755)
    return file


def test_the_project_comes_before_the_machine(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "bin"
    environ = {"PATH": f"{elsewhere}:{os.environ['PATH']}"}
    program(elsewhere / "tool", "1.0")
    assert Programs(root, environ).find("tool") == elsewhere / "tool"
    activated = program(tmp_path / "env/bin/tool", "1.5")
    shell = {**environ, "VIRTUAL_ENV": str(tmp_path / "env")}
    assert Programs(root, shell).find("tool") == activated
    own = program(root / "node_modules/.bin/tool", "2.0")
    assert Programs(root, environ).find("tool") == own
    own = program(root / ".venv/bin/tool", "3.0")
    assert Programs(root, environ).find("tool") == own
    deeper = program(root / "web/node_modules/.bin/tool", "4.0")
    assert Programs(root, environ).find("tool", "web") == deeper
    assert Programs(root, environ).find("tool") == own
    assert Programs(root, environ).find("no-such-tool") is None


def test_a_version_is_asked_for_once_for_each_program(tmp_path):
    file = program(tmp_path / ".venv/bin/tool", "tool 1.0")
    for _ in range(2):
        found = Programs(tmp_path, memory=Memory(tmp_path)).identify("tool")
        assert found
        assert found.version == "tool 1.0"
    assert (tmp_path / ".venv/bin/tool.log").read_text().count("asked") == 1
    program(file, "tool 1.0.1")
    assert (found := Programs(tmp_path, memory=Memory(tmp_path)).identify("tool"))
    assert found.version == "tool 1.0.1"


def test_a_plugin_beside_it_makes_it_another_program(tmp_path):
    program(tmp_path / ".venv/bin/tool", "tool 1.0")
    packages = tmp_path / ".venv/lib/python3.11/site-packages"
    (packages / "plugin-1.0.dist-info").mkdir(parents=True)
    before = Programs(tmp_path).identify("tool")
    (packages / "plugin-1.0.dist-info").rename(packages / "plugin-1.1.dist-info")
    after = Programs(tmp_path).identify("tool")
    assert before
    assert after
    assert before.beside != after.beside


def test_tools_find_each_other_and_print_no_colours(tmp_path):
    environ = Programs(tmp_path, {"PATH": "/bin", "FORCE_COLOR": "1"}).environ({"A": "b"})
    assert environ["PATH"].startswith(f"{tmp_path}/.venv/bin:")
    assert environ["A"] == "b"
    assert "NO_COLOR" in environ
    assert "FORCE_COLOR" not in environ
