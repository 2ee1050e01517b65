"""The same fault from several tools is one; different faults stay different."""

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.merge import merged

SHELL = Finding("bandit", "B602", Severity.HIGH, "shell", "a.py", 7, aliases=("CWE-78",))


def package(tool: str, rule: str, *aliases: str, severity=Severity.HIGH, name="Jinja2") -> Finding:
    rated = tool != "pip-audit"
    return Finding(
        tool, rule, severity, "x", package=name, installed="1", aliases=aliases, rated=rated
    )


def test_two_tools_with_the_same_weakness_on_a_line_are_one():
    other = Finding(
        "semgrep", "shell", Severity.MEDIUM, "s", "a.py", 7, fix="f", aliases=("CWE-78",)
    )
    (fault,) = merged([SHELL, other])
    assert fault.tools == ("bandit", "semgrep")
    assert (fault.finding.tool, fault.finding.severity) == ("bandit, semgrep", Severity.HIGH)
    assert (fault.finding.fix, fault.finding.aliases) == ("f", ("CWE-78", "shell"))


def test_one_tool_that_says_two_things_of_a_line_means_two():
    other = Finding("bandit", "B607", Severity.LOW, "path", "a.py", 7, aliases=("CWE-78",))
    assert len(merged([SHELL, other])) == 2


def test_another_line_or_weakness_is_another_fault():
    moved = Finding("semgrep", "s", Severity.HIGH, "s", "a.py", 8, aliases=("CWE-78",))
    other = Finding("semgrep", "t", Severity.HIGH, "t", "a.py", 7, aliases=("CWE-89",))
    assert len(merged([SHELL, moved, other])) == 3


def test_linters_with_the_same_rule_for_a_line_are_one():
    def told(tool: str, rule: str, *aliases: str, at: tuple[int, int] = (3, 1)) -> Finding:
        return Finding(tool, rule, Severity.MEDIUM, "x", "a.py", *at, aliases=aliases)

    ruff = [told("ruff", "F401"), told("ruff", "F401", at=(3, 5)), told("ruff", "PL1", "1")]
    flake8 = [told("flake8", "F401", at=one) for one in ((3, 1), (3, 5), (4, 1))]
    faults = merged([*ruff, *flake8, told("pylint", "1")])
    assert sorted(fault.finding.tool for fault in faults) == [
        "flake8",
        "ruff, flake8",
        "ruff, flake8",
        "ruff, pylint",
    ]


def test_whole_files_have_no_line_to_agree_on():
    one = Finding("a", "1", Severity.LOW, "", "Dockerfile", aliases=("CWE-250",))
    other = Finding("b", "2", Severity.LOW, "", "Dockerfile", aliases=("CWE-250",))
    assert len(merged([one, other])) == 2


def test_advisories_are_one_by_any_shared_name_even_through_a_third():
    found = [
        package("pip-audit", "PYSEC-1", "CVE-1"),
        package("trivy", "GHSA-1", severity=Severity.LOW, name="jinja2"),
        package("grype", "GHSA-1", "CVE-1", severity=Severity.MEDIUM),
    ]
    (fault,) = merged(found)
    assert set(fault.tools) == {"pip-audit", "trivy", "grype"}
    assert fault.finding.severity is Severity.MEDIUM  # pip-audit does not rate
    assert fault.finding.rated


def test_the_same_advisory_of_two_packages_is_two():
    assert len(merged([package("a", "CVE-1"), package("b", "CVE-1", name="other")])) == 2


def test_the_worst_comes_first():
    low = Finding("x", "1", Severity.LOW, "", "a.py", 1)
    assert [one.finding.rule for one in merged([low, SHELL])] == ["B602", "1"]


def test_no_finding_no_fault():
    assert merged([]) == ()
