"""Questions to an OCI registry: which digest a tag means, for which platforms, how large.

Protocol: OCI distribution specification 1.1 (manifests, tags) and its token authentication.
Only the standard library's HTTP client: it costs 27 ms to import, requests ten times that.
"""

import base64
import hashlib
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from fairlead.errors import PreconditionError
from fairlead.images.credentials import Credentials
from fairlead.images.reference import DOCKER_HUB, Reference
from fairlead.model import Image

TIMEOUT = 10.0
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True)
class _Answer:
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


class Registry:
    """One registry server, over one connection. `insecure` speaks plain HTTP."""

    def __init__(
        self, server: str, credentials: Credentials | None = None, *, insecure: bool = False
    ) -> None:
        self.server = server
        self._credentials = credentials
        self._authorization = ""
        address = "registry-1.docker.io" if server == DOCKER_HUB else server
        local = address.split(":")[0] in ("localhost", "127.0.0.1")  # as Docker itself decides
        plain = insecure or local
        self._base = f"{'http' if plain else 'https'}://{address}"
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPConnection(address, timeout=TIMEOUT)
            if plain
            else http.client.HTTPSConnection(
                address, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        )

    def resolve(self, reference: Reference) -> Image:
        """The image that `reference` means now: digest, platforms, compressed size in bytes.

        Raises PreconditionError: not there (the nearest tags are named), refused, unreachable.
        """
        wanted = reference.digest or reference.tag
        answer = self._get(reference, f"manifests/{wanted}", INDEX_TYPES + MANIFEST_TYPES)
        if answer.status == 404:
            raise self._missing(reference)
        digest = answer.headers.get("docker-content-digest") or reference.digest or answer.digest
        if digest.startswith("sha256:") and digest != answer.digest:
            raise PreconditionError(
                f"what {self.server} sent for {reference} is not what its digest says",
                why=[f"{digest} was announced, {answer.digest} came"],
                state="nothing was changed",
            )
        platforms, size = self._describe(reference, self._manifest(reference, answer))
        return Image(reference.name, reference.tag, digest, size, platforms)

    def labels(self, reference: Reference) -> Mapping[str, str]:
        """The labels of an image's configuration; of an index, those of its first platform."""
        wanted = reference.digest or reference.tag
        answer = self._get(reference, f"manifests/{wanted}", INDEX_TYPES + MANIFEST_TYPES)
        manifest = self._manifest(reference, answer)
        if "manifests" in manifest:
            first = next((entry["digest"] for entry in _runnable(manifest)), "")
            if not first:
                return {}
            manifest = self._get(reference, f"manifests/{first}", MANIFEST_TYPES).document()
        config = self._get(reference, f"blobs/{manifest['config']['digest']}", ("*/*",))
        found = (config.document().get("config") or {}).get("Labels") or {}
        return {str(key): str(value) for key, value in found.items()}

    def tags(self, reference: Reference) -> list[str]:
        """The repository's tags; none when it does not exist or the registry does not tell."""
        answer = self._get(reference, "tags/list", ("application/json",))
        return list(answer.document().get("tags") or []) if answer.status == 200 else []

    def _manifest(self, reference: Reference, answer: _Answer) -> dict[str, Any]:
        found = answer.document()
        if "manifests" not in found and "config" not in found:
            raise PreconditionError(
                f"{self.server} is no registry, or a proxy is before it: it answers "
                f"HTTP {answer.status} without a manifest for {reference}",
                state="nothing was changed",
                next_step="inv doctor",
            )
        return found

    def _describe(
        self, reference: Reference, manifest: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], int]:
        if "manifests" in manifest:
            runnable = _runnable(manifest)
            platforms = tuple(_platform(entry["platform"]) for entry in runnable)
            if not runnable:
                return platforms, 0
            answer = self._get(reference, f"manifests/{runnable[0]['digest']}", MANIFEST_TYPES)
            return platforms, _size(answer.document())
        config = self._get(reference, f"blobs/{manifest['config']['digest']}", ("*/*",))
        return (_platform(config.document()),), _size(manifest)

    def _missing(self, reference: Reference) -> PreconditionError:
        import difflib

        tags = self.tags(reference)
        near = difflib.get_close_matches(reference.tag, tags, n=3, cutoff=0.5)
        why = [f"it has: {', '.join(near or tags[-5:])}"] if tags else []
        return PreconditionError(
            f"image {reference} is not in the registry",
            why=why or [f"{reference.server} knows no repository {reference.repository}"],
            state="nothing was changed",
            next_step="push it, or deploy a tag that is there with --tag",
        )

    def _get(self, reference: Reference, path: str, accept: tuple[str, ...]) -> _Answer:
        url = f"/v2/{reference.repository}/{path}"
        answer = self._request(url, accept)
        if answer.status == 401 and not self._authorization:
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self._request(url, accept)
        if answer.status in (401, 403):
            raise PreconditionError(
                f"{self.server} refuses {reference.repository} (HTTP {answer.status})",
                state="nothing was changed",
                next_step=f"docker login {self.server}, or set [registry] username and password",
            )
        if answer.status in (301, 302, 303, 307, 308):  # blobs may live elsewhere
            answer = _fetch(urljoin(self._base + url, answer.headers.get("location", "")))
        if answer.status not in (200, 404):
            raise PreconditionError(
                f"{self.server} answers HTTP {answer.status} for {reference}",
                state="nothing was changed",
            )
        return answer

    def _request(self, url: str, accept: tuple[str, ...]) -> _Answer:
        headers = {"Accept": ", ".join(accept)}
        if self._authorization:
            headers["Authorization"] = self._authorization
        try:
            self._connection.request("GET", url, headers=headers)
            return _read(self._connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            plain = " (it may speak plain HTTP: [registry] insecure = true)"
            raise PreconditionError(
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
        query = urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        basic = {"Authorization": _basic(self._credentials)} if self._credentials else {}
        answer = _fetch(f"{fields['realm']}?{query}", basic)
        found = answer.document() if answer.status == 200 else {}
        token = found.get("token") or found.get("access_token")
        return f"Bearer {token}" if token else ""


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password.reveal()}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _fetch(url: str, headers: Mapping[str, str] | None = None) -> _Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers=dict(headers or {}))
        return _read(connection.getresponse())
    except (OSError, http.client.HTTPException) as error:
        raise PreconditionError(
            f"{parts.netloc} cannot be reached: {error}", state="nothing was changed"
        ) from error
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse) -> _Answer:
    headers = {key.lower(): value for key, value in response.getheaders()}
    return _Answer(response.status, headers, response.read())


def _runnable(index: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An index's images, without the attestations beside them."""
    return [
        entry
        for entry in index["manifests"]
        if entry.get("platform", {}).get("os", "unknown") != "unknown"
    ]


def _platform(entry: Mapping[str, Any]) -> str:
    variant = f"/{entry['variant']}" if entry.get("variant") else ""
    return f"{entry.get('os', 'linux')}/{entry.get('architecture', 'unknown')}{variant}"


def _size(manifest: Mapping[str, Any]) -> int:
    return sum(int(layer.get("size", 0)) for layer in manifest.get("layers", ()))
