"""A backup's files in a folder on this machine, as they come in a stream of tar."""

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from fairlead.errors import FairleadError


class _Reader(io.RawIOBase):
    """Chunks as a file that can be read once; `count` is how many bytes there were."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self.count += len(chunk)
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def unpack(chunks: Iterator[bytes], folder: Path, stamp: str) -> int:
    """Write the backup to folder/stamp, which is there only once its checksums were read there.

    Returns the bytes that came. Files that would land elsewhere are refused (tarfile's "data"
    filter). Raises FairleadError, and leaves nothing, when it is not whole.
    """
    partial = folder / f".{stamp}.partial"
    old_mask = os.umask(0o077)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        reader = _Reader(chunks)
        with tarfile.open(fileobj=io.BufferedReader(reader), mode="r|") as archive:
            archive.extractall(partial, filter="data")
        if faults := wrong_files(partial / stamp):
            raise _damaged(stamp, folder, faults)
        _take_its_place(partial / stamp, folder / stamp)
    except (OSError, tarfile.TarError) as error:
        raise _damaged(stamp, folder, [str(error)]) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.umask(old_mask)
    return reader.count


def wrong_files(backup: Path) -> list[str]:
    """The files of a backup that are missing or differ from its SHA256SUMS."""
    sums = backup / "SHA256SUMS"
    if not sums.is_file():
        return ["SHA256SUMS is missing"]
    wrong = []
    for line in sums.read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        file = backup / name
        if not file.is_file():
            wrong.append(f"{name} is missing")
        elif _sha256(file) != digest:
            wrong.append(f"{name} differs from its checksum")
    return wrong


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _take_its_place(new: Path, place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
    new.rename(place)


def _damaged(stamp: str, folder: Path, faults: list[str]) -> FairleadError:
    return FairleadError(
        f"backup {stamp} did not arrive whole in {folder}",
        why=faults[:5],
        state="there is no copy; the backup itself was not touched",
        next_step="repeat the command",
    )
