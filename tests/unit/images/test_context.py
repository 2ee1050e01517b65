"""BuildKit gets a copy of what git knows: no private file, and the same from every clone."""

import os
import subprocess
from pathlib import Path

import pytest

from fairlead.errors import PreconditionError
from fairlead.images.context import copied, place
from fairlead.images.recipe import Buildable
from fairlead.images.revision import read_revision, require_unchanged

WHEN = 1_700_000_000


def git(root, *words):
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    allow = ("-c", "protocol.file.allow=always")
    environ = {**os.environ, "GIT_COMMITTER_DATE": f"{WHEN} +0000"}
    subprocess.run(["git", *who, *allow, *words], cwd=root, check=True, env=environ)


def write(root, **files):
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def root(tmp_path):
    top = tmp_path / "first"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, Dockerfile="FROM scratch\n", app__main="print()\n", app__run="#!/bin/sh\n")
    (top / "app/run").chmod(0o775)
    (top / "app/link").symlink_to("main")
    (top / ".gitignore").write_text("dist/\n.env\n")
    git(top, "add", ".")
    git(top, "commit", "-qm", "first")
    return top


def recipe(root, context=".", dockerfile="Dockerfile", generated=()):
    folder = (root / context).resolve()
    return Buildable(
        name="api",
        services=("api",),
        image="",
        context=folder,
        dockerfile=(folder / dockerfile).resolve(),
        generated=generated,
    )


def seen(root, one=None):
    """Path in the copied context → (mode, time, content), as BuildKit gets to see it; a time after
    the commit's is the commit's."""
    one = one or recipe(root)
    with copied(root, [one], WHEN):
        top = place(root, one).context
        assert place(root, one).dockerfile.is_file()
        return {str(path.relative_to(top)): told(path) for path in sorted(top.rglob("*"))}


def told(path):
    there = path.lstat()
    if path.is_symlink():
        content = os.readlink(path)
        return "link", min(int(there.st_mtime), WHEN), content
    content = path.read_bytes() if path.is_file() else b""
    return oct(there.st_mode & 0o777), min(int(there.st_mtime), WHEN), content


def test_two_clones_are_seen_the_same(root):
    """Files edited before the commit are older than it; a clone's are newer, with its own umask."""
    for path in root.rglob("[!.]*"):
        os.utime(path, (WHEN - 86_400, WHEN - 86_400), follow_symlinks=False)
    second = root.with_name("second")
    before = os.umask(0o077)
    try:
        git(root.parent, "clone", "-q", str(root), str(second))
        there = seen(second)
    finally:
        os.umask(before)
    assert seen(root) == there
    assert there["app/run"][0] == "0o755"
    assert there["app/main"] == ("0o644", WHEN, b"print()\n")


def test_what_git_ignores_is_not_there(root):
    write(root, dist__page="built", **{".env": "KEY=x", ".fairlead__images__blob": "layer"})
    write(root, **{".env.production": "KEY=y", "new": "not added yet", "app__.env": "KEY=z"})
    git(root, "add", "--force", "app/.env")
    assert set(seen(root)) == {
        *("Dockerfile", ".gitignore", "app", "app/main", "app/run", "app/link", "new"),
        "app/.env",  # whoever commits one means it
    }


def test_what_is_generated_is_there_when_it_is_named(root):
    write(root, dist__page="built", dist__more__page="deep")
    found = seen(root, recipe(root, generated=("dist",)))
    assert {"dist/page", "dist/more/page"} <= set(found)


def test_a_deleted_file_and_an_edit(root):
    (root / "app/main").unlink()
    write(root, app__run="changed")
    found = seen(root)
    assert "app/main" not in found
    assert found["app/run"][2] == b"changed"


def test_a_submodule_is_part_of_it(root):
    part = root.with_name("part")
    part.mkdir()
    git(part, "init", "-q")
    write(part, lib="x")
    git(part, "add", ".")
    git(part, "commit", "-qm", "part")
    git(root, "submodule", "--quiet", "add", str(part), "vendor/part")
    git(root, "commit", "-qm", "with a part")
    assert "vendor/part/lib" in seen(root)


def test_a_dockerfile_outside_the_context_is_copied_beside_it(root):
    write(root, docker__api="FROM scratch\n", **{"docker__api.dockerignore": "main\n"})
    one = recipe(root, "app", "../docker/api")
    with copied(root, [one], WHEN):
        file = place(root, one).dockerfile
        assert file.read_text() == "FROM scratch\n"
        assert file.with_name(file.name + ".dockerignore").read_text() == "main\n"


def test_an_edit_while_it_builds_changes_nothing_and_no_copy_stays(root):
    one = recipe(root)
    with copied(root, [one], WHEN):
        write(root, app__main="edited")
        assert (place(root, one).context / "app/main").read_text() == "print()\n"
    assert not list(root.glob(".fairlead/context"))


def test_an_edit_while_it_is_copied_is_refused(root):
    revision = read_revision(root, "main", {})
    with copied(root, [recipe(root)], WHEN):
        require_unchanged(revision, root, {})
        write(root, app__main="edited")
        with pytest.raises(PreconditionError, match="changed while it was read"):
            require_unchanged(revision, root, {})


@pytest.mark.parametrize("context", ["dist", "../elsewhere"])
def test_a_context_that_git_does_not_know_is_refused(root, context):
    (root / context).mkdir()
    write(root / context, Dockerfile="FROM scratch\n")
    with (
        pytest.raises(PreconditionError, match="its build context"),
        copied(root, [recipe(root, context)], WHEN),
    ):
        pass
    assert not Path(root, ".fairlead/context").exists()
