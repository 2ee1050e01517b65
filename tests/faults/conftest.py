"""The fault matrix: options, the application that is struck, and the table at the end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import matrix
from tests.faults.invariants import KEY, VALUE, in_redis
from tests.faults.scene import LEASE, OLD
from tests.lab.conftest import hosts, image, lab, project  # noqa: F401  fixtures
from tests.lab.project import COMPOSE, SMOKE, Project

SERVICE = "    env_file: .env\n    ports"
LATE = '    command: ["sh", "-c", "sleep .4; exec python -m agentic.api"]\n'
# Other hosts use the Redis of the first, which outlives a host that is killed.
PORT = 16479
REDIS = '    healthcheck:\n      test: ["CMD", "redis-cli", "ping"]'
KEPT = ('"--appendonly", "no"', '"--appendonly", "yes"')
FILL = "eval \"for i=1,5000 do redis.call('set', 'k'..i, 'v'..i) end\" 0"
DATA = """
[[backup.data]]
name = "cache"
kind = "redis"
service = "redis"
required = true
"""
MIGRATION = """
[migrate]
service = "api"
command = "sh -c 'echo migrating; sleep .7'"
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--cases", default="few", help="all, sample, few, or parts of names")
    group.addoption("--fault-hosts", type=int, default=2, help="hosts; one is struck")
    group.addoption("--count", type=int, default=18, help="cases of a sample")
    group.addoption("--seed", type=int, default=0, help="of the sample, and of random kills")
    group.addoption("--minutes", type=float, default=0.0, help="of random kills; 0: none")
    group.addoption("--tried", type=Path, help="a file that keeps what runs in parts have tried")
    group.addoption("--write", action="store_true", help="write the table into docs/why/faults.md")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        options = (metafunc.config.getoption(one) for one in ("--cases", "--seed", "--count"))
        metafunc.parametrize("case", matrix.chosen(*options), ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Random kills run alone, and only when asked for: they take as long as they are given."""
    minutes = config.getoption("--minutes")
    chosen = [item for item in items if ("test_random" in item.nodeid) == bool(minutes)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    for item in chosen:
        if minutes:
            item.add_marker(pytest.mark.timeout(minutes * 60 + 300))
    items[:] = chosen


MakeApp = Callable[[str], Project]


@pytest.fixture(scope="module")
def struck(project, image, hosts, request) -> MakeApp:  # noqa: F811
    """`struck("name")`: the application that faults strike; v1 is live, v2 can be deployed.

    One that is prepared has hosts of its own: an image that two use is not pulled again.
    """
    made: dict[str, Project] = {}
    count = request.config.getoption("--fault-hosts")

    def make(name: str, prepare: Callable[[Project], None] | None = None) -> Project:
        if name not in made:
            ours = hosts(2 * count)[count:] if prepare else hosts(count)
            one: Project = project(
                name,
                hosts=ours,
                worker=True,
                compose=COMPOSE.replace(SERVICE, LATE + SERVICE)
                .replace(REDIS, f'    ports: ["{PORT}:6379"]\n{REDIS}')
                .replace(*KEPT),
                variables={"REDIS_URL": f"redis://{ours[0].address}:{PORT}/0"},
                more=DATA + MIGRATION,
                smoke=SMOKE,
                drain_timeout="4s",
                keep_warm="20s",
                lock_lease=f"{LEASE:g}s",
            )
            if prepare:
                prepare(one)
            image("v2")
            one.deploy(image(OLD)).ok()
            in_redis(one, FILL)
            assert in_redis(one, f"GET {KEY}") == VALUE
            made[name] = one
        return made[name]

    return make


@pytest.fixture(scope="module")
def app(struck) -> Project:
    """The application on an ordinary host."""
    return struck("struck")


@pytest.fixture(scope="module")
def cramped(struck) -> Iterator[Project]:
    """The application on hosts with small file systems, which can be filled: /opt, the router's
    folder in it, and /tmp."""
    small = (("/opt", "160m", "755"), ("/opt/fairlead", "16m", "755"), ("/tmp", "8m", "1777"))

    def prepare(one: Project) -> None:
        for host in one.hosts:
            mounts = " && ".join(
                f"mkdir -p {folder} && mount -t tmpfs"
                f" -o size={size},mode={mode},uid=$(id -u deploy),gid=$(id -g deploy)"
                f" tmpfs {folder}"
                for folder, size, mode in small
            )
            host.must(f"docker rm -f fairlead-router; {mounts}", user="root")

    one = struck("cramped", prepare)
    yield one
    one.clear()
    for host in one.hosts:
        folders = " ".join(folder for folder, *_ in reversed(small))
        host.run(f"docker rm -f fairlead-router; umount -l {folders}", user="root")


@pytest.fixture(scope="session", autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """The table, when all is done."""
    yield
    options = request.config.getoption
    tried = matrix.kept(options("--tried")) if options("--tried") else matrix.TRIED
    if tried:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print("\n\n" + matrix.table(tried))
        if options("--write"):
            note = f"{len(tried)} cases, {options('--fault-hosts')} hosts, {os.cpu_count()} cores."
            matrix.write(tried, note)
