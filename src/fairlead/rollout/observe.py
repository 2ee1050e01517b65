"""One read-only script per host, and its answer turned into values."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fairlead.errors import HostError
from fairlead.images.reference import parse
from fairlead.model import REVISION, ReleaseStatus, Result
from fairlead.rollout import journal
from fairlead.rollout.observed import Backup, Container, HostState, KeptRelease, Live, LockHolder

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}

# What the lesser looks ask for: HostState's fields. All others last as long as a roll-out.
SERVING = frozenset({"live_runtime", "live_file", "containers", "router", "router_ports"})
STATE = SERVING | {
    *("router_config", "router_certificate", "foreign_routes", "lock", "releases", "backups"),
    *("files", "last_audit", "clock", "irreversible", "half_restored", "runs"),
}


def parse_state(
    host: str, result: Result, known: HostState | None = None, asked: frozenset[str] = STATE
) -> HostState:
    """A host's answer to `fl_observe`; or to a lesser look, with what is `known` from the first.

    asked: the fields that the lesser look tells anew. Raises HostError when the answer cannot be
    understood.
    """
    fields: dict[str, Any] = _lasting(known, asked) if known else {}
    for line in result.out.splitlines():
        _read_line(host, fields, line)
    if "docker" not in fields or not result.ok:
        raise HostError(
            host,
            f"gave no usable answer (exit code {result.code})",
            why=result.err.strip().splitlines()[-3:],
            next_step="inv doctor",
        )
    return HostState(host=host, **{key: _frozen(value) for key, value in fields.items()})


def _lasting(known: HostState, asked: frozenset[str]) -> dict[str, Any]:
    fields = vars(known)
    return {name: fields[name] for name in fields.keys() - asked - {"host"}}


def _read_line(host: str, fields: dict[str, Any], line: str) -> None:
    word, *rest = re.split(r"[ \t]", line, maxsplit=1)
    reader = _READERS.get(word)
    if reader is None:
        return
    try:
        reader(fields, "".join(rest))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise HostError(
            host,
            f"gave an answer that cannot be understood: {line[:100]}",
            next_step="look at the file or container it names on the host; inv doctor",
        ) from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _docker(fields: dict[str, Any], rest: str) -> None:
    version, _, platform = rest.partition(" ")
    if version in ("missing", "unreachable"):
        fields["docker"] = rest
        return
    system, _, machine = platform.partition("/")
    fields["docker"] = version
    fields["platform"] = f"{system}/{ARCHITECTURES.get(machine, machine)}"


def _disk(fields: dict[str, Any], rest: str) -> None:
    fields["disk_kib"] = int(rest.split()[0])


def _held(fields: dict[str, Any], rest: str) -> None:
    fields["lock"] = LockHolder.parse(rest)


def _run(fields: dict[str, Any], rest: str) -> None:
    fields.setdefault("runs", []).append(journal.parse(rest))


def _live(fields: dict[str, Any], rest: str) -> None:
    found = re.search(r"runtime=(\S+) file=(\S+)", rest)
    if found:
        fields["live_runtime"] = Live.parse(found[1])
        fields["live_file"] = Live.parse(found[2])


def _container(fields: dict[str, Any], rest: str) -> None:
    raw = json.loads(rest)
    labels: Mapping[str, str] = raw["labels"]
    fields.setdefault("containers", []).append(
        Container(
            id=raw["id"][:12],
            name=raw["name"].removeprefix("/"),
            service=labels.get("fairlead.service", ""),
            slot=labels.get("fairlead.slot", ""),
            release=labels.get("fairlead.release", ""),
            image=raw["image"],
            status=raw["status"],
            exit_code=raw["exit_code"],
            oom=raw["oom"],
            restarts=raw["restarts"],
            health=raw["health"],
            backend=labels.get("fairlead.backend", ""),
            one_off=labels.get("com.docker.compose.oneoff") == "True",
            revision=labels.get(REVISION, ""),
        )
    )


def _release(fields: dict[str, Any], rest: str) -> None:
    fields.setdefault("releases", []).append(_kept(rest))


def _backed_up_release(fields: dict[str, Any], rest: str) -> None:
    one = _kept(rest, from_backup=True)
    if one.id not in {kept.id for kept in fields.setdefault("releases", [])}:
        fields["releases"].append(one)


def _kept(rest: str, *, from_backup: bool = False) -> KeptRelease:
    status, _, text = rest.partition(" ")
    manifest = json.loads(text)
    return KeptRelease(
        manifest["id"], manifest["sequence"], ReleaseStatus(status), manifest, from_backup
    )


def _backup(fields: dict[str, Any], rest: str) -> None:
    stamp, release, sequence = (*rest.split(" "), "", "")[:3]  # one may be of nothing that was live
    fields.setdefault("backups", []).append(Backup(stamp, release, int(sequence or 0)))


def _backup_data(fields: dict[str, Any], rest: str) -> None:
    """A manifest that cannot be read is a backup without data: `backups.verify` says why."""
    stamp, _, text = rest.partition(" ")
    fields["backups"] = [
        _with_data(one, text) if one.stamp == stamp else one for one in fields["backups"]
    ]


def _with_data(backup: Backup, text: str) -> Backup:
    try:
        whole = replace(backup, data=json.loads(text))
        return whole if whole.taken and whole.bytes else backup  # both read, to notice a wrong one
    except (ValueError, TypeError, KeyError, AttributeError):
        return replace(backup, broken=True)


def _image(fields: dict[str, Any], rest: str) -> None:
    reference, _, presence = rest.rpartition(" ")
    fields.setdefault("images", {})[reference] = presence == "present"


def _pinned(fields: dict[str, Any], rest: str) -> None:
    """Docker leaves its own registry's name out; references here have it."""
    fields.setdefault("images", {})[str(parse(rest))] = True


def _text(name: str) -> Callable[[dict[str, Any], str], None]:
    def read(fields: dict[str, Any], rest: str) -> None:
        fields[name] = rest

    return read


def _route(fields: dict[str, Any], rest: str) -> None:
    prefix, _, key = rest.partition(" ")
    fields.setdefault("foreign_routes", {})[prefix] = key


def _ports(rest: str) -> tuple[int, int]:
    http, _, https = rest.partition(" ")
    return int(http), int(https)


def _flock(fields: dict[str, Any], rest: str) -> None:
    fields["flock"] = rest != "missing"


_READERS: Mapping[str, Callable[[dict[str, Any], str], None]] = {
    "@docker": _docker,
    "@disk": _disk,
    "@compose": _text("compose"),
    "@flock": _flock,
    "@writable": _text("writable"),
    "@router": _text("router"),
    "@router-ports": lambda fields, rest: fields.update(router_ports=_ports(rest)),
    "@router-config": _text("router_config"),
    "@router-certificate": _text("router_certificate"),
    "@route": _route,
    "@live": _live,
    "@held": _held,
    "@run-of": _run,
    "@container": _container,
    "@release": _release,
    "@backup": _backup,
    "@backup-data": _backup_data,
    "@clock": lambda fields, rest: fields.update(clock=int(rest)),
    "@irreversible": lambda fields, rest: fields.setdefault("irreversible", []).append(rest),
    "@half-restored": lambda fields, rest: fields.setdefault("half_restored", []).append(rest),
    "@backed-up-release": _backed_up_release,
    "@audit": _text("last_audit"),
    "@image": _image,
    "@pinned": _pinned,
    "@files": lambda fields, rest: fields.update(files=rest.split()),
}
