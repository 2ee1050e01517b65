"""JUnit XML, as pytest (junit_family=xunit1) and other test programs write it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.checks.suites.result import Case

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST = 240
"""Characters of a message that are kept; the log has all of it."""


def read(report: Path, cwd: Path, root: Path) -> tuple[Case, ...]:
    """The tests of a report, paths in it made relative to root; cwd: where the suite ran.

    Raises OSError where there is no report and ValueError where it is not one.
    """
    from xml.etree.ElementTree import ParseError, parse

    try:
        top = parse(report).getroot()  # noqa: S314  it comes from the tests that were just run
    except ParseError as error:
        raise ValueError(f"{report.name} is no XML: {error}") from None
    if top.tag not in ("testsuites", "testsuite"):
        raise ValueError(f"{report.name} is no JUnit report: it begins with <{top.tag}>")
    return tuple(_case(one, cwd, root) for one in top.iter("testcase"))


def _case(one: "Element", cwd: Path, root: Path) -> Case:
    fault = _child(one, "failure", "error")
    state = "failed" if fault is not None else "passed"
    if fault is None and _child(one, "skipped") is not None:
        state = "skipped"
    file = one.get("file", "")
    text = "" if fault is None else (fault.text or "")
    return Case(
        id=_id(file, one.get("classname", ""), one.get("name", "")),
        state=state,
        seconds=_seconds(one.get("time", "")),
        message="" if fault is None else _message(fault.get("message", ""), text),
        path=_from_root(file, cwd, root),
        line=_line(text, file) or (int(one.get("line", "-1")) + 1),
    )


def _child(one: "Element", *tags: str) -> "Element | None":
    return next((child for child in one if child.tag in tags), None)


def _id(file: str, classname: str, name: str) -> str:
    """pytest's own id of the test, from its file, `package.module.Class` and `test[parameter]`."""
    module = file.removesuffix(".py").replace("/", ".")
    if not file or not (classname + ".").startswith(module + "."):
        return "::".join(part for part in (classname, name) if part)
    classes = classname[len(module) + 1 :].replace(".", "::")
    return "::".join(part for part in (file, classes, name) if part)


def _message(message: str, text: str) -> str:
    """The first line that says something."""
    lines = (line.strip() for line in (*message.splitlines(), *text.splitlines()))
    return next((line for line in lines if line), "")[:LONGEST]


def _line(text: str, file: str) -> int:
    """The last line of the traceback that is in the test's own file; 0 where none is."""
    name = re.escape(file.rpartition("/")[2])
    found = re.findall(rf"^(?:\S*/)?{name}:(\d+): ", text, re.MULTILINE) if file else []
    return int(found[-1]) if found else 0


def _from_root(file: str, cwd: Path, root: Path) -> str:
    for folder in (cwd, *cwd.parents):  # pytest's rootdir is one of them
        if file and (folder / file).is_file():
            path = (folder / file).resolve()
            return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return file


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
