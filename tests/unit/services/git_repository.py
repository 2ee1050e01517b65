"""A repository in git, small and real, which a test changes where it wants."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fairlead.config import load_repository
from fairlead.services.changed import Changes, changed, compared_with
from fairlead.services.declared import Declaration, read_declaration

NOBODY = {
    **{f"GIT_{who}_{what}": "nobody@example.com" for who in ("AUTHOR", "COMMITTER")
       for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


@dataclass(frozen=True)
class Repo:
    """Its folder, with what a person would do there."""

    root: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ("git", *words),
            cwd=self.root,
            env={**os.environ, **NOBODY},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or f"{path} at first\n", encoding="utf-8")

    def commit(self, *changes: str) -> str:
        """Change these files and commit everything; the commit's hash."""
        for path in changes:
            self.write(path, f"{path} after {self.git('rev-list', '--all', '--count')} commits\n")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def declaration(self) -> Declaration:
        return read_declaration(load_repository(self.root, {}))

    def since(self, base: str) -> Changes:
        return changed(self.declaration(), compared_with(self.declaration().services, base))

    def names(self, base: str) -> list[str]:
        return [one.name for one in self.since(base).services]
