"""`[release]`: where a project's version and changelog are, and where releases are told."""

from dataclasses import dataclass
from typing import Annotated

from fairlead.config.kinds import matching
from fairlead.config.source import TreePath

TagPrefix = Annotated[
    str, matching(r"[A-Za-z0-9._/-]{0,40}", "must be letters, digits and ._/- (it begins git tags)")
]
GitHubName = Annotated[
    str, matching(r"|[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", 'must be such as "owner/repository"')
]


@dataclass(frozen=True)
class Release:
    """github: `owner/repository`; empty: GITHUB_REPOSITORY, else what the remote `origin` is."""

    version_file: TreePath = "VERSION"
    changelog: TreePath = "CHANGELOG.md"
    tag_prefix: TagPrefix = "v"
    github: GitHubName = ""
