"""Which scanners a tree calls for, and which it does not."""

from math import inf

import pytest

from fairlead.checks.scan.catalogue import NAMES, chosen, unread
from fairlead.checks.tree import Tree
from fairlead.config.scan import LicenceLists, Scan
from fairlead.errors import UsageError


def names(folder, *files: str, settings=None, **more) -> list[str]:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    tree = Tree(folder, tuple(sorted(files)))
    return [one.tool.name for one in chosen(settings or Scan(), tree, complexity=10, **more)]


@pytest.mark.parametrize(
    ("file", "called"),
    [
        ("notes.txt", {"gitleaks"}),
        ("src/a.py", {"gitleaks", "bandit", "semgrep"}),
        ("tests/test_a.py", {"gitleaks"}),
        ("a/test/b.py", {"gitleaks"}),
        ("src/test_a.py", {"gitleaks"}),
        ("conftest.py", {"gitleaks"}),
        ("src/latest_prices.py", {"gitleaks", "bandit", "semgrep"}),
        ("contest_api.py", {"gitleaks", "bandit", "semgrep"}),
        ("app/test_data/loader.py", {"gitleaks", "bandit", "semgrep"}),
        ("requirements.txt", {"gitleaks", "pip-audit", "syft"}),
        ("web/package-lock.json", {"gitleaks", "npm-audit:web", "syft"}),
        ("services/x/uv.lock", {"gitleaks", "trivy", "syft"}),
        ("go.mod", {"gitleaks", "trivy", "syft"}),
        ("Dockerfile", {"gitleaks", "semgrep", "trivy:config"}),
        ("infra/main.tf", {"gitleaks", "trivy:config", "checkov"}),
        (".secrets.baseline", {"gitleaks", "detect-secrets"}),
        (".safety-policy.yml", {"gitleaks", "safety"}),
        (".grype.yaml", {"gitleaks", "grype"}),
        ("licensecheck.toml", {"gitleaks", "licensecheck"}),
        ("radon.cfg", {"gitleaks", "radon"}),
    ],
)
def test_files_call_for_scanners(tmp_path, file, called):
    assert set(names(tmp_path, file)) == called


def test_lists_of_licences_call_for_a_look_at_them(tmp_path):
    settings = Scan(licenses=LicenceLists(deny=("AGPL*",)))
    assert "pip-licenses" in names(tmp_path, "requirements.txt", settings=settings)


def test_what_no_scanner_looks_up_is_known(tmp_path):
    project = b'[project]\nname = "x"\ndependencies = ["requests"]\n'
    tools_only = b"[tool.ruff]\n"
    contents = {
        "pyproject.toml": project,
        "a/pyproject.toml": project,
        "b/pyproject.toml": project,
        "b/uv.lock": b"",
        "c/pyproject.toml": tools_only,
        "web/yarn.lock": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    tree = Tree(tmp_path, tuple(sorted(contents)))
    assert unread(chosen(Scan(), tree, complexity=10), tree) == ("a/pyproject.toml",)
    without = chosen(Scan(tools=("pip-audit", "trivy:config", "syft")), tree, complexity=10)
    assert unread(without, tree) == (
        "a/pyproject.toml", "b/pyproject.toml", "b/uv.lock", "web/yarn.lock",
    )  # fmt: skip


def test_an_empty_tree_calls_for_nothing(tmp_path):
    assert names(tmp_path) == []


def test_an_image_is_scanned_beside_the_tree(tmp_path):
    assert names(tmp_path, "a.txt", image="x:1") == ["gitleaks", "trivy:image", "syft:image"]
    asked = names(tmp_path, "Dockerfile", image="x:1", only=("trivy", "grype"))
    assert asked == ["trivy:config", "trivy:image", "grype:image"]


def test_an_image_is_never_passed_over(tmp_path):
    declared = names(tmp_path, "a.txt", image="x:1", settings=Scan(tools=("gitleaks",)))
    assert declared == ["gitleaks", "trivy:image", "syft:image"]
    with pytest.raises(UsageError, match="none of bandit scans images"):
        names(tmp_path, "a.py", image="x:1", only=("bandit",))


def test_one_part_of_a_scanner_can_be_asked_for(tmp_path):
    assert names(tmp_path, "Dockerfile", only=("trivy:config",)) == ["trivy:config"]


@pytest.mark.parametrize(
    ("image", "kept"), [("team/app:v1", False), ("team/app@sha256:" + "0" * 64, True)]
)
def test_what_a_tag_points_to_is_looked_at_every_time(tmp_path, image, kept):
    tools = [one.tool for one in chosen(Scan(), Tree(tmp_path, ()), complexity=10, image=image)]
    trivy, syft = tools
    assert (trivy.lasts > 0) is kept
    assert syft.lasts < 0  # its files are not there


def test_what_is_asked_for_runs_be_it_called_for_or_not(tmp_path):
    every = {name.partition(":")[0] for name in names(tmp_path, "a.txt", only=NAMES)}
    assert every == set(NAMES)
    assert names(tmp_path, "a.txt", settings=Scan(tools=("radon",))) == ["radon"]


def test_an_unknown_scanner_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="did you mean `bandit`"):
        names(tmp_path, "a.py", only=("bandti",))


def test_two_lock_files_are_two_audits(tmp_path):
    found = names(tmp_path, "package-lock.json", "web/npm-shrinkwrap.json", only=("npm-audit",))
    assert found == ["npm-audit", "npm-audit:web"]


def test_a_kind_that_the_tree_does_not_call_for_runs_nothing_else(tmp_path):
    assert names(tmp_path, "a.py", only=("licences",)) == []
    assert names(tmp_path, "a.txt", image="x:1", only=("dependencies",)) == ["trivy:image"]


ALL = Scan(tools=NAMES)


def test_every_scanner_says_what_it_was_made_with(tmp_path):
    """By that its verdicts are told apart in the cache."""
    for one in chosen(ALL, Tree(tmp_path, ()), complexity=10, image="x:1"):
        assert " at 0x" not in repr(vars(one.tool))


@pytest.mark.parametrize(
    ("scanner", "file"),
    [
        ("checkov", "infra/prod.tfvars"),
        ("trivy:config", "infra/prod.tfvars"),
        ("trivy:config", "chart/templates/_helpers.tpl"),
        ("licensecheck", "pyproject.toml"),
    ],
)
def test_a_file_that_decides_is_looked_at(tmp_path, scanner, file):
    tree = Tree(tmp_path, tuple(sorted({file, "requirements.txt"})))
    tools = {one.tool.name: one.tool for one in chosen(ALL, tree, complexity=10)}
    seen = (*tools[scanner].examines(tree), *tree.matching(*tools[scanner].settings))
    assert file in seen


def test_what_is_asked_of_a_server_does_not_last(tmp_path):
    registry = Scan(tools=NAMES, semgrep=("p/python",))
    lasting = {}
    for settings in (ALL, registry):
        tools = chosen(settings, Tree(tmp_path, ()), complexity=10)
        lasting |= {(one.tool.name, settings is registry): one.tool.lasts for one in tools}
    assert lasting["semgrep", False] == inf
    assert lasting["semgrep", True] < inf
    assert lasting["licensecheck", False] < inf


@pytest.mark.parametrize(
    ("file", "scanner"),
    [(".secrets.baseline", "detect-secrets"), (".trufflehog.yml", "trufflehog")],
)
def test_a_setting_calls_for_its_scanner_also_where_only_other_files_are_named(
    tmp_path, file, scanner
):
    tree = Tree(tmp_path, tuple(sorted(("a.py", file)))).only(["a.py"])
    found = chosen(Scan(), tree, complexity=10, only=("secrets",))
    assert {one.tool.name for one in found} == {"gitleaks", scanner}
    declared = chosen(Scan(tools=("trufflehog",)), tree, complexity=10, only=("secrets",))
    assert [one.tool.name for one in declared] == ["trufflehog"]
