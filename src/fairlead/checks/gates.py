"""Gates: which of those an environment requires are open for a commit and its images.

Pure: everything is judged from records. A record opens a gate only when it is of that very commit
without changes, was made under the present configuration, and is of a whole run. A gate that scans
open asks beside it for a record of each image, as that very digest: a rebuild makes it void.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import floor

from fairlead.checks.finding import UNRATED, Severity
from fairlead.checks.records import SCAN_IMAGE, Entry, Record
from fairlead.checks.verdict import Outcome
from fairlead.config.gates import Gates

KINDS = {
    "sast": ("bandit", "semgrep"),
    "secrets": ("gitleaks", "trufflehog", "detect-secrets"),
    "dependencies": ("pip-audit", "safety", "npm-audit", "trivy", "grype"),
    "licences": ("pip-licenses", "licensecheck"),
}
"""The scanners that answer for a gate; at least one of them has to have passed.

What one is pointed at follows a colon: `npm-audit:web` is npm-audit.
"""
OF_IMAGES = ("trivy", "grype")  # those of them that look into images


@dataclass(frozen=True)
class Evidence:
    """What a gate judges: the records of one commit, under the present configuration, today.

    images: built from that commit, to be deployed: digest → reference.
    """

    commit: str
    config: str
    records: Sequence[Record]
    gates: Gates
    today: datetime.date
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Closed:
    """A gate that does not open: why, in a sentence, and the commands that satisfy it."""

    gate: str
    why: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Obstacle:
    """One thing that keeps a gate closed, and the command that looks again."""

    why: str
    command: str


Judge = Callable[[Record, Evidence], Iterator[str]]
Gate = Callable[[Evidence], Iterator[Obstacle]]


def closed(evidence: Evidence) -> tuple[Closed, ...]:
    """The required gates that stay closed, in the order they are required."""
    return tuple(
        Closed(name, "; ".join(one.why for one in faults), shortest(one.command for one in faults))
        for name in evidence.gates.require
        if (faults := tuple(_GATES[name](evidence)))
    )


def shortest(commands: Iterable[str]) -> tuple[str, ...]:
    """The commands, each once, without those that another one does as well: `inv scan` beside
    `inv scan --image=…`, which looks at the tree, too."""
    wanted = tuple(dict.fromkeys(commands))
    return tuple(
        one for one in wanted if not any(other.startswith(f"{one} --") for other in wanted)
    )


def _judged(verb: str, judge: Judge, evidence: Evidence) -> Iterator[Obstacle]:
    """What keeps a gate closed: no record of the verb that counts, or what that record says."""
    record = _usable(verb, evidence)
    said = (record,) if isinstance(record, str) else judge(record, evidence)
    yield from (Obstacle(why, f"inv {verb}") for why in said)


def _scanned(judge: Judge, of_image: Judge, evidence: Evidence) -> Iterator[Obstacle]:
    """The same for a scan of the tree and of each image that would be deployed."""
    yield from _judged("scan", judge, evidence)
    yield from _images(of_image, evidence)


def _images(judge: Judge, evidence: Evidence) -> Iterator[Obstacle]:
    """The same for each image that would be deployed, scanned as that very digest."""
    for digest, reference in evidence.images.items():
        record = _usable(SCAN_IMAGE, evidence, digest)
        said = (record,) if isinstance(record, str) else judge(record, evidence)
        command = f"inv scan --image={reference}"
        yield from (Obstacle(f"{reference}: {why}", command) for why in said)


def _measured(judge: Judge, evidence: Evidence) -> Iterator[Obstacle]:
    """The same for tests, by the newest run that measured coverage."""
    record = _usable("test", evidence, measured=True)
    said = (record,) if isinstance(record, str) else judge(record, evidence)
    yield from (Obstacle(why, "inv test --coverage") for why in said)


def _is_there(record: Record, evidence: Evidence) -> Iterator[str]:
    """Being on record is enough."""
    yield from ()


def _all_passed(record: Record, evidence: Evidence) -> Iterator[str]:
    """Every tool of the verb passed, or its absence is waived."""
    if not record.entries:
        yield f"`{record.verb}` looked at nothing"
    yield from _faults(record.entries, evidence)


def _some_passed(kind: Sequence[str], record: Record, evidence: Evidence) -> Iterator[str]:
    """The scanners of a kind passed, at least one of them, and none failed.

    That one is waived opens nothing where the scan did not call for it: then nobody looked.
    """
    entries = _of_kind(kind, record)
    if all(one.outcome is Outcome.NOT_RUN and not _waived(one, evidence) for one in entries):
        yield f"none of {', '.join(kind)} ran"
    yield from _faults(entries, evidence)


def _covered(record: Record, evidence: Evidence) -> Iterator[str]:
    """Enough of the lines are covered by the tests."""
    if record.coverage is None:
        yield "coverage was not measured"
    elif record.coverage < evidence.gates.coverage:
        measured = floor(record.coverage * 100) / 100  # 79.999 is not told as 80.00
        yield f"{measured:.2f} % of the lines are covered, not {evidence.gates.coverage:g} %"


def _no_vulnerability(kind: Sequence[str], record: Record, evidence: Evidence) -> Iterator[str]:
    """Those of a kind that look for vulnerabilities did look, and no scanner has a finding as bad
    as `severity`, or as nobody knows."""
    looked = [
        replace(one, outcome=Outcome.PASSED) if one.outcome is Outcome.FINDINGS else one
        for one in record.entries
    ]
    yield from _some_passed(kind, replace(record, entries=tuple(looked)), evidence)
    limit = Severity(evidence.gates.severity).rank
    bad = [*(str(severity) for severity in Severity if severity.rank <= limit), UNRATED]
    for entry in record.entries:
        for grade in bad:
            if count := entry.counts.get(grade, 0):
                yield f"{entry.tool}: {count} {grade}"


def _usable(
    verb: str, evidence: Evidence, image: str = "", *, measured: bool = False
) -> Record | str:
    """The newest record of a verb that counts, or the sentence that says why there is none.

    measured: one with coverage goes before any other.
    """
    found = sorted(
        (one for one in evidence.records if (one.verb, one.image) == (verb, image)),
        key=lambda one: (measured and one.coverage is not None, one.when),
        reverse=True,
    )
    command = "scan --image" if image else verb
    of = f"`inv {command}` of {evidence.commit[:12]}"
    for one in found:
        if one.clean and not one.partial and one.config == evidence.config:
            if one.until and one.until < evidence.today.isoformat():
                return f"{of} rests on an exclusion that ended on {one.until}"
            return one
    if not found:
        return f"no {of} is on record"
    if all(one.config != evidence.config for one in found):
        return f"{of} ran under another configuration"
    if all(not one.clean for one in found):
        return f"{of} ran with uncommitted changes"
    return f"only a part of {of} was run"


def _of_kind(kind: Sequence[str], record: Record) -> list[Entry]:
    return [one for one in record.entries if _scanner(one) in kind]


def _faults(entries: Iterable[Entry], evidence: Evidence) -> Iterator[str]:
    for entry in entries:
        if entry.outcome is Outcome.PASSED:
            continue
        if entry.outcome is Outcome.NOT_RUN and _waived(entry, evidence):
            continue
        count = sum(entry.counts.values())
        detail = f"{count} findings" if count else entry.reason
        yield f"{entry.tool}: {entry.outcome}" + (f" ({detail})" if detail else "")


def _scanner(entry: Entry) -> str:
    """The scanner without the part of the tree it was pointed at: `npm-audit` of `npm-audit:web`.

    What trivy says of configuration files is another matter than what it says of packages.
    """
    name, _, part = entry.tool.partition(":")
    return entry.tool if part == "config" else name


def _waived(entry: Entry, evidence: Evidence) -> bool:
    names = (entry.tool, _scanner(entry))
    return any(one.tool in names and one.until >= evidence.today for one in evidence.gates.waive)


def _scan(judge: Judge, of_image: Judge = _is_there) -> Gate:
    return partial(_scanned, judge, of_image)


_GATES: Mapping[str, Gate] = {
    "lint": partial(_judged, "lint", _all_passed),
    "tests": partial(_judged, "test", _all_passed),
    "coverage": partial(_measured, _covered),
    **{kind: _scan(partial(_some_passed, tools)) for kind, tools in KINDS.items()},
    "scan": _scan(_all_passed, _all_passed),
    "vulnerabilities": _scan(
        partial(_no_vulnerability, KINDS["dependencies"]), partial(_no_vulnerability, OF_IMAGES)
    ),
    "image": partial(_images, partial(_some_passed, OF_IMAGES)),
}
