"""Which suites a command means, out of those that there are."""

from fairlead.checks.naming import refuse_unknown
from fairlead.checks.suites.detect import detect
from fairlead.config import Repository
from fairlead.config.suites import Suite
from fairlead.errors import UsageError


def known_suites(repository: Repository) -> tuple[Suite, ...]:
    """Those that are declared, else those that are found."""
    return tuple(repository.test.suites.values()) or detect(repository.root)


def choose(suites: tuple[Suite, ...], wanted: tuple[str, ...], quick: bool) -> tuple[Suite, ...]:
    """The suites of --suite and --quick, in the order in which they are declared.

    None where --quick finds none that is quick: a git hook asks for what there may be. Raises
    UsageError for a name that is no suite, and where nothing is left to run of what was named.
    """
    known = [suite.name for suite in suites]
    refuse_unknown(wanted, known, "test suite", shown=known, next_step="inv test --plan")
    chosen = (suite for suite in suites if not wanted or suite.name in wanted)
    found = tuple(suite for suite in chosen if suite.quick or not quick)
    if found or (quick and not wanted):
        return found
    if not suites:
        raise UsageError(
            "no test suites: deploy/fairlead.toml declares none, and there is no folder tests",
            state="nothing was run",
            next_step='declare one: [test.suites.unit] with path = "…" or command = "…"',
        )
    raise UsageError(
        "none of the suites is quick",
        why=[f"there are: {', '.join(known)}"],
        state="nothing was run",
        next_step="write quick = true into the [test.suites.…] that --quick should run",
    )
