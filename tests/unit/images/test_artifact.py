"""A packaged artifact is its commit, byte for byte, and nothing of the machine."""

import hashlib
import subprocess
import tarfile

import pytest

from fairlead.config.build import Artifact
from fairlead.errors import PreconditionError
from fairlead.images.artifact import make
from fairlead.images.revision import read_revision


def git(root, *words):
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


OPTIONS = ("-e ./local", "-r more.txt", "--editable=./local", "-c limits.txt", "--requirement=a")
FILES = {
    "app/main.py": "print('hello')\n",
    "app/test_main.py": "assert True\n",
    "tests/test_all.py": "assert True\n",
    "conftest.py": "\n",
    "requirements.txt": "# ours\nflask==3.0.1 \\\n    --hash=sha256:aa\n"
    "redis[hiredis]==5.0.1 ; python_version > '3'\n",
    "VERSION": "1.4.0\n",
}


def repository(root, **changes):
    for name, text in (FILES | changes).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "--all")
    git(root, "commit", "-qm", "first", "--date=2026-01-02T03:04:05Z")
    return root


def made(root, settings=None):
    return make(root, "shop", read_revision(root, "main", {}), settings or Artifact())


def names(file):
    with tarfile.open(file) as archive:
        return [entry.name for entry in archive]


def test_the_same_commit_gives_the_same_bytes(tmp_path):
    first = repository(tmp_path / "a")
    (first / "app/main.py").chmod(0o600)
    git(first, "update-index", "--refresh")
    git(tmp_path, "clone", "-q", str(first), "b")
    assert made(first).file.read_bytes() == made(tmp_path / "b").file.read_bytes()


def test_tests_stay_out_and_the_version_is_in(tmp_path):
    result = made(repository(tmp_path))
    top = "shop-1.4.0"
    assert names(result.file) == [f"{top}/VERSION", f"{top}/app/main.py", f"{top}/requirements.txt"]
    assert (result.files, result.requirements) == (3, 2)


def test_the_sum_beside_it_is_right(tmp_path):
    result = made(repository(tmp_path))
    total = hashlib.sha256(result.file.read_bytes()).hexdigest()
    assert result.sum_file.read_text() == f"{total}  {result.file.name}\n"


def test_without_a_version_file_the_commit_is_the_version(tmp_path):
    root = repository(tmp_path)
    git(root, "rm", "-q", "VERSION")
    git(root, "commit", "-qm", "no version")
    commit = read_revision(root, "main", {}).commit
    assert made(root).file.name == f"shop-0.0.0+g{commit[:12]}.tar.gz"


@pytest.mark.parametrize(
    "line", ["flask", "flask>=3", "flask==3.*", "flask==3,!=3.1", "./local", *OPTIONS]
)
def test_what_is_not_pinned_is_refused(tmp_path, line):
    root = repository(tmp_path, **{"requirements.txt": f"redis==5.0.1\n{line}\n"})
    with pytest.raises(PreconditionError, match="does not pin"):
        made(root)


def test_a_changed_tree_is_refused(tmp_path):
    root = repository(tmp_path)
    (root / "app/main.py").write_text("changed\n")
    with pytest.raises(PreconditionError, match="uncommitted changes"):
        made(root)


def test_options_that_install_nothing_may_stay(tmp_path):
    text = "--index-url https://pypi.test/simple\n--require-hashes\nredis==5.0.1 --hash=sha256:aa\n"
    assert made(repository(tmp_path, **{"requirements.txt": text})).requirements == 3


UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "shop"
version = "1.4.0"
source = { virtual = "." }
"""
PROJECT = '[project]\nname = "shop"\nversion = "1.4.0"\nrequires-python = ">=3.11"\n'


def test_a_lock_file_is_exported_by_its_tool(tmp_path):
    """Of a project that needs nothing, so that no index is asked."""
    root = repository(tmp_path, **{"uv.lock": UV_LOCK, "pyproject.toml": PROJECT})
    result = made(root)
    with tarfile.open(result.file) as archive:
        text = archive.extractfile("shop-1.4.0/requirements.txt").read().decode()
    assert result.requirements == 0
    assert "flask" not in text


def test_a_lock_file_whose_tool_is_not_here_is_not_passed_over(tmp_path, monkeypatch):
    """requirements.txt may say something else."""
    root = repository(tmp_path, **{"uv.lock": UV_LOCK})
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(PreconditionError, match=r"uv\.lock says what is pinned") as caught:
        made(root)
    assert "install uv" in caught.value.next_step
    assert made(root, Artifact(requirements="requirements.txt")).requirements == 2


def test_a_pattern_s_star_stays_in_a_folder(tmp_path):
    root = repository(tmp_path, **{"app/data/one.csv": "1\n", "app/two.csv": "2\n"})
    kept = names(made(root, Artifact(exclude=("app/*.csv",))).file)
    assert "shop-1.4.0/app/data/one.csv" in kept
    assert "shop-1.4.0/app/two.csv" not in kept


def test_what_is_there_is_replaced_whole(tmp_path):
    root = repository(tmp_path)
    first = made(root)
    assert made(root).sha256 == first.sha256
    assert sorted(one.name for one in first.file.parent.iterdir()) == [
        "shop-1.4.0.tar.gz",
        "shop-1.4.0.tar.gz.sha256",
    ]
