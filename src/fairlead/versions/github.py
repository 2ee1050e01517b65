"""Releases on GitHub: REST API 2022-11-28, docs.github.com/rest/releases/releases.

A release is made for a tag that GitHub has; one that exists is updated, so that the same command
may be given again. Redirects are not followed: the token is for this server.
"""

import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fairlead.errors import FairleadError, UsageError
from fairlead.model import Secret
from fairlead.versions import history

API = "https://api.github.com"
TIMEOUT = 20.0  # s for one answer
TRIES = 3
_REMOTE = re.compile(r"(?:[a-z+]+://[^/]+/|[^/]+@[^:/]+:)(?P<name>[^/]+/[^/]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Told:
    """A release that GitHub has. what: `created`, `updated` or `unchanged`."""

    what: str
    url: str


@dataclass(frozen=True)
class Draft:
    """A release as it should be: its tag, its title, its notes, and whether more is to come."""

    tag: str
    name: str
    body: str
    prerelease: bool = False

    def as_json(self) -> dict[str, Any]:
        told = {"tag_name": self.tag, "name": self.name, "body": self.body}
        return {**told, "prerelease": self.prerelease}


def repository_name(root: Path, declared: str, environ: Mapping[str, str]) -> str:
    """`owner/repository`. Raises UsageError when neither config, CI nor `origin` tells."""
    if name := declared or environ.get("GITHUB_REPOSITORY", ""):
        return name
    remote = history.ask(root, "remote", "get-url", "origin")
    if remote.ok and (found := _REMOTE.fullmatch(remote.out.strip())):
        return found["name"]
    raise UsageError(
        "which repository on GitHub is this? There is no remote `origin` that tells",
        state="nothing was published",
        next_step='write github = "owner/repository" under [release] in deploy/fairlead.toml',
    )


class GitHub:
    """One repository there. Raises UsageError for an address that would give the token away."""

    def __init__(self, repository: str, token: Secret, base: str = API, pause: float = 0.5) -> None:
        self._pause = pause  # s before the second try; four times as long before the third
        self._repository = repository
        self._token = token
        self._where = urlsplit(base)
        local = self._where.hostname in ("localhost", "127.0.0.1", "::1")
        if not self._where.hostname or (self._where.scheme != "https" and not local):
            raise UsageError(
                f"GITHUB_API_URL is no https address: {base}",
                why=["the token would travel in clear text"],
                state="nothing was published",
                next_step="unset it, or give https://<your GitHub>/api/v3",
            )

    def publish(self, draft: Draft) -> Told:
        """Make the release, or bring the one there is up to date.

        Asked again after a lost connection or a server's failure, TRIES times in all: what was
        made before the answer was lost is found then. Raises FairleadError with what GitHub says.
        """
        for attempt in range(TRIES):
            try:
                return self._publish(draft)
            except _Passing as fault:
                if attempt == TRIES - 1:
                    raise self._failed(f"does not answer: {fault}") from fault
                time.sleep(self._pause * 4**attempt)
        raise AssertionError("unreachable")

    def _publish(self, draft: Draft) -> Told:
        tag = quote(draft.tag, safe="")
        if self._ask("GET", f"git/ref/tags/{quote(draft.tag)}", missing=True) is None:
            raise FairleadError(
                f"{self._repository} has no tag {draft.tag}",
                why=["GitHub would make one itself, of whatever its main branch is at"],
                state="nothing was published",
                next_step=f"git push origin {draft.tag}",
            )
        there = self._ask("GET", f"releases/tags/{tag}", missing=True)
        if there is None:
            made = self._ask("POST", "releases", draft.as_json()) or {}
            return Told("created", str(made.get("html_url", "")))
        url = str(there.get("html_url", ""))
        if all(
            (there.get(key) or type(value)()) == value for key, value in draft.as_json().items()
        ):
            return Told("unchanged", url)
        self._ask("PATCH", f"releases/{int(there['id'])}", draft.as_json())
        return Told("updated", url)

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, missing: bool = False
    ) -> dict[str, Any] | None:
        """GitHub's answer; None for 404 where that is one."""
        status, headers, text = self._exchange(method, path, body)
        document = _object(text)
        if status == 404 and missing:
            return None
        if status >= 500 or status == 429:
            raise _Passing(f"HTTP {status}")
        if 200 <= status < 300 and document is not None:
            return document
        raise self._refused(status, headers, document or {})

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        where = self._where
        host, port = where.hostname or "", where.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=TIMEOUT)
            if where.scheme == "http"
            else http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        )
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token.reveal()}",
            "Content-Type": "application/json",
            "User-Agent": "fairlead",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        target = f"{where.path.rstrip('/')}/repos/{self._repository}/{path}"
        try:
            sent = json.dumps(body).encode() if body is not None else None
            connection.request(method, target, sent, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read(4_000_000)
        except (OSError, http.client.HTTPException) as fault:
            raise _Passing(str(fault) or type(fault).__name__) from fault
        finally:
            connection.close()

    def _refused(
        self, status: int, headers: Mapping[str, str], document: Mapping[str, Any]
    ) -> FairleadError:
        said = [str(document.get("message", ""))]
        said += [str(one.get("message") or one) for one in document.get("errors") or () if one]
        if status in (301, 302, 307, 308):
            return self._failed(f"says that {self._repository} has moved", said, "set its new name")
        step = {
            401: "check GITHUB_TOKEN: it is wrong, or has expired",
            403: "the token needs the permission `contents: write` on this repository",
            404: "check the name, and that the token may see this repository",
        }.get(status, "")
        return self._failed(f"refused {self._repository}: HTTP {status}", said, step)

    def _failed(self, what: str, why: list[str] | None = None, step: str = "") -> FairleadError:
        token = self._token.reveal()
        lines = [line.replace(token, "•••") for line in why or [] if line]
        return FairleadError(
            f"{self._where.netloc} {what}".replace(token, "•••"),
            why=lines,
            state="the release may not be published",
            next_step=step or "repeat the command: it goes on where it stopped",
        )


class _Passing(Exception):
    """A failure that may be over at the next try."""


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
