"""Faults for rehearsals: a release that goes wrong in a known way, to see how a deploy takes it.

A fault is chosen when the image is built (`--build-arg FAULT=unhealthy`) and is part of it, as a
real one would be. None is active in an image built without it.

exit       the API prints two lines and exits 3 when it starts
oom        the API takes memory when it starts, up to 512 MiB, until its limit kills it
unhealthy  /health answers 503
redirect   /health answers 301 to /healthz/
smoke      /health is fine, /api/v1/version answers 500
migrate    the migration fails
"""

import sys

KNOWN = ("exit", "oom", "unhealthy", "redirect", "smoke", "migrate")


def at_start(fault: str) -> None:
    """Does what `exit` and `oom` do when the API starts; ends the process for an unknown fault."""
    if fault == "exit":
        print("agentic: loading the model index", flush=True)
        print("agentic: model index is damaged: bad magic number", file=sys.stderr, flush=True)
        raise SystemExit(3)
    if fault == "oom":
        _take_memory()
    if fault and fault not in KNOWN:
        raise SystemExit(f"agentic: unknown FAULT {fault!r}, known are {', '.join(KNOWN)}")


def _take_memory() -> None:
    taken = [bytearray(b"\1" * 2**24) for _ in range(32)]
    raise SystemExit(f"agentic: took {len(taken) * 16} MiB and no limit stopped it")
