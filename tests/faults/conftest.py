"""The fault matrix: options, the application that is struck, and the table at the end."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.faults import matrix
from tests.faults.scene import LEASE, OLD
from tests.lab.conftest import hosts, image, lab, project  # noqa: F401  fixtures
from tests.lab.project import COMPOSE, SMOKE, Project

SERVICE = "    env_file: .env\n    ports"
LATE = '    command: ["sh", "-c", "sleep .4; exec python -m agentic.api"]\n'
MIGRATION = """
[migrate]
service = "api"
command = "sh -c 'echo migrating; sleep .7'"
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--cases", default="sample", help="all, sample, or a part of a case's name")
    group.addoption("--fault-hosts", type=int, default=1, help="hosts; the last one is struck")
    group.addoption("--count", type=int, default=18, help="cases of a sample")
    group.addoption("--seed", type=int, default=0, help="of the sample, and of random kills")
    group.addoption("--minutes", type=float, default=0.0, help="of random kills; 0: none")
    group.addoption("--write", action="store_true", help="write the table into docs/why/faults.md")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--cases")
        seed, count = (metafunc.config.getoption(name) for name in ("--seed", "--count"))
        cases = matrix.sample(seed, count) if wanted == "sample" else matrix.every()
        if wanted not in ("sample", "all"):
            cases = [case for case in cases if wanted in str(case)]
        metafunc.parametrize("case", cases, ids=str)


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
            one: Project = project(
                name,
                hosts=hosts(2 * count)[count:] if prepare else hosts(count),
                worker=True,
                compose=COMPOSE.replace(SERVICE, LATE + SERVICE),
                more=MIGRATION,
                smoke=SMOKE,
                drain_timeout="4s",
                keep_warm="20s",
                lock_lease=f"{LEASE:g}s",
            )
            if prepare:
                prepare(one)
            image("v2")
            one.deploy(image(OLD)).ok()
            made[name] = one
        return made[name]

    return make


@pytest.fixture(scope="module")
def app(struck) -> Project:
    """The application on an ordinary host."""
    return struck("struck")


@pytest.fixture(scope="module")
def cramped(struck) -> Iterator[Project]:
    """The application whose folder has a small file system of its own, which can be filled."""

    def prepare(one: Project) -> None:
        folder = f"/opt/{one.app}"
        for host in one.hosts:
            host.must(
                f"mkdir -p {folder} && mount -t tmpfs -o size=64m,mode=755,uid=$(id -u deploy)"
                f" tmpfs {folder}",
                user="root",
            )

    one = struck("cramped", prepare)
    yield one
    for host in one.hosts:
        host.run(f"umount -l /opt/{one.app}", user="root")


@pytest.fixture(scope="session", autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """The table, when all is done."""
    yield
    if matrix.TRIED:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print("\n\n" + matrix.table(matrix.TRIED))
        if request.config.getoption("--write"):
            matrix.write(
                matrix.TRIED,
                f"{len(matrix.TRIED)} cases, {request.config.getoption('--fault-hosts')} host(s), "
                f"{os.cpu_count()} cores.",
            )
