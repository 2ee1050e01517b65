"""What must hold after any fault, by looking: at the hosts over plain ssh, and through the router.

`serves_one_known_release` and `lock_comes_free` hold at once, before anybody has done anything;
`settled` holds after the one command that the program itself names.
"""

from tests.faults.scene import LEASE, Scene
from tests.lab.hosts import wait_for
from tests.lab.load import Report
from tests.lab.project import SECRET, Project

ANSWERS = 60.0  # seconds for a host that was killed to answer again
LABELS = ("fairlead.release", "fairlead.slot", "fairlead.service")


def nobody_noticed(report: Report, excused: bool) -> None:
    """No request failed, unless the fault took the host's traffic itself."""
    assert excused or report.failed == 0, f"requests failed: {report}"


def serves_one_known_release(scene: Scene) -> set[str]:
    """Every host serves a whole release, the one before or the new one; which ones."""
    known = {scene.before, scene.tag}
    serving = set()
    for host in scene.app.hosts:
        wait_for(lambda host=host: scene.app.serving(host) in known, ANSWERS, f"{host} serves")
        answers = {scene.app.serving(host) for _ in range(6)}
        assert answers <= known, f"{host.name} serves {answers}"
        serving |= answers
    return serving


def lock_comes_free(app: Project) -> None:
    """Nobody has to free it by hand: it is free, or its lease ends."""

    def free() -> bool:
        return app.inv("lock.status", "--json").code == 0

    wait_for(free, LEASE * 2 + 10, "the lock is free, or its lease ends")


def nothing_partial_is_listed(app: Project) -> None:
    """What may be rolled back to, or restored, is whole; one may be on its way out just now."""
    wait_for(lambda: not _partial(app), 5, "every release and backup that is listed is whole")


def _partial(app: Project) -> list[str]:
    found = []
    for host in app.hosts:
        whole = f'[ -s "$one/manifest.json" ] || [ ! -d "$one" ] || echo "{host.name} $one"'
        folders = f"{app.base}/releases/[0-9]* {app.base}/backups/[0-9]*"
        out = host.must(f"for one in {folders}; do {whole}; done")
        found += [line for line in out.splitlines() if ".partial" not in line]
    return found


def no_secret_leaked(app: Project, *texts: str) -> None:
    """Not in what was printed, not in a file that others may read."""
    for text in texts:
        assert SECRET not in text
    for host in app.hosts:
        leaks = host.must(
            f"find {app.base} /opt/fairlead -type f -perm -o+r -print0 2>/dev/null"
            f" | xargs -0r grep -l -F {SECRET} 2>/dev/null || :",
            user="root",
        )
        assert not leaks, f"{host.name}: {leaks}"


def settled(app: Project, tag: str) -> None:
    """All hosts serve `tag`, whole; nothing half-made runs; the next deploy may come."""
    status = app.inv("status", "--json")
    assert status.code == 0, status.text
    assert str(status.result["release"]).endswith(tag), status.result
    assert {app.serving(host) for host in app.hosts} == {tag}
    for host in app.hosts:
        live = app.live(host)
        running = _running(app, host)
        assert {release for release, slot, _ in running if slot == live} == {
            status.result["release"]
        }, running


def _running(app: Project, host) -> list[tuple[str, str, str]]:
    shown = " ".join(f'{{{{index .Config.Labels "{name}"}}}}' for name in LABELS)
    out = host.must(
        f"docker ps -q --filter label=fairlead.key={app.key} --filter label=fairlead.slot"
        f" | xargs -r docker inspect --format '{shown}'"
    )
    rows = [tuple(line.split()) for line in out.splitlines()]
    return [row for row in rows if len(row) == 3]
