"""What the lab tests share: real hosts, images of the example, projects to deploy."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.hosts import ROOT, Host, Lab, read_lab
from tests.lab.project import Project

HERE = Path(__file__).parent
TIMEOUT = 300
# What a whole run leaves to `./scripts/test --long`: parts that the other tests use anyway, and
# what takes minutes.
LONG = (
    "images/test_build_and_push.py",
    "images/test_build_interrupted.py",
    "images/test_changed_of_45.py",
    "images/test_cut.py",
    "images/test_gates_opened.py",
    "images/test_gaming.py",
    "images/test_own_example.py",
    "images/test_scan_of_build.py",
    "images/test_via_ssh.py",
    "router/test_configuration.py",
    "router/test_health.py",
    "router/test_restart.py",
    "router/test_switch.py",
    "router/test_tls.py",
    "test_connection.py",
    "test_copies.py",
    "test_data.py",
    "test_docs.py",
    "test_host_tasks.py",
    "test_https.py",
    "test_suite_services.py",
    "test_two_applications.py",
    "test_unfinished_data.py",
    "test_volume.py",
    "test_workers.py",
)


@pytest.hookimpl(tryfirst=True)  # before pytest looks at -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the lab; a deploy takes longer than a unit test."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.lab)
            if str(item.path.relative_to(HERE)) in LONG:
                item.add_marker(pytest.mark.long)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that is up; the tests fail, saying how to start it, when there is none."""
    return read_lab()


@pytest.fixture(scope="session")
def hosts(lab: Lab) -> Callable[[int], tuple[Host, ...]]:
    """`hosts(2)`: that many hosts, always the same first ones.

    FAIRLEAD_LAB_HOSTS=host5,host6 names those that may be used, when several people test at once.
    """
    named = os.environ.get("FAIRLEAD_LAB_HOSTS", "")
    free = tuple(lab.host(name) for name in named.split(",")) if named else lab.hosts

    def take(count: int) -> tuple[Host, ...]:
        assert count <= len(free), f"{count} hosts are needed: ./scripts/lab up --hosts {count}"
        return free[:count]

    return take


@pytest.fixture(scope="session")
def image(lab: Lab) -> Callable[..., str]:
    """`image("v1")`, `image("v2", "oom")`: the tag of the example in the registry, built once."""
    built: set[tuple[str, str]] = set()

    def build(version: str, fault: str = "") -> str:
        tag = f"{version}-{fault}" if fault else version
        if (version, fault) not in built:
            words = [str(ROOT / "scripts/lab"), "image", tag, "--push"]
            words += [f"--fault={fault}"] if fault else []
            done = subprocess.run(words, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            built.add((version, fault))
        return tag

    return build


MakeProject = Callable[..., Project]


@pytest.fixture(scope="module")
def project(
    lab: Lab, hosts: Callable[[int], tuple[Host, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeProject]:
    """`project("hasty", hosts=2, strategy="rolling")`: its files written, nothing deployed yet.

    name: the application's, unique in a test run. hosts: how many, or which. Nothing of it is on
    the hosts before; nothing is left there after the module's tests.
    """
    made: list[Project] = []

    def make(name: str, hosts_: int | tuple[Host, ...] = 1, **options: Any) -> Project:
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name), name
        wanted = options.pop("hosts", hosts_)
        chosen = hosts(wanted) if isinstance(wanted, int) else wanted
        folder = tmp_path_factory.mktemp(name)
        one = Project(folder, lab, name, chosen, **options).write()
        made.append(one)
        one.clear()
        return one

    yield make
    for one in made:
        one.clear()
