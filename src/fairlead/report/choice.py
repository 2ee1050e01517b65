"""Which reporter a command gets: by its flags, its streams, its environment."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from fairlead.report.called import spoken_as
from fairlead.report.protocol import Reporter, Wishes
from fairlead.report.terminal import Outlet, has_colour, is_live


def open_reporter(
    options: Wishes,
    *,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    program: str = "inv",
    environment: Callable[[], str] = str,
) -> Reporter:
    """The reporter for a command: JSON lines, a live display, or plain lines.

    `--json` wins; else a terminal on stderr gets the live display, anything else plain lines. In
    GitHub Actions groups, annotations, summary and outputs come on top, in GitLab a report of the
    findings. redact: masks secrets, asked for every text. program: what a person typed to start
    this, `inv` or `fairlead`. environment: the name of the one at hand, asked for every command
    that a person is told to type; empty before it is known.
    """
    spoken = spoken_as(program, environment)
    in_actions = environ.get("GITHUB_ACTIONS") == "true"
    out = Outlet(stdout, colour=has_colour(stdout, environ), redact=redact, guarded=in_actions)
    err = Outlet(stderr, colour=has_colour(stderr, environ), redact=redact, guarded=in_actions)
    reporter: Reporter
    if options.json:
        from fairlead.report.jsonlines import JsonLines

        reporter = JsonLines(out, redact=redact, spoken=spoken)
    elif is_live(stderr, environ) and not in_actions:
        from fairlead.report.live import Live

        reporter = Live(out, err, verbose=options.verbose, spoken=spoken)
    else:
        from fairlead.report.plain import Plain

        reporter = Plain(out, err, verbose=options.verbose, spoken=spoken)
    if in_actions:
        from fairlead.report.github import GitHub

        reporter = GitHub(
            reporter,
            err,
            environ=environ,
            redact=redact,
            spoken=spoken,
            groups=not options.json,
        )
    if environ.get("GITLAB_CI") == "true":
        from fairlead.report.gitlab import GitLab

        reporter = GitLab(reporter, Path(environ.get("CI_PROJECT_DIR") or "."), redact=redact)
    return reporter
