"""The commands that the documentation shows, and what it says they answer.

    ```console               run by tests/cli/test_docs.py: needs no host, only a compose file
    ```console lab exit=1    run by tests/lab/test_docs.py at the repository's root, ends with 1
    ```text                  right below one: lines of its output, in order, maybe not all of them
    ```sh                    not run; tests/cli/test_docs.py holds the reason for each

A command's line begins with `$ `. In output `…` stands for anything; numbers and slots are not
compared, versions such as v2.5.0 are.
"""

import os
import pty
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from signal import SIGKILL
from termios import TIOCSWINSZ
from threading import Timer

from fairlead.report.frame import SPINNER

ROOT = Path(__file__).parents[1]
LIMIT = 240.0  # seconds for one block
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block. words: what follows the language; shown: the text block right below it."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    body: str
    shown: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> str:
        """What a shell is given. A line without a prompt goes on with the line before it."""
        return "".join(line.removeprefix("$ ") + "\n" for line in self.body.splitlines())

    @property
    def exit_code(self) -> int:
        return next((int(word[5:]) for word in self.words if word.startswith("exit=")), 0)

    @property
    def needs_hosts(self) -> bool:
        return "lab" in self.words


def pages() -> list[Path]:
    """Every page, the tutorial first: what it deploys, the others look at."""
    found = [ROOT / "docs/tutorial.md", ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return found + [page for page in sorted((ROOT / "docs").rglob("*.md")) if page not in found]


def blocks(*languages: str) -> list[Block]:
    """The fenced blocks in these languages, page by page, each with the output shown below it."""
    return [one for page in pages() for one in _of(page) if one.language in languages]


def _of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    for index, fence in enumerate(fences):
        after = fences[index + 1] if index + 1 < len(fences) else None
        follows = after and after[1] == "text" and not text[fence.end() : after.start()].strip()
        yield Block(
            page=str(page.relative_to(ROOT)),
            line=text.count("\n", 0, fence.start()) + 1,
            language=fence[1],
            words=tuple(fence[2].split()),
            body=fence[3],
            shown=after[3] if after and follows else "",
        )


def missing(shown: str, output: str) -> str:
    """The first line of what a page shows that the output does not have, in this order."""
    lines = iter(_alike(output))
    for wanted in _alike(shown):
        pattern = ".*".join(map(re.escape, wanted.split("…")))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return ""


def _alike(text: str) -> list[str]:
    """The lines that say something, without what differs from one run to the next."""
    text = re.sub(r"\b(blue|green)\b", "slot", text)
    text = re.sub(r"\bv(\d+)\.(\d+)\.(\d+)", lambda version: f"v{_spelt(version[0])}", text)
    text = re.sub(r"sha256:[0-9a-f]+", "sha256:0", text)
    text = re.sub(r"\d+([.:-]\d+)*", "0", text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line and line != "…"]


def _spelt(version: str) -> str:
    """Digits as letters, so that they are compared."""
    return version.translate(str.maketrans("0123456789", "abcdefghij")).replace(".", "_")


def run(block: Block, folder: Path, environ: dict[str, str], commands: str = "") -> tuple[int, str]:
    """A block's commands in one shell that ends at the first failure, on a terminal of its own.

    The exit code and all that was written. commands: in place of the block's own.
    """
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 60, 250, 0, 0))
    argv = ["bash", "--noprofile", "--norc", "-ec", commands or block.commands]
    shell = subprocess.Popen(
        argv, cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, process_group=0
    )
    os.close(theirs)
    limit = Timer(LIMIT, os.killpg, (shell.pid, SIGKILL))
    limit.start()
    written = b""
    try:
        while piece := os.read(ours, 1 << 16):
            written += piece
    except OSError:
        pass  # how Linux says that the other end is closed
    code = shell.wait()
    limit.cancel()
    os.close(ours)
    return code, _settled(written.decode("utf-8", "replace"))


def _settled(written: str) -> str:
    """What stays on a terminal of lines that were redrawn, without colours."""
    lines = (line.rpartition("\x1b[2K")[2] for line in written.replace("\r", "").split("\n"))
    plain = (re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in lines)
    return "\n".join(line for line in plain if line.strip() and line[0] not in SPINNER)


def shell_environment(**more: str) -> dict[str, str]:
    """The variables of a person at work, who has the tools of .venv on the path."""
    kept = {
        name: os.environ[name] for name in ("HOME", "LANG", "DOCKER_CONFIG") if name in os.environ
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"TERM": "xterm", "PATH": path, **kept, **more}
