"""The documentation is true: what it shows runs, what it names exists."""

import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from docs import generate
from fairlead import errors, events
from tests.documented import ROOT, Block, blocks, missing, pages, run, shell_environment

NOT_RUN = {
    "pip install": "installs from a package index",
    "$EDITOR": "an editor waits for a person",
    "fairlead init": "README: the same is run from own-host.md, where its output is shown",
    "fairlead host.setup": "changes a server of the reader's; tests/lab/test_host_tasks.py runs it",
    "fairlead doctor": "looks at a server of the reader's; tests/lab/test_host_tasks.py runs it",
    "fairlead deploy": "changes a server of the reader's; the tutorial's deploys are run",
    "fairlead status": "looks at a server of the reader's; the tutorial's is run",
    "fairlead release.publish": "needs GitHub; tests/unit/versions runs it against a server",
    "fairlead rollback": "changes a server of the reader's; the tutorial's is run",
    "fairlead services.changed": "needs jq; tests/unit/services/test_services_commands.py reads it",
    "ssh deploy@web1 docker rename": "tests/lab/test_two_applications.py runs it",
    "fairlead test": "of a project of the reader's; tests/cli/test_suites.py runs each",
    "fairlead backups.": "needs a host with data; tests/lab/test_data.py runs each",
    "git tag v1.0.0 && fairlead build": "the same of a project of the reader's",
    "fairlead build": "needs a builder of the reader's; tests/lab/images runs it",
    "fairlead push": "changes a registry of the reader's; tests/lab/images runs it",
    "./scripts/lab up --hosts 4": "scripts/test does it before the lab tests",
    "./scripts/test": "runs this test",
    ".venv/bin/inv lint": "scripts/test runs it",
    ".venv/bin/pytest": "runs this test",
    ".venv/bin/pre-commit install": "writes into the repository's .git",
}
"""How lines of `sh` blocks begin, and why no test runs them."""

NEEDS_ENV = re.compile(
    r"\b(?:inv|fairlead) (?:deploy|rollback|status|smoke|logs|exec|doctor|lock|backups|host)\b"
)

SHELL = ("code=", "case ", "esac", 'exit "$code"')
"""Lines around a command; test_a_job_that_acts_on_the_exit_code_keeps_it runs them."""

PAGES = sorted({block.page for block in blocks("console") if not block.needs_hosts})


def has_compose() -> bool:
    found = shutil.which("docker")
    words = ["docker", "compose", "version"]
    return (
        bool(found)
        and not subprocess.run(words, env=shell_environment(), capture_output=True).returncode
    )


@pytest.mark.skipif(not has_compose(), reason="`docker compose` is not installed here")
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run_in_order_and_answer_as_shown(page, tmp_path):
    """In a folder that has a compose file and nothing else."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shutil.copy(ROOT / "examples/agentic/compose.yaml", folder)
    for block in blocks("console"):
        if block.page == page and not block.needs_hosts:
            code, output = run(block, folder, shell_environment())
            assert code == block.exit_code, f"{block.place}:\n{output}"
            assert not missing(block.shown, output), f"{block.place}:\n{output}"


def test_what_no_test_runs_has_a_reason():
    lines = [
        (block.place, line)
        for block in blocks("sh")
        for line in block.body.splitlines()
        if line.strip() and not line.startswith(("  ", *SHELL))
    ]
    assert [one for one in lines if not one[1].startswith(tuple(NOT_RUN))] == []
    assert [key for key in NOT_RUN if not any(line.startswith(key) for _, line in lines)] == []


def test_commands_to_copy_name_their_environment():
    """Whoever copies one at night must not reach the default environment with it."""
    lines = [
        (block.place, line)
        for block in blocks("sh", "console", "yaml")
        for line in block.body.splitlines()
        if NEEDS_ENV.search(line) and "--env=" not in line and "--help" not in line
    ]
    assert lines == []


@pytest.mark.parametrize("code", range(8))
def test_a_job_that_acts_on_the_exit_code_keeps_it(tmp_path, code):
    (block,) = [one for one in blocks("sh") if "case $code in" in one.body]
    program = tmp_path / "fairlead"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TAG": "v1"}
    told = subprocess.run(["sh", "-ec", block.body], env=environ, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (code, "")
    assert bool(told.stdout) is bool(code)


def test_a_missing_line_is_noticed():
    shown = "one …\nrelease 0001-v2.4.0 in blue"
    assert not missing(shown, "one two\nother\nrelease  0017-v2.4.0 in green\n")
    assert missing(shown, "one two\nrelease 0017-v2.5.0 in green")
    assert missing(shown, "release 0001-v2.4.0 in blue\none two")


@pytest.mark.parametrize("block", blocks("toml", "yaml"), ids=lambda block: block.place)
def test_configuration_that_is_shown_can_be_read(block: Block):
    if block.language == "toml":
        tomllib.loads(block.body)
    else:
        assert isinstance(yaml.safe_load(block.body), dict)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", text):
        if target.startswith(("http://", "https://")):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} → {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} → {target}#{anchor}"


def test_anchors_that_errors_name_exist():
    """`docs="reference/tasks.md#lock"` in the source leads to a heading of that page."""
    named = defaultdict(set)
    for source in (ROOT / "src").rglob("*.py"):
        for anchor in re.findall(r'\bdocs="([^"]+)"', source.read_text(encoding="utf-8")):
            named[anchor].add(source.name)
    assert named, "no error names a page any more: this test looks for the wrong thing"
    for place, where in named.items():
        file, _, anchor = place.removeprefix("docs/").partition("#")
        assert (ROOT / "docs" / file).exists(), (place, where)
        assert not anchor or anchor in anchors(ROOT / "docs" / file), (place, where)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", generate.pages())
def test_generated_pages_are_current(name):
    written = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert written == generate.pages()[name], "run: .venv/bin/python docs/generate.py"


def test_every_exit_code_is_explained():
    text = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    told = {int(code) for code in re.findall(r"^\| (\d) \|", text, re.M)}
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    assert told == {0} | {kind.exit_code for kind in kinds if hasattr(kind, "exit_code")}


def test_every_type_of_json_line_is_explained():
    text = (ROOT / "docs/reference/json-output.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", text, re.M))
    for name, kind in vars(events).items():
        if hasattr(kind, "__dataclass_fields__"):
            dashed = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
            assert set(re.findall(r"`(\w+)`", told[dashed])) >= set(kind.__dataclass_fields__)


def test_tests_that_hold_the_laws_exist():
    text = (ROOT / "docs/why/laws.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert named
    assert [one for one in named if not (ROOT / one).exists()] == []
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\. ", text, re.M)]
    assert numbers == list(range(1, 16))


def test_every_page_is_reached_from_the_first():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.name.endswith(".md"):
            continue
        reached.add(page)
        text = page.read_text(encoding="utf-8")
        waiting += [
            (page.parent / target).resolve()
            for target in re.findall(r"\]\(([^)#\s]+)", text)
            if not target.startswith("http")
        ]
    assert set(pages()) <= reached


def test_every_variable_that_is_read_is_listed():
    text = (ROOT / "docs/reference/environment.md").read_text(encoding="utf-8")
    read = {
        name
        for source in (ROOT / "src/fairlead").rglob("*.py")
        for name in re.findall(
            r'\benviron(?:\.get\(|\[)\s*"([A-Z_]+)"', source.read_text(encoding="utf-8")
        )
    }
    assert len(read) > 20, "this test no longer finds what it looks for"
    assert sorted(name for name in read if f"`{name}`" not in text) == []
