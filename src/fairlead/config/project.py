"""Where a project is, and which environments it declares."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from fairlead.errors import UsageError

FOLDER = "deploy"
FILE = "fairlead.toml"
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9]{0,30}")
# Slots, the router and files of deploy/ have these names already: `<app>-blue` is no environment.
_RESERVED = frozenset({"blue", "green", "router", "fairlead", "exclusions"})


def find_root(start: Path, environ: Mapping[str, str] | None = None) -> Path:
    """The nearest folder from `start` upwards that has deploy/fairlead.toml.

    FAIRLEAD_ROOT names the folder instead. Raises UsageError when there is none.
    """
    named = (os.environ if environ is None else environ).get("FAIRLEAD_ROOT")
    if named:
        root = Path(named).expanduser().resolve()
        if (root / FOLDER / FILE).is_file():
            return root
        raise UsageError(
            f"FAIRLEAD_ROOT is {root}, which has no {FOLDER}/{FILE}",
            next_step="unset FAIRLEAD_ROOT, or let it name the project's folder",
        )
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER / FILE).is_file():
            return folder
    raise UsageError(
        f"no {FOLDER}/{FILE} in {start} or any folder above it",
        next_step="change to the project's folder, or write one: fairlead init",
    )


def repository_root(start: Path, environ: Mapping[str, str]) -> Path:
    """The nearest folder from `start` upwards with deploy/fairlead.toml, else the nearest with
    .git, else `start`; FAIRLEAD_ROOT names the folder instead."""
    if named := environ.get("FAIRLEAD_ROOT"):
        return Path(named).expanduser().resolve()
    start = start.resolve()
    folders = (start, *start.parents)
    declared = (folder for folder in folders if (folder / FOLDER / FILE).is_file())
    cloned = (folder for folder in folders if (folder / ".git").exists())
    return next(declared, None) or next(cloned, start)


def environment_names(root: Path) -> tuple[str, ...]:
    """The environments of a project: one for each deploy/<name>.toml, sorted.

    A name has no hyphen, so that `<app>-<environment>` never means two environments.
    """
    stems = (path.stem for path in (root / FOLDER).glob("*.toml"))
    return tuple(sorted(stem for stem in stems if is_environment_name(stem)))


def is_environment_name(name: str) -> bool:
    """Whether a text may name an environment: lower-case letters and digits, none of ours."""
    return bool(_ENVIRONMENT.fullmatch(name)) and name not in _RESERVED


def require_environment(name: str, root: Path, names: tuple[str, ...]) -> None:
    """Raise UsageError unless the project declares the environment."""
    if name in names:
        return
    from fairlead.config.loader import nearest

    meant = nearest(name, names)
    listed = ", ".join(names) or "none"
    file = f"{FOLDER}/{name}.toml"
    why = [f"environments declared in {FOLDER}/: {listed}"]
    step = f"--env={meant}" if meant else f"--env=<{'|'.join(names)}>" if names else ""
    if not is_environment_name(name):
        why.append(
            "a name is lower-case letters and digits, and none of these, which mean something "
            f"else: {', '.join(sorted(_RESERVED))}"
        )
        step = step or f"write {FOLDER}/staging.toml"
    elif not meant:
        step = f"write {file}" + (f", or {step}" if step else "")
    raise UsageError(
        f"no environment `{name}`" + (f" (did you mean `{meant}`?)" if meant else ""),
        why=why,
        state="no host was contacted; nothing was changed",
        next_step=step,
    )
