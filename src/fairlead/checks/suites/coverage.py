"""Coverage over all suites: how it is measured, combined, and held against a threshold."""

import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from fairlead.checks.folder import own_folder
from fairlead.checks.suites.job import PLUGIN, Job
from fairlead.model import Command
from fairlead.transport.local import run_local

TIMEOUT = 600.0
CONFIGURATION = """\
# Written for this run by fairlead: the project has no coverage configuration of its own.
[run]
parallel = true
sigterm = true
patch = subprocess
omit =
    {root}/tests/*
    {root}/.*
    */test_*.py
    */conftest.py
source =
"""


@dataclass(frozen=True)
class FileCoverage:
    """A file: what can be covered in it (lines, and branches if measured), and what is not."""

    path: str
    total: int
    missing: int

    @property
    def percent(self) -> float:
        return 100.0 * (self.total - self.missing) / self.total if self.total else 100.0


@dataclass(frozen=True)
class Coverage:
    """All suites together, exactly; suites: percent of each alone. files: most missing first.

    reason: why there is none; then the rest is empty.
    """

    total: int = 0
    missing: int = 0
    files: tuple[FileCoverage, ...] = ()
    suites: tuple[tuple[str, float], ...] = ()
    reason: str = ""

    @property
    def exact(self) -> Fraction:
        return Fraction(100 * (self.total - self.missing), self.total) if self.total else Fraction()

    @property
    def percent(self) -> float | None:
        """The share as a number; nothing where nothing was measured."""
        return None if self.reason else float(self.exact)

    def reaches(self, threshold: float) -> bool:
        """Whether it is no less, compared without rounding: 80 % of 80 is enough, 79.999 % not."""
        return not self.reason and self.exact >= Fraction(str(threshold))

    def shown(self, threshold: float) -> str:
        """With two decimals, or with as many as it takes not to look like a threshold missed."""
        return percent(self.exact, Fraction(str(threshold)))

    def short_of(self, threshold: float) -> str:
        """By how many points it misses the threshold."""
        return percent(Fraction(str(threshold)) - self.exact, Fraction())

    def lines_short_of(self, threshold: float) -> int:
        """How many more lines, covered, would reach it."""
        needed = Fraction(str(threshold)) * self.total / 100 - (self.total - self.missing)
        return max(0, -(-needed.numerator // needed.denominator))


def percent(value: Fraction, unlike: Fraction) -> str:
    """`79.00`; `79.9997` where two decimals would make it look like `unlike` and it is not."""
    for decimals in range(2, 10):
        text = f"{float(value):.{decimals}f}"
        if value == unlike or Fraction(text) != unlike:
            return text
    return text


def arguments(root: Path, source: Sequence[str]) -> tuple[str, ...]:
    """What `coverage run` is given: the project's own configuration, else one that is written.

    source: folders, from root; empty leaves it to the configuration, or to what is found.
    """
    own = _own_configuration(root)
    if own:
        folders = ",".join(str(root / one) for one in source)
        return (f"--rcfile={own}", *((f"--source={folders}",) if source else ()))
    places = [root / one for one in source or _found_source(root)]
    written = own_folder(root, "coverage") / "rc"
    text = CONFIGURATION.replace("{root}", str(root))
    written.write_text(text + "".join(f"    {one}\n" for one in places), "utf-8")
    return (f"--rcfile={written}",)


def forget(root: Path) -> None:
    """Remove the data of earlier runs: it would count as this one's."""
    shutil.rmtree(own_folder(root, "") / "coverage", ignore_errors=True)
    own_folder(root, "coverage")


def combine(jobs: Sequence[Job], reports: Path) -> Coverage:
    """The coverage of the jobs that were measured; coverage.xml, .json and htmlcov/ in reports."""
    measured = [job for job in jobs if job.measured]
    left = {job.file_name: _data_files(job) for job in measured}
    data = {name: files for name, files in left.items() if files}
    if not data:
        return Coverage(reason="no suite left coverage data")
    first = measured[0]
    rcfile = next((one[9:] for one in first.wishes.measuring or () if "--rcfile=" in one), None)
    told = _reported(first.root, first.python, rcfile, data, reports)
    if isinstance(told, str):
        return Coverage(reason=told)
    names = {job.file_name: job.name for job in measured}
    return _read(reports / "coverage.json", [(names[name], one) for name, one in told.items()])


def combine_files(
    root: Path, python: str, source: Sequence[str], files: Sequence[Path], reports: Path
) -> Coverage:
    """The same of data that several runs left, such as shards."""
    (rcfile, *_) = arguments(root, source)
    data = {"shards": [str(file) for file in files]}
    told = _reported(root, python, rcfile.removeprefix("--rcfile="), data, reports)
    return Coverage(reason=told) if isinstance(told, str) else _read(reports / "coverage.json", ())


def combined_file(root: Path) -> Path:
    """The data of all suites of the last run."""
    return own_folder(root, "coverage") / "combined"


def _reported(
    root: Path, python: str, rcfile: str | None, data: Mapping[str, list[str]], reports: Path
) -> dict[str, float] | str:
    """Per cent by suite, the reports written; or why there are none."""
    asked = {
        "rcfile": rcfile,
        "suites": data,
        "data": str(combined_file(root)),
        "xml": str(reports / "coverage.xml"),
        "html": str(reports / "htmlcov"),
        "json": str(reports / "coverage.json"),
    }
    script = (PLUGIN / "coverage_report.py").read_bytes()
    command = Command((python, "-", json.dumps(asked)), script, timeout=TIMEOUT)
    ran = run_local(command, cwd=root)
    if not ran.ok:
        said = (ran.err.strip() or ran.out.strip()).splitlines()
        return f"no report: {said[-1] if said else ran.stopped or ran.code}"
    percents: dict[str, float] = json.loads(ran.out)
    return percents


def _read(report: Path, suites: Sequence[tuple[str, float]]) -> Coverage:
    files = []
    for path, one in json.loads(report.read_text("utf-8"))["files"].items():
        told = one["summary"]
        total = told["num_statements"] + told.get("num_branches", 0)
        missing = told["missing_lines"] + told.get("missing_branches", 0)
        files.append(FileCoverage(path, total, missing))
    files.sort(key=lambda one: (-one.missing, one.path))
    return Coverage(
        total=sum(one.total for one in files),
        missing=sum(one.missing for one in files),
        files=tuple(files),
        suites=tuple(suites),
    )


def _data_files(job: Job) -> list[str]:
    return sorted(str(file) for file in job.data.parent.glob("data.*"))


def _own_configuration(root: Path) -> Path | None:
    """The file in which the project configures coverage.py, in its own order of preference."""
    if (root / ".coveragerc").is_file():
        return root / ".coveragerc"
    for name in ("setup.cfg", "tox.ini"):
        file = root / name
        if file.is_file() and "[coverage:" in file.read_text("utf-8"):
            return file
    file = root / "pyproject.toml"
    if not file.is_file():
        return None
    try:
        return (
            file if "coverage" in tomllib.loads(file.read_text("utf-8")).get("tool", {}) else None
        )
    except ValueError:
        return None


def _found_source(root: Path) -> list[str]:
    """`src`, else the packages at the top, else all."""
    if (root / "src").is_dir():
        return ["src"]
    packages = sorted(path.parent.name for path in root.glob("*/__init__.py"))
    return [name for name in packages if name not in ("test", "tests")] or ["."]
