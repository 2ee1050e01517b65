"""The machine's facts that a figure means nothing without."""

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def facts() -> dict[str, str]:
    """Processor, memory, and the versions of what is measured."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"Linux {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("invoke", "fabric", "paramiko")},
        "ssh": _said(["ssh", "-V"]).split(",")[0],
        "Docker": _said(["docker", "version", "--format", "{{.Server.Version}}"]),
    }


def load() -> float:
    """How many processes wanted the processor, over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _said(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except OSError:
        return "none"
    return (done.stdout + done.stderr).strip()
