"""Which environments of a project demand something of a commit."""

from pathlib import Path

from fairlead.config.local import BASE
from fairlead.config.project import FOLDER, environment_names
from fairlead.config.toml_file import overlaid, read_toml
from fairlead.errors import Problem


def gated_environments(root: Path) -> tuple[str, ...]:
    """The environments that have gates, sorted; a file that cannot be read names none."""
    ignored: list[Problem] = []
    base = read_toml(root, BASE, ignored).raw

    def has_gates(name: str) -> bool:
        whole = overlaid(base, read_toml(root, f"{FOLDER}/{name}.toml", ignored), ignored)
        gates = whole.get("gates")
        return isinstance(gates, dict) and bool(gates.get("require"))

    return tuple(name for name in environment_names(root) if has_gates(name))
