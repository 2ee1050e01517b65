"""`inv test --service`: the tests that services declare."""

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.config.suites import Suite
from fairlead.errors import UsageError
from fairlead.tasks.scope import repository_services

if TYPE_CHECKING:
    from fairlead.config import Repository
    from fairlead.tasks.run import Run


def suites_of_services(run: "Run") -> "Repository | None":
    """The repository with the `test_command` of each of --service as its suites, run in its folder.

    None when none of them changed. Raises UsageError when none of those named has a command.
    """
    services = repository_services(run)
    suites = {
        one.name: Suite(
            one.name, command=_words(one.name, one.test_command), cwd=one.path, parallel=True
        )
        for one in services
        if one.test_command
    }
    if services and not suites:
        raise UsageError(
            f"no tests are declared for {', '.join(one.name for one in services)}",
            state="nothing was run",
            next_step='write "test_command" in services.json, or under [services.<name>]',
        )
    repository = run.repository()
    return replace(repository, test=replace(repository.test, suites=suites)) if suites else None


def _words(name: str, command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        message = f"the test_command of {name} cannot be read: {error}"
        raise UsageError(message, state="nothing was run") from None
