"""Questions to an OCI registry: which digest a tag means, for which platforms, how large."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from fairlead.errors import PreconditionError
from fairlead.images.credentials import Credentials
from fairlead.images.exchange import Answer, Exchange, fetch
from fairlead.images.reference import Reference
from fairlead.model import Image

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class Registry:
    """One registry server, over one connection. `insecure` speaks plain HTTP."""

    def __init__(
        self, server: str, credentials: Credentials | None = None, *, insecure: bool = False
    ) -> None:
        self.server = server
        self._exchange = Exchange(server, credentials, insecure=insecure)

    @classmethod
    def over(cls, exchange: Exchange) -> "Registry":
        """Asked over an exchange that is open already."""
        found = cls.__new__(cls)
        found.server, found._exchange = exchange.server, exchange
        return found

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
                next_step="repeat it; if it stays so, a proxy between changes what it passes on",
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

    def _manifest(self, reference: Reference, answer: Answer) -> dict[str, Any]:
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

    def _get(self, reference: Reference, path: str, accept: tuple[str, ...]) -> Answer:
        url = f"/v2/{reference.repository}/{path}"
        answer = self._exchange.send("GET", url, {"Accept": ", ".join(accept)})
        if answer.status in (401, 403):
            raise PreconditionError(
                f"{self.server} refuses {reference.repository} (HTTP {answer.status})",
                state="nothing was changed",
                next_step=f"docker login {self.server}, or set [registry] username and password",
            )
        if answer.status in (301, 302, 303, 307, 308):  # blobs may live elsewhere
            location = urljoin(self._exchange.absolute(url), answer.headers.get("location", ""))
            answer = fetch(location)
        if answer.status not in (200, 404):
            raise PreconditionError(
                f"{self.server} answers HTTP {answer.status} for {reference}",
                state="nothing was changed",
                next_step="repeat it in a minute; then ask those who run the registry",
            )
        return answer


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
