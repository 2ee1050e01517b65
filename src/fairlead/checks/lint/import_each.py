"""Run by a project's own interpreter: import every module, and say which ones fail, and where.

stdin: JSON, a list of packages (base folder, name, modules). stdout: JSON. Each package gets a new
interpreter, which sees its base folder and what is installed, and nothing of the current folder.
Standard library only, and nothing newer than Python 3.8.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from typing import Any, Dict, List, TextIO  # noqa: UP035

Fact = Dict[str, Any]  # noqa: UP006
Facts = List[Fact]  # noqa: UP006


def main() -> None:
    packages = json.load(sys.stdin)
    answers = [_in_new_interpreter(package) for package in packages]
    print(
        json.dumps(
            {
                "modules": sum(len(package["modules"]) for package in packages),
                "failed": [one for answer in answers for one in answer],
            }
        )
    )


def _in_new_interpreter(package: Fact) -> Facts:
    """What failed in the package, also when its interpreter did not live to the end."""
    done = subprocess.run(
        [sys.executable, "-I", "-B", __file__, "child"],
        input=json.dumps(package).encode(),
        capture_output=True,
    )
    told = [json.loads(line) for line in done.stdout.decode().splitlines()]
    failed = [one for one in told if "error" in one]
    if not told or "end" not in told[-1]:
        last = next((one["module"] for one in reversed(told) if "error" not in one), "")
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        message = f"it ended the interpreter (exit {done.returncode}) {''.join(said)}".rstrip()
        failed.append(_failure(last or package["name"], "exit", message, "", 0))
    return failed


def _child() -> None:
    package = json.load(sys.stdin)
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what modules print is not our answer
    base = os.path.abspath(package["base"])
    sys.path.insert(0, base)
    for module in package["modules"]:
        _tell(told, {"module": module})
        try:
            __import__(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _tell(told, _explained(module, error, base))
    _tell(told, {"end": True})


def _explained(module: str, error: BaseException, base: str) -> Fact:
    """The failure at the last line of the project that led to it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(base)]
    path, line = (frames[-1].filename, frames[-1].lineno) if frames else ("", 0)
    if isinstance(error, SyntaxError) and error.filename:
        path, line = error.filename, error.lineno or 0
    message = str(error) or type(error).__name__
    return _failure(module, type(error).__name__, message, path, line)


def _failure(module: str, error: str, message: str, path: str, line: int | None) -> Fact:
    message = message.splitlines()[0] if message else ""
    return {"module": module, "error": error, "message": message, "path": path, "line": line}


def _tell(stream: TextIO, fact: Fact) -> None:
    stream.write(json.dumps(fact) + "\n")
    stream.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        _child()
    else:
        main()
