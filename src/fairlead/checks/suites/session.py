"""A run of suites: each under its Python, with its services, beside others or alone."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fairlead.checks.folder import needed_folder
from fairlead.checks.suites import coverage, matrix, shard
from fairlead.checks.suites.coverage import Coverage
from fairlead.checks.suites.job import Job
from fairlead.checks.suites.judge import judge, split_of
from fairlead.checks.suites.progress import Progress
from fairlead.checks.suites.request import Request, jobs_of
from fairlead.checks.suites.result import Result
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.events import HostFinished, HostProgress, Listener, PhaseFinished, PhaseStarted
from fairlead.transport.attached import run_attached
from fairlead.transport.local import Ran, run_local

STEP = "test"


@dataclass(frozen=True)
class Session:
    """What came of a run: a result for each suite and Python, in the order of the request."""

    results: tuple[Result, ...]
    coverage: Coverage | None = None
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every suite passed; one of which nothing was chosen does not count."""
        counting = [result for result in self.results if not result.unselected]
        return bool(counting) and all(result.passed for result in counting)


class Suites:
    """One run of a request, told to a listener.

    environ: what every suite inherits. redact: takes secrets out of what suites leave behind.
    """

    def __init__(
        self,
        request: Request,
        listener: Listener,
        environ: Mapping[str, str],
        redact: Callable[[str], str] = str,
    ) -> None:
        self.request = request
        self.listener = listener
        self.environ = environ
        self.redact = redact
        self.cancel = threading.Event()
        self._noted: dict[str, None] = {}  # in the order in which they came, each once

    def run(self) -> Session:
        """Run everything; raises nothing for what a suite does. Ctrl-C ends all of it first."""
        began = time.monotonic()
        reports = needed_folder(self.request.root, "reports")
        request = measuring(self.request)
        interpreters = self._interpreters()
        jobs, notes = jobs_of(request, interpreters)
        names = tuple(job.name for job in jobs)
        if not request.wishes.attached:
            self.listener(PhaseStarted(STEP, _many(len(jobs), "suite"), names))
        results = self._all(jobs)
        covered = coverage.combine(jobs, reports) if request.covered else None
        session = Session(_with_coverage(results, covered), covered, (*notes, *self._noted))
        if not request.wishes.attached:
            self.listener(PhaseFinished(STEP, session.passed, time.monotonic() - began))
        if request.whole:
            shard.remember(
                request.root, zip((job.suite.name for job in jobs), results, strict=True)
            )
        return session

    def _interpreters(self) -> tuple[matrix.Interpreter, ...]:
        """One for each version, made ready one after the other; uv is quick and uses all cores."""
        request, tests = self.request, self.request.repository.test
        if not request.versions:
            return (matrix.present(request.root, tests.interpreter),)
        self.listener(PhaseStarted("python", "make the environments", request.versions))
        began = time.monotonic()
        words = matrix.install_words(request.root, tests.install)
        found = []
        for version in request.versions:
            started_at = time.monotonic()
            one = matrix.prepare(request.root, version, words)
            found.append(one)
            took = time.monotonic() - started_at
            self.listener(HostFinished("python", version, not one.reason, took, one.reason))
        good = not any(one.reason for one in found)
        self.listener(PhaseFinished("python", good, time.monotonic() - began))
        return tuple(found)

    def _all(self, jobs: Sequence[Job]) -> list[Result]:
        """First those that may run side by side, then the others one by one."""
        results: dict[str, Result] = {}
        beside = [job for job in jobs if job.suite.parallel and not job.wishes.attached]
        alone = [job for job in jobs if job not in beside]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool, self._cancelled_on_interrupt():
            results |= zip((job.name for job in beside), pool.map(self._one, beside), strict=True)
            for job in alone:
                run = self._one if job.wishes.attached else partial(_in, pool, self._one)
                results[job.name] = run(job)
        return [results[job.name] for job in jobs]

    @contextmanager
    def _cancelled_on_interrupt(self) -> Iterator[None]:
        """Tell the threads to end what they run before anybody waits for them."""
        try:
            yield
        except BaseException:
            self.cancel.set()
            raise

    def _one(self, job: Job) -> Result:
        result = self._outcome(job)
        verdict, note = result.verdict, result.verdict.reason
        if not note and result.counts:
            note = _counted(result)
        fine = result.passed or result.unselected
        if not job.wishes.attached:
            self.listener(HostFinished(STEP, job.name, fine, verdict.seconds, note))
        return result

    def _outcome(self, job: Job) -> Result:
        if not job.python:
            return _not_run(job, job.unavailable)
        if self.cancel.is_set():
            return _not_run(job, "interrupted")
        if not job.cwd.is_dir():
            return _not_run(job, f"there is no folder {job.suite.cwd}")
        return self._beside_services(job) if job.suite.services else self._run(job, {})

    def _beside_services(self, job: Job) -> Result:
        from fairlead.checks.suites.services import Unavailable, started

        began = time.monotonic()
        tell = partial(self._tell, job)
        declared = self.request.repository.test.services
        try:
            with started(
                job.suite.services, declared, cancel=self.cancel, tell=tell, note=self._note
            ) as addresses:
                return self._run(job, addresses)
        except Unavailable as why:
            return _not_run(job, str(why), time.monotonic() - began)

    def _run(self, job: Job, addresses: Mapping[str, str]) -> Result:
        _clear(job, self.request.root)
        environ = job.environ(self.environ, addresses)
        if job.wishes.attached:
            ran = run_attached(job.command(), cwd=job.cwd, environ=environ)
        else:
            progress = Progress(STEP, job.name, self.listener, verbose=self.request.verbose)
            ran = run_local(
                job.command(), cwd=job.cwd, environ=environ, on_line=progress, cancel=self.cancel
            )
            job.log.write_text(self.redact(_log(ran)), encoding="utf-8")
            self._mask(job.junit)
        result = judge(job, ran)
        return replace(result, verdict=replace(result.verdict, split=split_of(job)))

    def _mask(self, report: Path) -> None:
        """Take secrets out of a report, which CI shows to everybody; a byte that is odd stays."""
        if report.is_file():
            text = report.read_text("utf-8", "surrogateescape")
            report.write_text(self.redact(text), "utf-8", "surrogateescape")

    def _note(self, what: str) -> None:
        self._noted[what] = None

    def _tell(self, job: Job, what: str) -> None:
        if not job.wishes.attached:
            self.listener(HostProgress(STEP, job.name, what, 0, 0))


def measuring(request: Request) -> Request:
    """The request with what `coverage run` is given, if it is to be run."""
    if not request.covered:
        return request
    coverage.forget(request.root)
    words = coverage.arguments(request.root, request.repository.test.source)
    return replace(request, wishes=replace(request.wishes, measuring=words))


def _in(pool: ThreadPoolExecutor, work: Callable[[Job], Result], job: Job) -> Result:
    """In a thread: the main one has to hear Ctrl-C."""
    return pool.submit(work, job).result()


def _clear(job: Job, root: Path) -> None:
    """Nothing of an earlier run may be taken for this one's."""
    for file in (job.junit, job.share, job.log):
        file.unlink(missing_ok=True)
    if job.measured:
        shutil.rmtree(job.data.parent, ignore_errors=True)
        job.data.parent.mkdir(parents=True)
    if job.wishes.shard:
        shard.hand_over(job.durations, shard.durations(root).get(job.suite.name, {}))


def _log(ran: Ran) -> str:
    return ran.out + (f"\n--- stderr ---\n{ran.err}" if ran.err.strip() else "")


def _not_run(job: Job, reason: str, seconds: float = 0.0) -> Result:
    return Result(job.name, Verdict(job.name, Outcome.NOT_RUN, reason=reason, seconds=seconds))


def _counted(result: Result) -> str:
    counts = result.counts
    told = {"passed": counts.passed, "failed": counts.failed} if counts else {}
    return ", ".join(f"{number} {word}" for word, number in told.items() if number)


def _with_coverage(results: Sequence[Result], covered: Coverage | None) -> tuple[Result, ...]:
    percents = dict(covered.suites) if covered else {}
    return tuple(replace(result, coverage=percents.get(result.name)) for result in results)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
