"""One scan: the scanners side by side, their findings merged, what is excluded left out."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.checks.cache import Cache
from fairlead.checks.exclude import Sifted, sifted
from fairlead.checks.finding import Severity
from fairlead.checks.folder import needed_folder
from fairlead.checks.merge import Fault, merged
from fairlead.checks.programs import Programs
from fairlead.checks.scan.stage import staged
from fairlead.checks.scan.syft import FOLDER
from fairlead.checks.sweep import sweep
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config.exclusions import Exclusion
from fairlead.config.scan import Scan
from fairlead.events import Listener


@dataclass(frozen=True)
class Scanned:
    """What came of a scan. verdicts: one a scanner, without what is excluded.

    fail_on: the mildest severity that fails it. narrowed: only some files of the tree were given.
    """

    verdicts: tuple[Verdict, ...]
    sifted: Sifted
    fail_on: Severity
    narrowed: bool = False

    @property
    def failing(self) -> tuple[Fault, ...]:
        """The faults that are too bad."""
        kept = self.sifted.kept
        return tuple(one for one in kept if one.finding.reaches(self.fail_on))

    @property
    def without_answer(self) -> tuple[Verdict, ...]:
        """The scanners that looked at nothing or could not finish.

        Of some files it may be that none is for a scanner: a git hook is given what is committed.
        """
        silent = (Outcome.NOT_RUN, Outcome.ERROR)
        return tuple(
            verdict
            for verdict in self.verdicts
            if verdict.outcome in silent and not (self.narrowed and verdict.idle)
        )

    @property
    def had_nothing(self) -> bool:
        """Whether none of some files that were given is for any of the scanners."""
        return self.narrowed and self.ok and all(verdict.idle for verdict in self.verdicts)

    @property
    def on_record(self) -> tuple[Verdict, ...]:
        """The verdicts as gates judge them: findings that do not fail the scan close no gate, and
        one that its scanner does not rate is as bad as another one says."""
        failing = {finding for fault in self.failing for finding in fault.told}
        faults = {finding: fault.finding for fault in self.sifted.kept for finding in fault.told}

        def judged(verdict: Verdict) -> Verdict:
            passed = verdict.outcome is Outcome.FINDINGS and not failing & set(verdict.findings)
            findings = tuple(
                one
                if one.rated
                else replace(one, severity=faults[one].severity, rated=faults[one].rated)
                for one in verdict.findings
            )
            outcome = Outcome.PASSED if passed else verdict.outcome
            return replace(verdict, outcome=outcome, findings=findings)

        return tuple(map(judged, self.verdicts))

    @property
    def until(self) -> str:
        """The last day (ISO) on which all that is excluded is; empty where nothing is."""
        days = [exclusion.expires for _, exclusion in self.sifted.excluded]
        return min(days).isoformat() if days else ""

    @property
    def outcome(self) -> Outcome:
        """Of the whole: what was found says most, then what could not finish."""
        if self.ok:
            return Outcome.PASSED
        if self.failing or self.sifted.expired:
            return Outcome.FINDINGS
        errors = any(verdict.outcome is Outcome.ERROR for verdict in self.verdicts)
        return Outcome.ERROR if errors else Outcome.NOT_RUN

    @property
    def ok(self) -> bool:
        """Something was scanned, every scanner answered, nothing is too bad, and no exclusion has
        run out."""
        clean = not (self.failing or self.without_answer or self.sifted.expired)
        return clean and bool(self.verdicts)


@dataclass(frozen=True)
class Means:
    """What a scan runs with."""

    programs: Programs
    cache: Cache | None
    listener: Listener


def scan(
    tools: Sequence[Tool],
    tree: Tree,
    settings: Scan,
    exclusions: Sequence[Exclusion],
    today: datetime.date,
    means: Means,
) -> Scanned:
    """Run the scanners over the tree and judge what they found; raises nothing for what they do."""
    needed_folder(tree.root, FOLDER)
    with staged(tree):
        verdicts = sweep(
            "scan",
            tools,
            tree,
            timeout=settings.timeout,
            listener=means.listener,
            programs=means.programs,
            cache=means.cache,
        )
    found = (finding for verdict in verdicts for finding in verdict.findings)
    sorted_out = sifted(merged(found), exclusions, today)
    answered = all(verdict.outcome in ANSWERS for verdict in verdicts)
    if not answered:  # nobody knows then what an exclusion would have covered
        sorted_out = replace(sorted_out, unused=())
    kept = tuple(_without(verdict, sorted_out) for verdict in verdicts)
    return Scanned(kept, sorted_out, Severity(settings.fail_on), tree.narrowed)


ANSWERS = (Outcome.PASSED, Outcome.FINDINGS)


def _without(verdict: Verdict, result: Sifted) -> Verdict:
    """The verdict as if what is excluded were not there; it says how much that is."""
    left_out = {one for fault, _ in result.excluded for one in fault.told}
    kept = tuple(one for one in verdict.findings if one not in left_out)
    count = len(verdict.findings) - len(kept)
    if not count:
        return verdict
    passed = verdict.outcome is Outcome.FINDINGS and not kept
    outcome = Outcome.PASSED if passed else verdict.outcome
    looked_at = f"{verdict.looked_at}, {count} excluded".removeprefix(", ")
    return replace(verdict, findings=kept, outcome=outcome, looked_at=looked_at)
