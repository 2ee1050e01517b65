"""A vulnerability database as trivy reads it, with one invented advisory.

The content is that of trivy-db, schema 2: buckets of JSON. The file is bbolt's, which Go programs
map into memory: pages of 4 KiB, two meta pages first (go.etcd.io/bbolt, internal/common).
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.advisory_server import INVENTED

PAGE = 4096
MAGIC, VERSION = 0xED0CDAED, 2
LEAF, META, FREELIST, BUCKET = 0x02, 0x04, 0x10, 0x01
SOURCE = "pip::Invented for the tests"

Bucket = Mapping[str, Any]  # name → a bucket, or a JSON document in a list of one

CONTENT: Bucket = {
    "data-source": {SOURCE: [{"ID": "invented", "Name": INVENTED, "URL": "https://example.com"}]},
    SOURCE: {
        "jinja2": {
            "CVE-0000-0001": [{"PatchedVersions": ["3.1.5"], "VulnerableVersions": ["<3.1.5"]}]
        }
    },
    "vulnerability": {
        "CVE-0000-0001": [{"Title": INVENTED, "Description": INVENTED, "Severity": "CRITICAL"}]
    },
}


def write_database(cache: Path) -> None:
    """Write it where `trivy --cache-dir=<cache> --skip-db-update` looks for it."""
    folder = cache / "db"
    folder.mkdir(parents=True)
    pages: dict[int, bytes] = {2: _page(2, FREELIST, 0, b"")}
    root = _write(CONTENT, pages)
    for number in (0, 1):
        pages[number] = _page(number, META, 0, _meta(root, number, len(pages) + 2 - number))
    (folder / "trivy.db").write_bytes(b"".join(pages[number] for number in sorted(pages)))
    times = dict.fromkeys(("UpdatedAt", "DownloadedAt"), "2026-01-01T00:00:00Z")
    metadata = {"Version": 2, "NextUpdate": "2099-01-01T00:00:00Z", **times}
    (folder / "metadata.json").write_text(json.dumps(metadata))


def _write(bucket: Bucket, pages: dict[int, bytes]) -> int:
    """Give the bucket and those in it a page each; the number of its own."""
    entries = []
    for name, held in sorted(bucket.items()):
        if isinstance(held, list):
            entries.append((0, name.encode(), json.dumps(held[0]).encode()))
        else:
            entries.append((BUCKET, name.encode(), struct.pack("<QQ", _write(held, pages), 0)))
    number = max(pages) + 1
    pages[number] = _page(number, LEAF, len(entries), _elements(entries))
    return number


def _elements(entries: list[tuple[int, bytes, bytes]]) -> bytes:
    """Their heads, each with the distance to its key, then keys and values."""
    heads, data = b"", b""
    for index, (flags, key, value) in enumerate(entries):
        distance = 16 * (len(entries) - index) + len(data)
        heads += struct.pack("<IIII", flags, distance, len(key), len(value))
        data += key + value
    return heads + data


def _page(number: int, flags: int, count: int, body: bytes) -> bytes:
    page = struct.pack("<QHHI", number, flags, count, 0) + body
    assert len(page) <= PAGE
    return page.ljust(PAGE, b"\0")


def _meta(root: int, transaction: int, pages: int) -> bytes:
    body = struct.pack("<IIIIQQQQQ", MAGIC, VERSION, PAGE, 0, root, 0, 2, pages, transaction)
    return body + struct.pack("<Q", _fnv1a(body))


def _fnv1a(body: bytes) -> int:
    digest = 0xCBF29CE484222325
    for byte in body:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest
