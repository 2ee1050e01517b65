"""What must hold after any fault, by looking: at the hosts over plain ssh, and through the router.

`lock_comes_free`, `serves_one_known_release` and `nothing_partial_is_listed` hold at once, before
anybody has done anything; `settled` holds after the one command that the program itself names.
"""

from tests.faults.load import Loads
from tests.faults.scene import LEASE, Scene
from tests.lab.hosts import Host, wait_for
from tests.lab.project import SECRET, Project

ANSWERS = 60.0  # seconds for a host that was killed to answer again
ASKED = 12  # times, each host, for what it serves
LABELS = ("fairlead.release", "fairlead.slot", "fairlead.service")
KEY, VALUE = "k7", "v7"  # one of those that every application's Redis has from its first day


def nobody_noticed(loads: Loads, excused: tuple[Host, ...] = ()) -> None:
    """No request failed, but on hosts of which a fault took the traffic itself."""
    for host, report in loads.stop().items():
        assert host in excused or report.failed == 0, f"{host.name}: requests failed: {report}"
        assert report.ok, f"{host.name}: nothing was asked"


def serves_one_known_release(scene: Scene) -> None:
    """Each host serves one release, the one before or the new one, and nothing of the other."""
    known = {scene.before, scene.tag}
    for host in scene.app.hosts:
        wait_for(lambda host=host: scene.app.serving(host) in known, ANSWERS, f"{host} serves")
        answers = _answers(scene.app, host)
        assert len(answers) == 1, f"{host.name} serves {answers}"
        assert answers <= known, f"{host.name} serves {answers}"


def _answers(app: Project, host: Host) -> set[str]:
    return {app.serving(host) for _ in range(ASKED)}


def lock_comes_free(app: Project) -> None:
    """Nobody has to free it by hand: it is free, or its lease ends, and no step runs any more."""

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
        sums = (
            f'[ ! -f "$one/SHA256SUMS" ] || (cd "$one" && sha256sum --quiet -c SHA256SUMS) '
            f'>/dev/null 2>&1 || echo "{host.name} $one sums"'
        )
        releases, backups = f"{app.base}/releases/[0-9]*", f"{app.base}/backups/[0-9]*"
        looks = f"for one in {releases} {backups}; do {whole}; done"
        out = host.must(f"{looks}; for one in {backups}; do {sums}; done")
        found += [line for line in out.splitlines() if ".partial" not in line]
    return found


def no_secret_leaked(app: Project, *texts: str) -> None:
    """Not in what was printed, not in audit or journal, not in a file that others may read."""
    for text in texts:
        assert SECRET not in text
    for host in app.hosts:
        leaks = host.must(
            f"{{ find {app.base}/journal {app.base}/audit.jsonl -type f -print0;"
            f" find {app.base} /opt/fairlead -type f -perm -o+r -print0; }} 2>/dev/null"
            f" | xargs -0r grep -l -F -e {SECRET} 2>/dev/null || :",
            user="root",
        )
        assert not leaks, f"{host.name}: {leaks}"


def settled(app: Project, tag: str) -> str:
    """All hosts serve `tag`, whole, and nothing else; nothing half-made runs; the data are there.

    Returns what `status` said.
    """
    status = app.inv("status", "--json")
    assert status.code == 0, status.text
    assert status.result["unfinished"] == [], status.text
    assert str(status.result["release"]).endswith(tag), status.result
    for host in app.hosts:
        answers = _answers(app, host)
        assert answers == {tag}, f"{host.name} serves {answers}, not {tag}"
        live = app.live(host)
        running = _running(app, host)
        assert {release for release, slot, _ in running if slot == live} == {
            status.result["release"]
        }, running
    assert in_redis(app, f"GET {KEY}") == VALUE
    return status.text


def _running(app: Project, host: Host) -> list[tuple[str, str, str]]:
    shown = " ".join(f'{{{{index .Config.Labels "{name}"}}}}' for name in LABELS)
    out = host.must(
        f"docker ps -q --filter label=fairlead.key={app.key} --filter label=fairlead.slot"
        f" | xargs -r docker inspect --format '{shown}'"
    )
    rows = [tuple(line.split()) for line in out.splitlines()]
    return [row for row in rows if len(row) == 3]


def in_redis(app: Project, words: str) -> str:
    """A command of redis-cli, on the host that has the data."""
    ours = f"--filter label=fairlead.key={app.key} --filter label=fairlead.service=redis"
    return str(app.hosts[0].must(f"docker exec $(docker ps -q {ours}) redis-cli {words}"))
