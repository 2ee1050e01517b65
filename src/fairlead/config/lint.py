"""`[lint]`: which linters run, and for how long."""

from dataclasses import dataclass

from fairlead.config.kinds import Count, LocalPath, Name, PositiveDuration


@dataclass(frozen=True)
class Lint:
    """tools: empty means what the tree and its configuration files call for. timeout: s, each.

    exclude: globs of files and folders that no linter looks at. complexity: the highest McCabe
    number of a function that is no finding.
    """

    tools: tuple[Name, ...] = ()
    timeout: PositiveDuration = 300.0
    exclude: tuple[LocalPath, ...] = ()
    complexity: Count = 10
