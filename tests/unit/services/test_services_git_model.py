"""Whatever is done to a repository: what changed is what two looks at it differ in."""

from pathlib import Path
from tempfile import TemporaryDirectory

from git_repository import Repo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

FOLDERS = ("services/a", "services/a-b", "services/a/deep", "other")
SERVICES = """[
  {"name": "a", "path": "services/a", "depends_on": ["c"]},
  {"name": "b", "path": "services/a-b"},
  {"name": "c", "path": "services/a/deep"}
]"""
OWNED = {"a": "services/a/", "b": "services/a-b/", "c": "services/a/deep/"}
FILES = some.builds("{}/{}".format, some.sampled_from(FOLDERS), some.sampled_from("xyz"))
DEEDS = some.one_of(
    some.tuples(some.just("write"), FILES, some.sampled_from("12")),
    some.tuples(some.just("move"), FILES, FILES),
    some.tuples(some.just("remove"), FILES, some.just("")),
    some.tuples(some.sampled_from(["commit", "stage"]), some.just(""), some.just("")),
)


def look(root: Path) -> dict[str, str]:
    """Every file and what is in it."""
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def do(here: Repo, what: str, file: str, more: str) -> None:
    path = here.root / file
    if what == "commit":
        here.commit()
    elif what == "stage":
        here.git("add", "-A")
    elif what == "write":
        here.write(file, more)
    elif path.is_file() and what == "remove":
        path.unlink()
    elif path.is_file() and file != more:
        here.write(more, path.read_text())
        path.unlink()


def obvious(before: dict[str, str], now: dict[str, str]) -> set[str]:
    differ = {file for file in {*before, *now} if before.get(file) != now.get(file)}
    owners = {name for name, path in OWNED.items() if any(f.startswith(path) for f in differ)}
    return owners | ({"a"} if "c" in owners else set())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(FILES, max_size=6), some.lists(DEEDS, max_size=8))
def test_what_two_looks_differ_in_is_what_changed(first, deeds):
    with TemporaryDirectory() as name:
        here = Repo(Path(name))
        here.git("init", "-q", "-b", "main")
        here.write("services.json", SERVICES)
        for file in ("services/a/deep/kept", "services/a-b/kept", *first):
            here.write(file, "0")
        base, before = here.commit(), look(here.root)
        for deed in deeds:
            do(here, *deed)
        assert set(here.names(base)) == obvious(before, look(here.root))
