"""Requests to one registry server over one connection, with its authentication.

Protocol: OCI distribution specification 1.1 and the token authentication of
distribution.github.io/distribution/spec/auth/token. Only the standard library's HTTP client: it
costs 27 ms to import, requests ten times that.
"""

import base64
import hashlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from fairlead.errors import PreconditionError
from fairlead.images.credentials import Credentials
from fairlead.images.reference import DOCKER_HUB

TIMEOUT = 10.0


class Unreachable(PreconditionError):
    """No answer came; the same request may do better a moment later."""


@dataclass(frozen=True)
class Answer:
    """status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.body).hexdigest()

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Exchange:
    """A registry server. `insecure` speaks plain HTTP. timeout: s for each answer."""

    def __init__(
        self,
        server: str,
        credentials: Credentials | None = None,
        *,
        insecure: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self.server = server
        self._credentials = credentials
        self._authorization = ""
        address = "registry-1.docker.io" if server == DOCKER_HUB else server
        local = address.split(":")[0] in ("localhost", "127.0.0.1")  # as Docker itself decides
        self._base = f"{'http' if insecure or local else 'https'}://{address}"
        self._connection = _connection(self._base, timeout)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        """The registry's answer, once it knows who we are if it wants to; any status.

        path: from the server's root, or a URL it gave. body: what can be iterated twice; its
        length is among the headers. Raises Unreachable.
        """
        url = urljoin(self._base, path)
        if not url.startswith(self._base + "/"):
            return fetch(url, headers, method, body)  # elsewhere our authorization is no business
        answer = self._request(method, url, headers, body)
        if answer.status == 401:  # not known yet, or the token has expired
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self._request(method, url, headers, body)
        return answer

    def close(self) -> None:
        self._connection.close()

    def absolute(self, path: str) -> str:
        return urljoin(self._base, path)

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | Iterable[bytes] | None,
    ) -> Answer:
        sent = dict(headers or {})
        if self._authorization:
            sent["Authorization"] = self._authorization
        try:
            return _ask(self._connection, method, url.removeprefix(self._base), body, sent)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            plain = " (it may speak plain HTTP: [registry] insecure = true)"
            kind = PreconditionError if _is_lasting(error) else Unreachable
            raise kind(
                f"registry {self.server} cannot be reached: {error}"
                + (plain if isinstance(error, ssl.SSLError) else ""),
                state="nothing was changed",
                next_step="inv doctor",
            ) from error

    def _authorize(self, challenge: str) -> str:
        """The Authorization header that a 401's challenge asks for; empty when we have none."""
        if challenge.lower().startswith("basic"):
            return _basic(self._credentials) if self._credentials else ""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in fields:
            return ""
        query = {key: fields[key] for key in ("service", "scope") if key in fields}
        answer = _token(fields["realm"], query, self._credentials)
        if answer.status >= 500 or answer.status == 429:
            place = urlsplit(fields["realm"]).netloc
            raise Unreachable(
                f"{place} gives no token for {self.server} (HTTP {answer.status})",
                state="nothing was changed",
                next_step="wait a minute, then repeat it; then look at the registry's status page",
            )
        found = answer.document() if answer.status == 200 else {}
        token = found.get("token") or found.get("access_token")
        return f"Bearer {token}" if token else ""


def fetch(
    url: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes | Iterable[bytes] | None = None,
) -> Answer:
    """One request to whatever server, over a connection of its own. Raises Unreachable."""
    parts = urlsplit(url)
    connection = _connection(f"{parts.scheme}://{parts.netloc}", TIMEOUT)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return _ask(connection, method, path, body, dict(headers or {}))
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            f"{parts.netloc} cannot be reached: {error}",
            state="nothing was changed",
            next_step=f"curl -i {parts.scheme}://{parts.netloc}/",
        ) from error
    finally:
        connection.close()


def _token(realm: str, query: Mapping[str, str], credentials: Credentials | None) -> Answer:
    """What a token server says; an identity token is exchanged as OAuth 2 does it."""
    if credentials and credentials.is_identity_token:
        form = {"grant_type": "refresh_token", "client_id": "fairlead", **query}
        form["refresh_token"] = credentials.password.reveal()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return fetch(realm, kind, "POST", urlencode(form).encode())
    basic = {"Authorization": _basic(credentials)} if credentials else {}
    return fetch(f"{realm}?{urlencode(query)}", basic)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None,
    headers: Mapping[str, str],
) -> Answer:
    """Request and answer. One that came before all was sent counts: it says why."""
    try:
        connection.request(method, path, body, headers)
    except (BrokenPipeError, ConnectionResetError) as cut:
        try:
            return _read(connection.getresponse())
        except (OSError, http.client.HTTPException):
            raise cut from None
        finally:
            connection.close()
    return _read(connection.getresponse())


def _is_lasting(error: Exception) -> bool:
    """Whether it will be the same a moment later: a name nobody has, a certificate nobody trusts.

    A TLS connection that was cut, and a name server that does not answer now, may come back.
    """
    if isinstance(error, socket.gaierror):
        return error.errno != socket.EAI_AGAIN
    cut = ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
    return isinstance(error, ssl.SSLError) and not isinstance(error, cut)


def _connection(base: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(base)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    return http.client.HTTPConnection(parts.netloc, timeout=timeout)


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password.reveal()}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {key.lower(): value for key, value in response.getheaders()}
    return Answer(response.status, headers, response.read())
