"""How the compose file says that services are built: read as text, Compose is not asked."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairlead.config.local import BASE
from fairlead.config.project import FOLDER
from fairlead.engines.compose.declared import parsed


def compose_file(root: Path) -> str:
    """Its path from the repository's root, as git tells it; whether it is there or not."""
    try:
        named = tomllib.loads((root / BASE).read_text(encoding="utf-8-sig")).get("compose")
    except (OSError, ValueError):
        named = None
    return os.path.normpath(f"{FOLDER}/{named or 'compose.yaml'}")


def built_services(text: str) -> dict[str, Mapping[str, Any]]:
    """Those that a compose file builds, each with all that is written of it."""
    services = parsed(text.encode()).get("services")
    known = services.items() if isinstance(services, dict) else ()
    return {name: one for name, one in known if isinstance(one, dict) and one.get("build")}
