"""inv backups.…"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from fairlead.rollout.backups.verify import Finding
    from fairlead.rollout.observed import HostState


@verb(refuses={"service": "a backup is of a whole release"}, name="list", mutates=False)
def list_(run: Run) -> None:
    """List the backups on each host: the release and the data each one holds, how old, how large"""
    from fairlead.cli.scope import session
    from fairlead.commands import host
    from fairlead.model import Step

    with session(run) as opened:
        if run.options.plan:
            words = {name: (host.observe(),) for name in opened.fleet.hosts}
            run.reporter.plan([Step("observe", "look at the hosts", words)], {})
            return
        rows = [row for state in opened.fleet.observe().values() for row in _rows(state)]
        columns = (
            "host",
            "backup",
            "release",
            "taken before deploy",
            "data",
            "age",
            "size",
            "took",
        )
        run.reporter.table(f"Backups in {opened.environment.name}", columns, rows)
        run.reporter.result({"outcome": "listed", "backups": sorted({str(r[1]) for r in rows})})


def _rows(state: "HostState") -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in state.backups:
        about: tuple[object, ...] = (state.host, one.stamp, one.release, one.sequence)
        if not one.dumps:
            rows.append((*about, "cannot be read" if one.broken else None, None, None, None))
            continue
        took = sum(float(dump.get("seconds", 0)) for dump in one.dumps.values())
        age = f"{(state.clock - one.taken) / 3600:.1f} h"
        size = f"{one.bytes / 1e6:.1f} MB"
        rows.append((*about, ", ".join(one.dumps), age, size, f"{took:.1f} s"))
    return rows


@verb(refuses={"service": "a backup is of a whole release"})
def take(run: Run) -> None:
    """Take a backup now: the live release's files and all data that are declared"""
    from fairlead.cli.scope import session
    from fairlead.rollout.backups.now import plan_backup
    from fairlead.rollout.outcome import carry_out

    with session(run) as opened:
        situation, plan = plan_backup(opened)
        if run.options.plan:
            run.reporter.plan(plan.steps, plan.header, verbose=run.options.verbose)
            return
        outcome = carry_out(opened, situation, plan, "backup")
        stamp, seconds = situation.target.stamp, sum(outcome.seconds.values())
        name = opened.environment.name
        lines = [
            f"backup {stamp} of {situation.target.release} taken, after {seconds:.1f} s",
            f"next: inv backups.verify --restore --env={name}",
        ]
        payload = {"outcome": "done", "backup": stamp, "release": situation.target.release}
        run.reporter.result({**payload, "hosts": list(opened.fleet.hosts)}, lines)


@verb(
    refuses={"service": "a backup is of a whole release"},
    mutates=False,
    help={
        "restore": "Restore each dump into a throwaway container and ask it what `verify` says",
        "backup": "This backup (timestamp), however old; else the newest with data on each host",
    },
)
def verify(run: Run, restore: bool = False, backup: str = "") -> None:
    """Check that there is a recent, complete backup that can be restored; exit code 1 if not

    When it fails, `[backup] on_failure` is run here with the summary on its standard input.

    Example: `inv backups.verify --restore --env=production`
    """
    from fairlead.cli.scope import session
    from fairlead.config import validate_release_reference
    from fairlead.model import Step
    from fairlead.rollout.backups.notify import notify
    from fairlead.rollout.backups.verify import plan_verify
    from fairlead.rollout.backups.verify import verify as look

    if backup:
        validate_release_reference(backup)
    with session(run) as opened:
        if run.options.plan:
            words = plan_verify(opened, backup, restore=restore)
            step = Step("verify", "look at the newest backup with data", words)
            run.reporter.plan([step], {}, verbose=run.options.verbose)
            return
        findings = look(opened, backup, restore=restore)
        lines = [_line(finding) for finding in findings]
        bad = [finding for finding in findings if not finding.ok]
        if bad:
            title = f"backups of {opened.environment.key}: {len(bad)} of {len(findings)} failed"
            notify(opened, [title, *lines])
    rows = [
        (f.host, f.stamp, f.what, "passed" if f.ok else "failed", f.why or f.note) for f in findings
    ]
    columns = ("host", "backup", "what", "outcome", "")
    run.reporter.table(f"Backups of {run.environment().name}", columns, rows)
    _conclude(run, findings)


def _line(finding: "Finding") -> str:
    said = "passed" if finding.ok else "FAILED"
    return f"{said}  {finding.host} {finding.stamp} {finding.what}: {finding.why or finding.note}"


def _conclude(run: Run, findings: "list[Finding]") -> None:
    bad = [f"{f.host}: backup {f.stamp}: {f.why}" for f in findings if not f.ok]
    if not findings:
        text = "not run: no data are declared ([[backup.data]])"
        run.reporter.result({"outcome": "not-run", "reason": text}, [text], ok=False)
        return
    outcome = "failed" if bad else "passed"
    text = f"{len(findings) - len(bad)} of {len(findings)} passed"
    payload = {"outcome": outcome, "faults": bad, "backups": sorted({f.stamp for f in findings})}
    run.reporter.result(payload, [text, *bad], ok=not bad)


@verb(refuses={"service": "a backup is of a whole release"})
def prune(run: Run) -> None:
    """Remove backups with data that [backup] keep, keep_for and keep_size no longer keep

    The newest stays, and the newest one of each release a rollback could go to.
    """
    from fairlead.cli.scope import session
    from fairlead.rollout.backups.prune import plan_prune, prune_now

    with session(run) as opened:
        situation, plan = plan_prune(opened)
        if run.options.plan:
            run.reporter.plan(plan.steps, plan.header, plan.notes, verbose=run.options.verbose)
            return
        if not plan.steps:
            run.reporter.result({"outcome": "unchanged", "removed": []}, ["nothing to remove"])
            return
        prune_now(opened, situation, plan)
        lines = [f"{len(plan.notes)} removed", *plan.notes]
        run.reporter.result({"outcome": "done", "removed": list(plan.notes)}, lines)


@verb(
    refuses={"service": "a backup is of a whole release"},
    help={
        "to": "A host of this environment, or a folder on this machine (default: [backup] copy_to)",
        "backup": "This backup (timestamp); else the newest with data on each host",
    },
)
def copy(run: Run, to: str = "", backup: str = "") -> None:
    """Copy a backup to another host or to a folder here, and check it there by its checksums

    Example: `inv backups.copy --env=production --to=/srv/backups`
    """
    from fairlead.cli.scope import session
    from fairlead.config import validate_release_reference
    from fairlead.errors import UsageError
    from fairlead.model import Step
    from fairlead.rollout.backups.copy import copies, copy_all, describe

    to = to or run.environment().backup.copy_to
    if not to:
        raise UsageError(
            "copy needs to know where to: --to is missing",
            state="nothing was changed",
            next_step="inv backups.copy --to=/srv/backups, or set [backup] copy_to",
        )
    if backup:
        validate_release_reference(backup)
    with session(run) as opened:
        wanted = copies(opened, to, backup)
        if run.options.plan:
            run.reporter.plan([Step("copy", describe(one), {}) for one in wanted], {})
            return
        done = copy_all(opened, wanted)
        columns = ("host", "backup", "copied to", "size", "took")
        rows = [
            (c.host, c.stamp, c.place, f"{c.bytes / 1e6:.1f} MB", f"{c.seconds:.1f} s")
            for c in done
        ]
        run.reporter.table("Copies, checked where they are", columns, rows)
        lines = [f"{len(done)} cop{'y' if len(done) == 1 else 'ies'} made"]
        run.reporter.result({"outcome": "done", "copies": [c.place for c in done]}, lines)
