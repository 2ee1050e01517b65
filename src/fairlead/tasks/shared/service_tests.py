"""`inv test --service`: the tests that services declare."""

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.cli.scope import repository_services
from fairlead.config.suites import Suite
from fairlead.errors import UsageError

if TYPE_CHECKING:
    from fairlead.cli.run import Run
    from fairlead.config import Repository
    from fairlead.services.declared import RepositoryService


def suites_of_services(run: "Run") -> "Repository | None":
    """The repository with the suites of --service alone: the one declared under a service's name,
    else its `test_command`, run in its folder.

    None when none of them changed. Raises UsageError when none of those named has a command.
    """
    services = repository_services(run)
    declared = run.repository().test.suites
    suites = {
        one.name: declared.get(one.name) or _suite(one)
        for one in services
        if one.test_command or one.name in declared
    }
    if services and not suites:
        raise UsageError(
            f"no tests are declared for {', '.join(one.name for one in services)}",
            state="nothing was run",
            next_step='write "test_command" in services.json, or under [services.<name>]',
        )
    repository = run.repository()
    return replace(repository, test=replace(repository.test, suites=suites)) if suites else None


def _suite(service: "RepositoryService") -> Suite:
    """`pytest …` becomes a suite of pytest, with coverage and shards; the rest runs as it is."""
    words = _words(service.name, service.test_command)
    if words[0] == "pytest":
        return Suite(service.name, arguments=words[1:], cwd=service.path, parallel=True)
    return Suite(service.name, command=words, cwd=service.path, parallel=True)


def _words(name: str, command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        message = f"the test_command of {name} cannot be read: {error}"
        raise UsageError(
            message, state="nothing was run", next_step="correct that command"
        ) from None
