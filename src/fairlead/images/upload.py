"""Sending images to a registry: what it lacks, going on where a cut left off.

Protocol: OCI distribution specification 1.1, "Pushing manifests"; blobs: transfer.py.
`docker push` of an engine without the containerd store cannot send several platforms, and begins
a cut layer anew; this sends an OCI layout, so no engine takes part at all.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from fairlead.errors import FairleadError, PreconditionError
from fairlead.images.exchange import Answer, Exchange, Unreachable
from fairlead.images.layout import Blob, Layout
from fairlead.images.reference import Reference
from fairlead.images.transfer import Transfer

T = TypeVar("T")
PATIENCE = 120.0  # s without any progress after which a push is given up
LONGEST_PAUSE = 8.0
TOO_LARGE = "let the proxy before it pass large requests (nginx: client_max_body_size 0)"
BUSY = (408, 429, 500, 502, 503, 504)
Progress = Callable[[int, int, str], None]
"""Told (bytes done, bytes in all, note)."""


class PushRefused(FairleadError):
    """The registry, or a rule of ours, does not take the image."""

    kind = "push"


@dataclass
class Sent:
    """What a push cost: bytes sent, bytes that were there already (or mounted), retries."""

    bytes: int = 0
    there: int = 0
    retries: int = 0


@dataclass
class Upload:
    """One image on its way to one repository. mounts: other repositories of that server that hold
    blobs of ours, by digest; what is sent is added to it.
    """

    exchange: Exchange
    target: Reference
    layout: Layout
    progress: Progress
    mounts: dict[str, str] = field(default_factory=dict)
    cancel: threading.Event = field(default_factory=threading.Event)
    patience: float = PATIENCE
    sent: Sent = field(default_factory=Sent)
    moved_tags: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What is true of its tags now."""
        if not self.moved_tags:
            return "its tags are as they were"
        return f"{', '.join(self.moved_tags)} is the new image; its other tags are as they were"

    def check_tags(self, tags: Iterable[str]) -> None:
        """Raise PushRefused for a tag that has another image; these are those that never move."""
        ours = self.layout.root.digest
        for tag in tags:
            there = self.digest_of(tag)
            if not there or there == ours:
                continue
            raise PushRefused(
                f"{self.target.name}:{tag} exists and is another image",
                why=[f"there: {there}", f"ours:  {ours}"],
                state="nothing was pushed",
                next_step="a tag that says what it is does not change; build a new commit, or give "
                f"--force-tag={tag} to replace it for everybody",
            )

    def run(self, tags: Iterable[str]) -> Sent:
        """Send what is missing, then the manifests, then the tags: none shows half an image."""
        manifests = self.layout.manifests()
        blobs = {p.digest: p for one in manifests for p in self.layout.parts(one)}
        total = sum(blob.size for blob in blobs.values())
        done = 0
        for number, blob in enumerate(blobs.values(), 1):
            note = f"part {number} of {len(blobs)}"
            self.progress(done, total, note)
            self.send_blob(blob, partial(self.moved, done, total, note))
            done += blob.size
        for manifest in manifests:
            self.put_manifest(manifest, manifest.digest)
        root = self.layout.root
        self.put_manifest(root, root.digest)
        for tag in tags:
            self.put_manifest(root, tag)
            self.moved_tags.append(tag)
        return self.sent

    def moved(self, before: int, total: int, note: str, sent: int) -> None:
        self.progress(before + sent, total, note)

    def digest_of(self, tag: str) -> str:
        """The digest a tag has there; empty when it is free. Computed where it is not told."""
        for method in ("HEAD", "GET"):
            answer = self.steadily(partial(self.look, method, tag), "look at the tag")
            if answer.status == 404:
                return ""
            self.expect(answer, (200,), f"asked for the tag {tag}")
            if told := answer.headers.get("docker-content-digest"):
                return told
        return answer.digest

    def look(self, method: str, tag: str) -> Answer:
        accept = {"Accept": f"{self.layout.root.media_type}, */*"}
        return self.send(method, f"manifests/{tag}", accept)

    def send_blob(self, blob: Blob, moved: Callable[[int], None]) -> None:
        """Send a blob unless it is there, or another repository of the server can lend it."""
        if self.steadily(lambda: self.holds(blob), "look"):
            self.sent.there += blob.size
            return
        transfer = Transfer(self, blob, moved)
        self.steadily(transfer.go_on, f"send {blob.digest[:19]}", transfer.position)
        self.mounts.setdefault(blob.digest, self.target.repository)

    def holds(self, blob: Blob) -> bool:
        """Whether the repository has it."""
        return self.send("HEAD", f"blobs/{blob.digest}").status == 200

    def put_manifest(self, manifest: Blob, name: str) -> None:
        content = self.layout.path(manifest.digest).read_bytes()
        headers = {"Content-Type": manifest.media_type}

        def put() -> Answer:
            return self.send("PUT", f"manifests/{name}", headers, content)

        answer = self.steadily(put, f"put the manifest {name}")
        self.expect(answer, (201, 200), f"sent the manifest {name}")
        there = answer.headers.get("docker-content-digest") or self.digest_of(name)
        self.same(there, manifest.digest, name)

    def same(self, there: str, digest: str, what: str) -> None:
        """Raise PushRefused if the registry holds something else than was sent."""
        if there != digest:
            raise PushRefused(
                f"{self.exchange.server} took {what} for another digest than ours",
                why=[f"ours:  {digest}", f"there: {there}"],
                state=self.state,
                next_step="something between here and there changes what is sent; find the proxy",
            )

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        if self.cancel.is_set():
            raise KeyboardInterrupt
        at = path if path.startswith(("/", "http")) else f"/v2/{self.target.repository}/{path}"
        answer = self.exchange.send(method, at, headers, body)
        if answer.status in BUSY:
            raise Unreachable(f"{self.exchange.server} answers HTTP {answer.status}")
        if answer.status in (401, 403):
            raise PushRefused(
                f"{self.exchange.server} does not let us push to {self.target.repository} "
                f"(HTTP {answer.status})",
                why=_told(answer),
                state=self.state,
                next_step=f"check user and password: docker login {self.exchange.server}, or "
                "[registry] username and password, or --username with --password-stdin",
            )
        return answer

    def expect(self, answer: Answer, wanted: tuple[int, ...], doing: str) -> None:
        if answer.status not in wanted:
            raise PushRefused(
                f"{self.exchange.server} answers HTTP {answer.status} when {doing}",
                why=_told(answer),
                state=self.state,
                next_step=TOO_LARGE if answer.status == 413 else "",
            )

    def steadily(
        self, work: Callable[[], T], what: str, position: Callable[[], int] = lambda: 0
    ) -> T:
        """Do it again, with longer and longer pauses, until it works or nothing moves any more."""
        pause, moved_at, last = 0.25, time.monotonic(), position()
        while True:
            try:
                return work()
            except Unreachable as error:
                if position() != last:
                    pause, moved_at, last = 0.25, time.monotonic(), position()
                if time.monotonic() - moved_at > self.patience:
                    raise PreconditionError(
                        f"gave up after {self.patience:.0f} s without progress: {error.what}",
                        why=[f"could not {what}"],
                        state=f"{self.state}; what was sent so far is kept there",
                        next_step="inv push again: it goes on with what is missing",
                    ) from error
                self.sent.retries += 1
                self.cancel.wait(pause * random.uniform(0.7, 1.3))  # noqa: S311  (no secret)
                pause = min(pause * 2, LONGEST_PAUSE)


def _told(answer: Answer) -> list[str]:
    errors = answer.document().get("errors") or []
    return [str(one.get("message") or one.get("code")) for one in errors if isinstance(one, dict)]
