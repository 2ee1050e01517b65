"""Fairlead's own version: the file VERSION, from which `release.bump` goes on."""

import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import fairlead
from fairlead.config.release import Release
from fairlead.versions.bump import carry_out, plan_bump

ROOT = Path(__file__).parents[3]


def test_what_is_installed_says_the_version_of_the_file():
    written = (ROOT / "VERSION").read_text().strip()
    assert fairlead.__version__ == version("fairlead") == written


def test_it_is_written_nowhere_else():
    """Hatchling takes it from the file when it builds."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in read["project"]
    assert read["project"]["dynamic"] == ["version"]
    assert read["tool"]["hatch"]["version"]["path"] == Release().version_file


def test_a_release_of_this_project_is_its_version_file_and_its_changelog(project):
    old = (ROOT / "VERSION").read_text()
    for name in ("VERSION", "CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, project.root / name)
    project.commit("feat: all of it")
    bump = plan_bump(project.root, Release(), "minor", "2027-01-31")
    carry_out(project.root, bump)
    assert project.read("VERSION") == f"{bump.new}\n" != old
    assert project.read("pyproject.toml") == (ROOT / "pyproject.toml").read_text()
    assert f"\n## [{bump.new}] - 2027-01-31\n" in project.read("CHANGELOG.md")
    assert "- `deploy`: a compose application" in bump.notes
    assert project.git("describe", "--exact-match") == bump.tag
