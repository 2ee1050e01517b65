"""One blob on its way to a registry, going on where a cut left off.

Protocol: OCI distribution specification 1.1, "Pushing blobs". A blob goes with one streamed PUT, as
every registry takes it; the chunks of PATCH are where they differ: one refuses those above 4 MiB,
another always tells the place of the first.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fairlead.images.disk import on_disk
from fairlead.images.exchange import Answer, Unreachable
from fairlead.images.layout import Blob

if TYPE_CHECKING:
    from fairlead.images.upload import Upload

PIECE = 1 << 20  # bytes read and sent at a time


@dataclass
class Transfer:
    """One blob. `location`: where the registry takes it; empty: not begun. furthest: bytes that
    have left us, in the best of all tries.
    """

    upload: "Upload"
    blob: Blob
    moved: Callable[[int], None]
    location: str = ""
    offset: int = 0
    furthest: int = 0

    def position(self) -> int:
        return self.furthest

    def go_on(self) -> None:
        """Send all that the registry lacks, in one request. Raises Unreachable when it is cut."""
        if self.furthest == self.blob.size and self.upload.holds(self.blob):
            return  # only its answer was lost
        if self.location:
            self.recover()
        if not self.location and self.begin():
            return
        self.put()

    def begin(self) -> bool:
        """Ask for a place to send to; True when the blob was lent by another repository."""
        lender = self.upload.mounts.get(self.blob.digest, "")
        query = {"mount": self.blob.digest, "from": lender} if lender else {}
        path = "blobs/uploads/" + (f"?{urlencode(query)}" if query else "")
        answer = self.upload.send("POST", path, {"Content-Length": "0"})
        self.upload.expect(answer, (201, 202), "a layer was announced")
        if answer.status == 201:
            self.upload.sent.there += self.blob.size
            return True
        self.location, self.offset = answer.headers.get("location", ""), 0
        return False

    def recover(self) -> None:
        """Ask how much of it arrived; begin anew when the registry has forgotten the upload."""
        answer = self.upload.send("GET", self.location)
        arrived = _received(answer)
        if answer.status not in (204, 202) or arrived > self.furthest:
            self.location, self.offset = "", 0
            return
        self.location, self.offset = answer.headers.get("location", self.location), arrived

    def put(self) -> None:
        mark = "&" if "?" in self.location else "?"
        path = f"{self.location}{mark}{urlencode({'digest': self.blob.digest})}"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self.blob.size - self.offset),
        }
        if self.offset:
            headers["Content-Range"] = f"{self.offset}-{self.blob.size - 1}"
        file = self.upload.layout.path(self.blob.digest)
        rest = _Rest(file, self.offset, self.left, self.upload.state)
        answer = self.upload.send("PUT", path, headers, rest)
        if answer.status == 404 or (self.offset and answer.status in (400, 416)):
            self.location = ""  # what it told of its place does not hold: all of it anew
            raise Unreachable(f"{self.upload.exchange.server} lost its place in a layer")
        self.upload.expect(answer, (201, 204), "a layer was sent")
        told = answer.headers.get("docker-content-digest", self.blob.digest)  # it was asked for
        self.upload.same(told, self.blob.digest, "a layer")

    def left(self, size: int, position: int) -> None:
        """So many bytes more have left us."""
        if self.upload.cancel.is_set():
            raise KeyboardInterrupt
        self.upload.sent.bytes += size
        self.furthest = max(self.furthest, position)
        self.moved(position)


@dataclass(frozen=True)
class _Rest:
    """A file from an offset on, as often as it is iterated. left: told (bytes, position).

    Raises PreconditionError, with the state of the image's tags, when it cannot be read: an
    OSError would be taken for the connection's.
    """

    path: Path
    offset: int
    left: Callable[[int, int], None]
    state: str

    def __iter__(self) -> Iterator[bytes]:
        with on_disk("a layer cannot be read", self.state), self.path.open("rb") as file:
            file.seek(self.offset)
            while piece := file.read(PIECE):
                yield piece
                self.left(len(piece), file.tell())


def _received(answer: Answer) -> int:
    """Bytes the registry has: `Range: 0-1023` is 1024. An empty upload is `0-0` or `0--1`."""
    found = re.fullmatch(r"(?:bytes=)?0-(-?\d+)", answer.headers.get("range", ""))
    last = int(found[1]) if found else 0
    return last + 1 if last > 0 else 0
