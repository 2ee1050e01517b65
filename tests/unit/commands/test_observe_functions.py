"""The read-only look at a host, on hosts that lack this or that.

The `docker` here only repeats what a test gives it; what docker really says is for the lab.
"""

import json

import pytest

from fairlead.errors import HostError
from fairlead.model import Result
from fairlead.rollout.observe import parse_state

ENGINE = "26.1.5 linux/x86_64 v2.26.1 /"
PINNED = "@pinned redis@sha256:3"


def look(shell, *references):
    """The host as the program sees it."""
    done = shell.call("fl_observe", *references, token="")
    assert done.code == 0, done.err
    return parse_state("web1", Result("web1", done.code, done.out, done.err, 0.0))


@pytest.fixture
def engine(shell):
    """A host whose docker runs and has nothing."""

    def docker(text="exit 1"):
        shell.tool(
            "docker",
            f'case "$1 $2" in\n"info --format") echo "{ENGINE}" ;;\n'
            f'"image ls") echo "{PINNED}" ;;\nps*) ;;\n*) {text} ;;\nesac',
        )
        return shell

    docker()
    shell.docker = docker
    return shell


def test_a_host_without_docker_says_just_that(shell):
    """Nothing else is asked where Docker is missing."""
    assert look(shell).docker == "missing"


def test_a_docker_that_does_not_answer_says_why(shell):
    """The reason is docker's own last words."""
    shell.tool("docker", "echo first; echo 'permission denied, socket' >&2; exit 1")
    assert look(shell).docker == "unreachable permission denied, socket"


def test_a_bare_host_is_described(engine):
    """Engine, platform, Compose, flock, disk, and that nothing of ours is there."""
    state = look(engine)
    assert (state.docker, state.platform, state.compose) == ("26.1.5", "linux/amd64", "2.26.1")
    assert state.flock
    assert state.disk_kib > 1000
    assert state.router == "absent"
    assert state.live is None
    assert state.lock is None
    assert state.containers == state.releases == state.backups == state.files == ()


def test_a_warning_of_docker_s_is_no_version(engine):
    """Docker may warn before it answers; the answer counts."""
    engine.tool(
        "docker",
        f"""case "$1" in
        info) echo "WARNING: cannot read config" >&2; echo "{ENGINE}" ;;
        ps | image) ;;
        *) exit 1 ;;
        esac""",
    )
    assert look(engine).docker == "26.1.5"


def test_a_look_that_breaks_off_is_no_look(engine):
    """Where docker fails half-way, nothing is concluded from what was seen until then."""
    engine.tool("docker", f'[ "$1" = info ] && echo "{ENGINE}" || {{ echo boom >&2; exit 1; }}')
    done = engine.call("fl_observe", token="")
    with pytest.raises(HostError, match="gave no usable answer") as caught:
        parse_state("web1", Result("web1", done.code, done.out, done.err, 0.0))
    assert "boom" in caught.value.why


def test_it_writes_nothing(engine):
    """Looking makes no file and no directory, not even on the first look at a host."""
    look(engine)
    assert not engine.base.exists()
    assert not engine.router.exists()


def test_where_it_cannot_write_is_told(engine):
    """The nearest directory that is there decides whether a deploy could write."""
    assert look(engine).writable == "yes"
    deeper = engine.base / "a/b"
    engine.variables["FL_BASE"] = str(deeper)
    assert look(engine).writable == "yes"


def test_images_are_present_or_absent(engine):
    """Each asked reference has an answer."""
    engine.docker('[ "$3" = registry.test/api@sha256:1 ]')
    state = look(engine, "registry.test/api@sha256:1", "registry.test/web@sha256:2")
    assert state.images == {
        "docker.io/library/redis@sha256:3": True,
        "registry.test/api@sha256:1": True,
        "registry.test/web@sha256:2": False,
    }


def test_images_that_are_there_are_told_unasked(engine):
    """By digest, and by the names that references have here."""
    assert look(engine).images == {"docker.io/library/redis@sha256:3": True}


def test_a_second_look_keeps_what_lasts_of_the_first(engine):
    """What a roll-out cannot change is not asked again."""
    first = look(engine)
    engine.docker("exit 1")
    done = engine.call("fl_observe_state", token="")
    assert "@docker" not in done.out
    again = parse_state("web1", Result("web1", done.code, done.out, done.err, 0.0), first)
    assert again == first


def test_what_is_kept_and_who_is_at_work_is_told(engine):
    """Releases with status and manifest, backups, project files, the lock, the last audit line."""
    engine.call("fl_lock", "60", "ada@laptop", "deploy v2")
    engine.run(
        'mkdir "$FL_BASE/releases/0001-v1" "$FL_BASE/releases/0002-v2" "$FL_BASE/releases/empty" '
        '"$FL_BASE/backups/20251202-143022" "$FL_BASE/files" "$FL_BASE/files/abc"\n'
        "fl_audit 'an older line'\nfl_audit '{\"event\":\"deploy\"}'\n"
        'cd "$FL_BASE/backups/20251202-143022"; echo 0001-v1 >release; echo 2 >sequence\n'
    )
    for number in (1, 2):
        text = json.dumps({"id": f"000{number}-v{number}", "sequence": number, "tag": f"v{number}"})
        path = engine.base / f"releases/000{number}-v{number}/manifest.json"
        path.write_text(json.dumps(json.loads(text), indent=2))
    engine.call("fl_status", "0001-v1", "proven")
    state = look(engine)
    assert [(k.id, k.status.value, k.tag) for k in state.releases] == [
        ("0002-v2", "prepared", "v2"),
        ("0001-v1", "proven", "v1"),
    ]
    assert [(b.stamp, b.release, b.sequence) for b in state.backups] == [
        ("20251202-143022", "0001-v1", 2)
    ]
    assert state.files == ("abc",)
    assert state.last_audit == '{"event":"deploy"}'
    assert (state.lock.who, state.lock.doing) == ("ada@laptop", "deploy v2")
    assert not state.lock.expired


def test_data_whose_restore_never_ended_are_told(engine):
    """rollback.sh keeps no journal; the mark that it leaves is all there is."""
    engine.run('mkdir -p "$FL_BASE/backups"; : >"$FL_BASE/backups/.restored.main-db"')
    assert look(engine).half_restored == ("main-db",)


def test_a_backup_whose_record_of_data_is_gone_or_cut_off_is_told_as_broken(engine):
    """One of files alone is whole; one that should hold data, and cannot say which, is not."""
    backups = {"1-files": None, "2-missing": "", "3-cut": '{"schema":1,"taken":17', "4-other": "[]"}
    for number, (stamp, text) in enumerate(backups.items()):
        folder = engine.base / "backups" / stamp
        (folder / "data").mkdir(parents=True) if text is not None else folder.mkdir(parents=True)
        (folder / "sequence").write_text(f"{number}\n")
        if text:
            (folder / "data/manifest.json").write_text(text)
    broken = {one.stamp: one.broken for one in look(engine).backups}
    assert broken == {"1-files": False, "2-missing": True, "3-cut": True, "4-other": True}
