"""What a command line asks for, checked before anything is run; and the plan of it."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fairlead.checks.folder import FOLDER
from fairlead.checks.suites import matrix
from fairlead.checks.suites.choice import choose, known_suites
from fairlead.checks.suites.job import Job, Wishes
from fairlead.checks.suites.matrix import Interpreter
from fairlead.checks.suites.shard import read_shard
from fairlead.config import Repository
from fairlead.config.suites import Suite
from fairlead.errors import UsageError
from fairlead.model import Step

DEBUGGERS = ("--pdb", "--trace")
TAKE_A_WORD = ("-k", "-m", "-p", "-c", "-o", "-W", "-n", "-r")
TAKE_NONE = (
    *(*DEBUGGERS, "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw"),
    *("--stepwise", "--exitfirst", "--verbose", "--quiet", "--collect-only", "--co", "--runxfail"),
    *(
        "--strict",
        "--strict-markers",
        "--showlocals",
        "--full-trace",
        "--no-header",
        "--no-summary",
    ),
    *("--cache-clear", "--disable-warnings", "--setup-show", "--no-cov", "--pyargs"),
)
"""What of pytest's options is followed by a value, and what of the long ones by none."""


@dataclass(frozen=True)
class Request:
    """What is run. versions: of Python; empty: the one that is there. covered: with --coverage.

    places: files, folders and tests that were named instead of all. partial: some suites that
    there are were not asked for.
    """

    repository: Repository
    suites: tuple[Suite, ...]
    wishes: Wishes = field(default_factory=Wishes)
    versions: tuple[str, ...] = ()
    covered: bool = False
    places: tuple[str, ...] = ()
    partial: bool = False
    verbose: bool = False

    @property
    def root(self) -> Path:
        return self.repository.root

    @property
    def reports(self) -> Path:
        return self.root / FOLDER / "reports"

    @property
    def whole(self) -> bool:
        """Whether every test of the suites is run."""
        return not (self.wishes.arguments or self.places or self.wishes.shard)

    @property
    def only_divided(self) -> bool:
        """Whether it is a shard, and all shards together are everything."""
        return bool(self.wishes.shard) and not (
            self.partial or self.wishes.arguments or self.places
        )


def request(
    repository: Repository,
    *,
    suites: tuple[str, ...] = (),
    quick: bool = False,
    covered: bool = False,
    versions: tuple[str, ...] = (),
    shard: str = "",
    arguments: tuple[str, ...] = (),
    verbose: bool = False,
) -> Request:
    """The flags of `test` as a request. Raises UsageError for what cannot be run as asked."""
    matrix.check(versions)
    known = known_suites(repository)
    chosen = choose(known, suites, quick)
    partial = len(chosen) < len(known)
    attached = any(word in DEBUGGERS for word in arguments)
    places = _places(arguments, repository.root)
    if places:
        arguments = tuple(word for word in arguments if word not in places)
        chosen = tuple(suite for suite in chosen if _inside(suite, places))
        if not chosen:
            raise _no_suite_has(places)
    wishes = Wishes(arguments, read_shard(shard), attached=attached)
    return Request(repository, chosen, wishes, versions, covered, places, partial, verbose)


def check_terminal(asked: Request, json: bool) -> None:
    """A debugger needs one suite and somebody to talk to. Raises UsageError."""
    if not asked.wishes.attached:
        return
    if len(asked.suites) * max(1, len(asked.versions)) != 1:
        names = ", ".join(suite.name for suite in asked.suites)
        raise UsageError(
            "a debugger is for one suite at a time",
            why=[f"chosen are: {names}"],
            state="nothing was run",
            next_step=f"inv test --suite={asked.suites[0].name} -- --pdb",
        )
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "a debugger needs a terminal, and there is none",
            state="nothing was run",
            next_step="repeat it in a terminal and without --json, or leave --pdb out",
        )


def plan(asked: Request) -> tuple[Step, ...]:
    """What would run: the environments, then each suite."""
    tests = asked.repository.test
    steps = []
    interpreters = [matrix.present(asked.root, tests.interpreter)]
    if asked.versions:
        words = matrix.install_words(asked.root, tests.install)
        interpreters = [matrix.expected(asked.root, version) for version in asked.versions]
        for version in asked.versions:
            made = {"here": matrix.commands(asked.root, version, words)}
            steps.append(Step("python", f"environment for Python {version}", made))
    jobs, _ = jobs_of(asked, interpreters)
    return (*steps, *(Step("test", _title(job), {"here": (job.command(),)}) for job in jobs))


def jobs_of(
    asked: Request, interpreters: Sequence[Interpreter]
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """A job for each suite and Python, suite by suite; and notes on what is left out."""
    jobs: list[Job] = []
    notes = []
    unsplit = [suite for suite in asked.suites if suite.command]
    shard = asked.wishes.shard
    for suite in asked.suites:
        if suite.command and shard and not shard.has(unsplit.index(suite)):
            notes.append(f"{suite.name} cannot be split; it belongs to another shard")
            continue
        turned = shard and shard.turned(asked.suites.index(suite))
        part = replace(asked, wishes=replace(asked.wishes, shard=turned))
        jobs += _jobs(part, suite, interpreters)
    return tuple(jobs), tuple(notes)


def _jobs(asked: Request, suite: Suite, interpreters: Sequence[Interpreter]) -> Iterator[Job]:
    for one in interpreters:
        name = f"{suite.name} {one.version}".strip()
        places = _inside(suite, asked.places)
        job = Job(
            suite, name, one.python, asked.root, asked.reports, asked.wishes, places, one.reason
        )
        if suite.command and one.python and not _program_of(job):
            yield replace(job, name=suite.name)  # its command is the same for every Python
            return
        yield job


def _program_of(job: Job) -> bool:
    """Whether a suite's own command is a program of the environment: pytest, tox, python."""
    return (Path(job.python).parent / job.suite.command[0]).exists()


def _title(job: Job) -> str:
    services = f" with {', '.join(job.suite.services)}" if job.suite.services else ""
    return f"suite {job.name}{services}"


def _places(arguments: Sequence[str], root: Path) -> tuple[str, ...]:
    """The arguments that are files, folders or test ids: `tests/unit/test_a.py::test_b`."""
    return tuple(
        word
        for before, word in zip(("", *arguments), arguments, strict=False)
        if not word.startswith("-")
        and not _takes_a_word(before)
        and (root / word.partition("::")[0]).exists()
    )


def _takes_a_word(option: str) -> bool:
    """`--ignore tests/slow`: of an option that is not known, the word after it is its value."""
    long = option.startswith("--") and "=" not in option
    return option in TAKE_A_WORD or (long and option not in TAKE_NONE)


def _inside(suite: Suite, places: Sequence[str]) -> tuple[str, ...]:
    """Those of the places that are the suite's, seen from where it runs."""
    folder = Path(suite.cwd) / suite.path
    return tuple(
        str(Path(place).relative_to(suite.cwd))
        for place in places
        if not suite.command and Path(place.partition("::")[0]).is_relative_to(folder)
    )


def _no_suite_has(places: Sequence[str]) -> UsageError:
    return UsageError(
        f"no suite has {' '.join(places)}",
        state="nothing was run",
        next_step="inv test --plan  (which suites there are, and their paths)",
    )
