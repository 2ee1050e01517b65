"""The schema of SARIF 2.1.0, as sarif-multitool knows it: it is OASIS's, and not kept here."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.tools import needs, programs


def complaints(folder: Path) -> list[dict[str, Any]]:
    """What is wrong with the file scan.sarif of a folder. Skips where the program is missing."""
    needs("sarif-multitool")
    tool = programs(folder).find("sarif-multitool")
    argv = [str(tool), "validate", "scan.sarif", "--output", "told.sarif"]
    environ = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}  # it needs no ICU then
    subprocess.run(argv, cwd=folder, env=environ, capture_output=True, timeout=90, check=True)
    told = json.loads((folder / "told.sarif").read_text("utf-8-sig"))
    return [one for run in told["runs"] for one in run["results"] if one.get("level") == "error"]
