"""A project in git, small and real, that has a version."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Project:
    root: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ("git", *words), cwd=self.root, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> None:
        for name, text in files.items():
            (self.root / name).write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def state(self) -> tuple[str, ...]:
        """All that a refused command must leave as it is."""
        words = (("rev-parse", "HEAD"), ("tag",), ("status", "--porcelain"), ("stash", "list"))
        return tuple(self.git(*one) for one in words)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Version 1.4.2, tagged, on the branch main."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    made = Project(tmp_path / "project")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    made.commit("feat: everything", VERSION="1.4.2\n")
    made.git("tag", "-a", "v1.4.2", "-m", "v1.4.2")
    return made
