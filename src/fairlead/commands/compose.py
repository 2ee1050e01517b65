"""What is said to Docker Compose on a host: calls of `fl_compose`, as argv."""

from collections.abc import Mapping, Sequence

from fairlead.model import Command

START_TIMEOUT = 300.0


def up(project: str, file: str, scale: Mapping[str, int] | None = None) -> Command:
    """Create and start a project's containers; images must be present, nothing is built."""
    words = [*_compose(project, file), "up", "-d", "--no-build", "--pull", "never"]
    for service, count in (scale or {}).items():
        words += ["--scale", f"{service}={count}"]
    return Command((*words, "--quiet-pull"), timeout=START_TIMEOUT)


def grow(project: str, file: str, scale: Mapping[str, int]) -> Command:
    """Start more replicas beside those that run, which are left as they are."""
    command = up(project, file, scale)
    return Command((*command.argv, "--no-recreate"), timeout=command.timeout)


def run_once(project: str, file: str, service: str, argv: Sequence[str], timeout: float) -> Command:
    """Run a service's image once with another command, and remove the container after.

    Quiet: what it prints is the command's own output.
    """
    words = (*_compose(project, file, "quiet"), "run", "--rm", "--no-deps", "-T", service, *argv)
    return Command(words, timeout=timeout)


def _compose(project: str, file: str, progress: str = "plain") -> tuple[str, ...]:
    return ("fl_compose", "--progress", progress, "-p", project, "-f", file)
