"""From what a suite left to its result: the report decides, the exit code only confirms it."""

import json
import re
from dataclasses import replace
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.suites import junit, summaries
from fairlead.checks.suites.job import Job
from fairlead.checks.suites.result import Case, Counts, Result
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.transport.local import Ran

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NO_TESTS = 5  # pytest: nothing was collected, or everything deselected


def judge(job: Job, ran: Ran) -> Result:
    """The result of a suite that came to its end, one way or the other."""
    verdict = Verdict(job.name, Outcome.ERROR, seconds=ran.seconds)
    log = job.log.relative_to(job.root).as_posix()
    if ran.missing:
        reason = f"there is no program {job.command().argv[0]}"
        return Result(job.name, replace(verdict, outcome=Outcome.NOT_RUN, reason=reason))
    try:
        cases, counts = _told(job, ran)
        garbage = ""
    except ValueError as error:
        cases, counts, garbage = (), None, str(error)
    if stopped := _stopped(job, ran):
        reason = stopped
    elif garbage:
        reason = f"exit {ran.code}, and {garbage}"
    else:
        return _judged(job, ran, Result(job.name, verdict, counts, cases, log))
    findings = tuple(_findings(job, cases))
    return Result(job.name, replace(verdict, reason=reason, findings=findings), counts, cases, log)


def _told(job: Job, ran: Ran) -> tuple[tuple[Case, ...], Counts | None]:
    """What the suite says of its tests, in a report or in the last lines it printed."""
    if job.junit.exists():
        cases = junit.read(job.junit, job.cwd, job.root)
        return cases, Counts.of(cases)
    return (), summaries.counts(COLOURS.sub("", f"{ran.out}\n{ran.err}"))


def _stopped(job: Job, ran: Ran) -> str:
    if ran.stopped == "timeout":
        return f"took longer than {job.suite.timeout:g} s and was stopped"
    if ran.stopped:
        return "interrupted"
    return f"was killed by signal {-ran.code}" if ran.code < 0 else ""


def _judged(job: Job, ran: Ran, result: Result) -> Result:
    """By what was told of the tests; an exit code that says otherwise makes it an error."""
    counts = result.counts
    if counts is None or not counts.run:
        return _nothing_ran(job, ran, result)
    findings = tuple(_findings(job, result.cases))
    agreed = (ran.code == 0) == (counts.failed == 0)
    broken = not agreed or (ran.code > 1 and not job.own_command)
    outcome = Outcome.FINDINGS if counts.failed else Outcome.PASSED
    reason = ""
    if broken:
        outcome = Outcome.ERROR
        reason = f"exit {ran.code} with {counts.failed} failed tests{_last_words(ran)}"
    verdict = replace(
        result.verdict,
        outcome=outcome,
        findings=findings,
        reason=reason,
        looked_at=f"{counts.run} tests",
    )
    return replace(result, verdict=verdict)


def _nothing_ran(job: Job, ran: Ran, result: Result) -> Result:
    """No test was run: whether that is by choice, for want of tests, or a fault."""
    outcome, unselected = Outcome.NOT_RUN, False
    missing = re.search(r"No module named '?(pytest|coverage)\b", ran.err)
    if missing and not job.own_command:
        reason = f"{job.python} has no {missing[1]}: {job.python} -m pip install {missing[1]}"
    elif job.wishes.shard and _left_to_other_shards(job):
        reason, unselected = "none of its tests fall into this shard", True
    elif result.counts and result.counts.skipped:
        reason = f"all its {result.counts.skipped} tests were skipped"
    elif ran.code == NO_TESTS and not job.own_command:
        reason, unselected = f"no tests in {job.suite.path or 'it'}", "deselected" in ran.out
        reason = "none of its tests was chosen" if unselected else reason
    elif ran.code or not (job.own_command or result.counts):
        outcome, reason = Outcome.ERROR, f"exit {ran.code} without a report{_last_words(ran)}"
    else:
        reason = "it told of no test: no JUnit report in {junit}, and no summary that is known"
    verdict = replace(result.verdict, outcome=outcome, reason=reason)
    return replace(result, verdict=verdict, unselected=unselected)


def _left_to_other_shards(job: Job) -> bool:
    share = _share(job)
    return bool(share.get("collected")) and not share.get("kept")


def split_of(job: Job) -> str:
    """A hash over how a shard's tests were divided; empty where they were not."""
    return str(_share(job).get("split", "")) if job.wishes.shard else ""


def _share(job: Job) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(job.share.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told


def _findings(job: Job, cases: tuple[Case, ...]) -> list[Finding]:
    return [
        Finding(
            tool=job.name,
            rule=case.id.rpartition("::")[2],
            severity=Severity.HIGH,
            message=case.message,
            path=case.path,
            line=case.line,
        )
        for case in cases
        if case.state == "failed"
    ]


def _last_words(ran: Ran) -> str:
    said = COLOURS.sub("", ran.err.strip() or ran.out.strip()).splitlines()
    return f": {said[-1].strip()[:200]}" if said else ""
