"""Runs Fairlead's shell functions for real, under the shells that hosts have."""

import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.commands.functions import functions

# What Debian's minimal installation, or an Alpine host, gives a script.
TOOLS = tuple(
    """awk base64 basename cat chmod cp cut date df dirname env find flock grep gunzip gzip head
hostname id ln ls mkdir mktemp mv nc paste rm sed sha256sum sh sleep sort split sync tail tar
timeout touch tr true uname wc xargs""".split()  # noqa: SIM905 (a list of words reads better)
)


@dataclass(frozen=True)
class Done:
    """What a script came to. `marks` are its @-lines."""

    code: int
    out: str
    err: str

    @property
    def marks(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("@")]


@dataclass
class Shell:
    """A shell with Fairlead's functions loaded.

    tools: a PATH shared by tests. own: what one test puts before it. base: the environment's
    directory on this host. router: the router's.
    """

    argv: tuple[str, ...]
    tools: Path
    own: Path
    base: Path
    router: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, text: str, *, stdin: bytes = b"", token: str = "mine") -> Done:
        """Run a text after the functions; as on a host it stops at the first failure."""
        done = subprocess.run(self.command(text, token), input=stdin, **self.options())
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, text: str, *, token: str = "mine") -> "subprocess.Popen[bytes]":
        """The same, running on in a process group of its own."""
        return subprocess.Popen(
            self.command(text, token),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=self.environ,
        )

    def call(self, *argv: str, stdin: bytes = b"", token: str = "mine") -> Done:
        """Call one function with these very words."""
        return self.run(shlex.join(argv), stdin=stdin, token=token)

    def command(self, text: str, token: str) -> list[str]:
        given = {
            "FL_KEY": "agentic-staging",
            "FL_BASE": str(self.base),
            "FL_ROUTER": str(self.router),
            "FL_TOKEN": token,
            **self.variables,
        }
        lines = ["set -eu", "trap '' PIPE"]
        lines += [f"{name}={shlex.quote(value)}" for name, value in given.items()]
        return [*self.argv, "-c", "\n".join([*lines, functions(text), text])]

    def options(self) -> dict[str, object]:
        return {"capture_output": True, "timeout": 60, "env": self.environ}

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.own}:{self.tools}"}

    def tool(self, name: str, text: str) -> None:
        """Put a program of this test's own first on PATH."""
        file = self.own / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def with_system(self, *names: str) -> "Shell":
        """The same host with these programs of this machine."""
        for name in names:
            (self.own / name).symlink_to(shutil.which(name) or "")
        return self


def coreutils(folder: Path) -> Path:
    """A PATH of this machine's own tools, and nothing besides."""
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


def applets(folder: Path, busybox: str) -> Path:
    """A PATH where BusyBox is every tool it can be, as on Alpine; flock is util-linux's."""
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split()
    folder.mkdir()
    for name in TOOLS:
        if found := busybox if name in listed else shutil.which(name):
            (folder / name).symlink_to(found)
    return folder
