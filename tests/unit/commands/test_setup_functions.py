"""What host.setup decides before it installs anything. The installation itself is for the lab."""

import pytest

APT = {
    "bookworm": {"docker-compose": "1.29.2-3", "docker.io": "20.10.24"},
    "trixie": {"docker-compose": "2.26.1-4", "docker.io": "26.1.5", "docker-cli": "26.1.5"},
    "noble": {"docker-compose": "1.29.2", "docker-compose-v2": "2.27.1+ds1-0ubuntu1"},
    "with Docker's repository": {"docker-compose-plugin": "5:2.40.0-1", "docker-compose": "1.29.2"},
}


@pytest.fixture
def fresh(shell):
    """A fresh server whose apt knows what `fresh.knows(...)` says."""

    def knows(packages):
        lines = [f'{name}) echo "  Candidate: {v}" ;;' for name, v in packages.items()]
        shell.tool("apt-cache", "\n".join(['case "$2" in', *lines, "esac"]))

    shell.ask = shell.run
    shell.knows = knows
    return shell


@pytest.mark.parametrize(
    ("release", "package"),
    [
        ("bookworm", ""),
        ("trixie", "docker-compose"),
        ("noble", "docker-compose-v2"),
        ("with Docker's repository", "docker-compose-plugin"),
    ],
)
def test_compose_comes_from_the_first_package_that_is_new_enough(fresh, release, package):
    fresh.knows(APT[release])
    done = fresh.ask("fl_compose_package 2.24 || echo none")
    assert done.out.strip() == (package or "none")


def test_the_engine_comes_from_where_compose_comes_from(fresh):
    fresh.knows(APT["trixie"])
    from_debian = fresh.ask("fl_engine_packages docker-compose").out.split()
    assert from_debian[:3] == ["docker.io", "docker-cli", "docker-compose"]
    fresh.knows(APT["noble"])
    assert "docker-cli" not in fresh.ask("fl_engine_packages docker-compose-v2").out.split()
    from_docker = fresh.ask("fl_engine_packages docker-compose-plugin").out.split()
    assert from_docker == ["docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"]


@pytest.mark.parametrize(
    ("version", "enough"),
    [("2.24.0", 0), ("2.24", 0), ("2.26.1-4", 0), ("10.0", 0), ("2.9.9", 1), ("1.29.2", 1)],
)
def test_versions_are_compared_as_numbers(fresh, version, enough):
    assert fresh.ask(f"fl_at_least {version} 2.24").code == enough


def test_who_is_not_root_changes_nothing(fresh):
    done = fresh.ask("id() { echo 1000; }\nfl_setup_docker 2.24")
    assert (done.code, done.err) == (1, "this needs root\n")


def test_docker_and_compose_that_will_do_are_left_alone(fresh):
    fresh.tool("dockerd", "exit 9")
    fresh.tool("apt-get", "echo apt was asked >&2; exit 9")
    fresh.tool(
        "docker",
        'case "$1" in compose) echo v2.31.0 ;; --version) echo "Docker version 27.3.1, build x" ;; '
        "esac",
    )
    done = fresh.ask("id() { echo 0; }\nfl_setup_docker 2.24")
    assert done.marks == ["@setup had Docker 27.3.1, Compose v2.31.0"]
    assert done.code == 0
