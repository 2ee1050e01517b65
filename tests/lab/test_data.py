"""Law 7 for data: what a release destroys comes back, as it was when its backup was taken."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.lab import postgres
from tests.lab.hosts import wait_for
from tests.lab.project import COMPOSE

ROWS = 100_000
SERVICES = """
  postgres:
    image: ${LAB_REGISTRY}/postgres:17
    environment: {POSTGRES_PASSWORD: "${PGPASSWORD}", POSTGRES_DB: shop}
    healthcheck: {test: ["CMD", "psql", "-Upostgres", "shop", "-c", ""], interval: 1s, retries: 20}
  writer:
    image: ${LAB_REGISTRY}/postgres:17
    env_file: .env
    environment: {PGHOST: postgres, PGUSER: postgres, PGDATABASE: shop, PGPASSWORD: "${PGPASSWORD}"}
    command: [sh, -c, 'WRITES']
    stop_grace_period: 1s
  cacher:
    image: ${LAB_REGISTRY}/redis:8
    command: [sh, -c, 'CACHES']
    stop_grace_period: 1s
"""
# Each start of a writer has a name of its own, so that what it wrote can be told from the rest.
WRITES = 'boot=$$(date +%s%N); while :; do psql -qc "insert into {what}" || :; sleep 0.05; done'
OLD = WRITES.format(what="items (boot, value) values ($$boot, 1)")
NEW = WRITES.format(what="items (boot) values ($$boot)")
CACHES = (
    "boot=$$(date +%s%N); n=0; {first} while :; do n=$$((n+1)); "
    "redis-cli -h redis set written:$$boot:$$n $$n; sleep 0.05; done"
)
DESTROYS = "redis-cli -h redis flushall;"
CREATION = "create table if not exists items (id bigserial primary key, boot bigint, value text)"
IRREVERSIBLE = "irreversible = true\n"
DATA = f"""
[backup]
keep = 3
on_failure = "tee told.txt"

[[backup.data]]
name = "cache"
kind = "redis"
service = "redis"
required = true
verify = "GET k7"
expect = "v7"

[[backup.data]]
name = "main"
kind = "postgres"
service = "postgres"
database = "shop"
required = true
verify = "select count(*) >= 100000 from items where value is not null"
expect = "t"

[services.postgres]
stateful = true
roles = ["data"]

[services.writer]
roles = ["web"]

[migrate]
service = "writer"
command = "psql -qc '{CREATION}'"
"""
SUM = "select count(*), md5(string_agg(id || ':' || value, ',' order by id)) from items where {}"
DESTRUCTION = "alter table items drop column if exists value"


def compose(writes: str, caches: str) -> str:
    text = SERVICES.replace("WRITES", writes).replace("CACHES", CACHES.format(first=caches))
    return COMPOSE + text


@pytest.fixture(scope="module")
def app(lab, project, image):
    """Release 1 is live, with 100,000 rows in each store, and its writers go on writing."""
    postgres.provide(lab)
    app = project("data", compose=compose(OLD, ""), more=DATA, smoke="", keep_warm="2m")
    app.variables = {"PGPASSWORD": "hunter2-pg"}
    app.write()
    app.deploy(image("v1")).ok()
    sql(app, f"insert into items (value) select md5(g::text) from generate_series(1, {ROWS}) g")
    redis(app, f"seq 1 {ROWS} | sed 's/.*/SET k& v&/' | redis-cli --pipe")
    wait_for(lambda: redis(app, "redis-cli dbsize") > str(ROWS), 10, "the writers write")
    return app


def container(app, service):
    filters = f"--filter label=fairlead.key={app.key} --filter label=fairlead.service={service}"
    return app.hosts[0].must(f"docker ps -q {filters} --filter status=running | head -n 1")


def sql(app, text):
    found = container(app, "postgres")
    return app.hosts[0].must(f"docker exec -i {found} psql -U postgres shop -qAtX", stdin=text)


def redis(app, line):
    return app.hosts[0].must(f"docker exec {container(app, 'redis')} sh -c {json.dumps(line)}")


@pytest.fixture(scope="module")
def stamp(app, image):
    """The backup taken before release 2, which destroys a column and the cache and is live now."""
    app.more = DATA.replace(CREATION, DESTRUCTION) + IRREVERSIBLE
    app.compose = compose(NEW, DESTROYS)
    app.write()
    done = app.deploy(image("v2")).ok()
    assert done.result["release"] == "0002-v2"
    (taken,) = stamps(app)
    columns = "select column_name from information_schema.columns where table_name = 'items'"
    assert sql(app, columns).split() == ["id", "boot"]
    assert redis(app, "redis-cli exists k7") == "0"
    return taken


def stamps(app):
    """The backups with data, newest first."""
    out = app.hosts[0].must(f"cd {app.base}/backups && ls -d */data 2>/dev/null || :")
    return sorted((line.removesuffix("/data") for line in out.splitlines()), reverse=True)


def steps_of(plan):
    listed = next(line for line in plan.ok().lines if line["type"] == "plan")
    return [step["name"] for step in listed["steps"]]


def dumped_rows(app, stamp):
    """Count, checksum and writers of the rows in a dump: read by Postgres' own tools alone."""
    inside = f"docker exec -i {container(app, 'postgres')}"
    app.hosts[0].must(
        f"{inside} createdb -U postgres looked && gunzip -c {app.base}/backups/{stamp}/data/main.gz"
        f" | {inside} pg_restore -U postgres -d looked"
    )
    ask = f"{inside} psql -U postgres looked -qAtX"
    total = app.hosts[0].must(ask, stdin=SUM.format("true"))
    writers = app.hosts[0].must(ask, stdin="select distinct boot from items where boot > 0")
    app.hosts[0].must(f"{inside} dropdb -U postgres looked")
    return total, writers.split()


def dumped_keys(app, stamp):
    """Every key and value of a dump: read by a Redis that this test starts."""
    inside = f"docker exec -i {container(app, 'redis')}"
    app.hosts[0].must(
        f"gunzip -c {app.base}/backups/{stamp}/data/cache.gz | {inside} sh -c 'cat >/tmp/a.rdb'"
        f" && {inside} redis-server --port 7000 --dir /tmp --dbfilename a.rdb --daemonize yes"
    )
    wait_for(lambda: redis(app, "redis-cli -p 7000 ping 2>&1") == "PONG", 10, "the dump is loaded")
    found = pairs(app, "-p 7000")
    redis(app, "redis-cli -p 7000 shutdown nosave || :")
    return found


def pairs(app, flags=""):
    line = (
        f"redis-cli {flags} --scan >/tmp/keys; sed 's/^/GET /' /tmp/keys | "
        f"redis-cli {flags} >/tmp/values; paste /tmp/keys /tmp/values"
    )
    return dict(line.split("\t") for line in redis(app, line).splitlines())


def test_a_rollback_across_an_irreversible_migration_demands_the_data(app, stamp):
    """Exit 4, the release named, the command told, nothing touched; on the host, too."""
    refused = app.inv("rollback", "--quick", "--json")
    assert refused.code == 4, refused
    assert "the migration of 0002-v2 is irreversible" in refused.error["what"]
    assert "--with-data" in refused.error["next"]
    on_host = app.hosts[0].run(f"sh {app.base}/deploy/rollback.sh --quick")
    assert on_host.code == 4, on_host
    assert "irreversible" in on_host.err
    assert "--with-data" in on_host.err
    assert app.serving() == "v2"


def test_rows_and_checksums_equal_the_backups_moment(app, stamp):
    """rollback --with-data under writes: what writes is stopped, both stores are as they were."""
    rows, writers = dumped_rows(app, stamp)
    keys = dumped_keys(app, stamp)
    assert int(rows.split("|")[0]) > ROWS, "the writers wrote nothing: proves nothing"
    assert sum(1 for key in keys if key.startswith("written:")) > 0
    planned = app.inv("rollback", "--quick", "--with-data", "--plan", "--json")
    order = steps_of(planned)
    wanted = ["check", "backup", "stop", "restore", "start", "health", "switch"]
    assert [name for name in order if name in wanted] == wanted
    done = app.inv("rollback", "--quick", "--with-data", "--json").ok()
    print(f"rollback --with-data: {done.seconds:.1f} s, {done.result['seconds']}")
    assert done.result["release"] == "0001-v1"
    assert app.serving() == "v1"
    known = ",".join(writers)
    assert sql(app, SUM.format(f"boot is null or boot in ({known})")) == rows
    now = pairs(app)
    old = {key.split(":")[1] for key in keys if key.startswith("written:")}
    of_then = {
        key: value
        for key, value in now.items()
        if not key.startswith("written:") or key.split(":")[1] in old
    }
    assert of_then == keys
    assert "irreversible" not in app.hosts[0].must(f"ls {app.base}/releases/0002-v2")
    line = app.hosts[0].audit(app.app)[-1]
    assert (line["event"], line["outcome"], line["data_of"]) == ("rollback", "done", stamp)
    assert line["data_before"] == stamps(app)[0], "what was there before is in a backup of its own"


def test_it_works_on(app, image):
    """The restored stores take writes; the same release can be deployed again."""
    before = int(sql(app, "select count(*) from items"))
    wait_for(lambda: int(sql(app, "select count(*) from items")) > before, 10, "rows are written")
    wait_for(lambda: any(k.startswith("written:") for k in pairs(app)), 10, "keys are written")
    assert redis(app, "redis-cli info replication | grep role").strip() == "role:master"


def test_a_restore_that_fails_leaves_the_data_and_says_so(app):
    """A dump that cannot be restored: exit 5, old data and release there, nothing in between."""
    host = app.hosts[0]
    app.inv("backups.take", "--json").ok()
    newest = stamps(app)[0]
    folder = f"{app.base}/backups/{newest}"
    before = sql(app, SUM.format("boot is null"))
    # Whole by its checksums, and no dump of Postgres: as a defect of ours would make it.
    file = "data/manifest.json"
    size = f'sed -i \'s/\\("name":"main"[^}}]*"bytes":\\)[0-9]*/\\1\'$(wc -c <data/main.gz)/ {file}'
    host.must(
        f"cd {folder} && echo nonsense | gzip >data/main.gz && {size} && "
        "find . -type f ! -name SHA256SUMS -exec sha256sum {} + >SHA256SUMS"
    )
    failed = app.inv("rollback", f"--to={newest}", "--with-data", "--json")
    assert failed.code == 5, failed
    why = " ".join(failed.error["why"])
    assert "the data of main could not be restored; they are as they were" in why
    assert sql(app, SUM.format("boot is null")) == before
    assert redis(app, "redis-cli exists k7") == "1"
    assert app.serving() == "v1"
    host.must(f"rm -rf {folder}")
    listed = sql(app, "select datname from pg_database")
    assert "shop_fl" not in listed, listed


def test_verify_restores_and_asks(app):
    """Each dump in a throwaway container answers what the project asks; nothing is left of it."""
    app.inv("backups.take", "--json").ok()
    done = app.inv("backups.verify", "--restore", "--json").ok()
    assert done.result["outcome"] == "passed"
    table = next(line for line in done.lines if line["type"] == "table")
    assert [(row["what"], row["outcome"]) for row in table["rows"]] == [
        ("checked", "passed"),
        ("restored cache", "passed"),
        ("restored main", "passed"),
    ]
    left = app.hosts[0].must("docker ps -aq --filter label=fairlead.throwaway")
    assert left == ""


def change(app, stamp, line):
    """A copy of a backup under another name, changed by a line of shell in its folder."""
    name = "20200101-000000"
    app.hosts[0].must(
        f"cd {app.base}/backups && rm -rf {name} && cp -a {stamp} {name} && cd {name} && {line}"
    )
    return name


def test_a_harmed_backup_is_refused_with_its_reason(app):
    """By verify, exit 1, `on_failure` told; by a rollback to it, before anything is touched.

    All that can be wrong with one: tests/unit/commands/test_backup_functions.py.
    """
    flip = "printf X | dd of=data/main.gz bs=1 seek=99 conv=notrunc 2>/dev/null"
    name = change(app, stamps(app)[0], flip)
    reason = "checksums do not match: data/main.gz"
    refused = app.inv("backups.verify", f"--backup={name}", "--json")
    assert refused.code == 1, refused
    assert reason in " ".join(refused.result["faults"])
    assert reason in (app.folder / "told.txt").read_text(), "on_failure was not told"
    back = app.inv("rollback", f"--to={name}", "--with-data", "--json")
    assert back.code == 1, back
    assert reason in " ".join(back.error["why"])
    app.hosts[0].must(f"rm -rf {app.base}/backups/{name}")
    assert app.serving() == "v1"


def test_an_old_backup_is_refused(app):
    """26 h by the host's own clock, 25 h are allowed; a path in its name is refused before."""
    host = app.hosts[0]
    newest = stamps(app)[0]
    file = f"{app.base}/backups/{newest}/data/manifest.json"
    aged = f'sed -i \'s/"taken":[0-9]*/"taken":\'$(($(date +%s) - 26 * 3600))/ {file}'
    host.must(
        f"cp {file} /tmp/data-manifest && {aged} && cd {app.base}/backups/{newest} && "
        "find . -type f ! -name SHA256SUMS -exec sha256sum {} + >SHA256SUMS"
    )
    old = app.inv("backups.verify", "--json")
    assert old.code == 1
    assert "it is 26.0 h old, at most 25 h are allowed" in " ".join(old.result["faults"])
    outside = app.inv("backups.verify", "--backup=../../etc", "--json")
    assert outside.code == 2
    assert "names no release" in outside.error["what"]


def test_a_copy_is_whole_where_it_is(app, tmp_path):
    """Streamed to this machine, by its checksums the same; unreadable for others."""
    newest = stamps(app)[0]
    done = app.inv("backups.copy", f"--to={tmp_path}/copies", "--json").ok()
    (place,) = map(Path, done.result["copies"])
    assert place == tmp_path / "copies" / app.key / app.hosts[0].name / newest
    checked = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=place, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked
    assert place.stat().st_mode & 0o077 == 0


def test_prune_leaves_what_a_rollback_needs(app):
    """`keep = 3`: the newest and those of kept releases stay; --plan removes none."""
    before = stamps(app)
    assert len(before) > 3, before
    assert app.inv("backups.prune", "--plan", "--json").ok()
    assert stamps(app) == before
    app.inv("backups.prune", "--json").ok()
    assert stamps(app) == before[:3]
    listed = app.inv("backups.list", "--json").ok()
    table = next(line for line in listed.lines if line["type"] == "table")
    assert {row["backup"] for row in table["rows"] if row["data"]} == set(before[:3])
    assert {row["data"] for row in table["rows"] if row["data"]} == {"cache, main"}


def test_the_host_alone_goes_back_with_its_data(app, image):
    """deploy/rollback.sh --quick --with-data: no program, no registry; the audit names the host."""
    app.deploy(image("v2"), "--skip-backup=the tests before took one").ok()
    line = app.hosts[0].audit(app.app)[-1]
    assert line["skipped_backup"] == "the tests before took one"
    assert app.serving() == "v2"
    done = app.hosts[0].run(f"sh {app.base}/deploy/rollback.sh --quick --with-data", timeout=120)
    assert done.code == 0, done
    assert "restoring the data of" in done.out
    assert app.serving() == "v1"
    assert int(sql(app, "select count(*) from items where value is not null")) >= ROWS
    assert redis(app, "redis-cli get k7") == "v7"
    assert app.inv("status").ok()
