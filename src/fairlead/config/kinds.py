"""What one value of a configuration file may be: its type, and the check that makes it so.

A kind is `Annotated[type, parse]`: `parse` takes the value as TOML gave it (with `${…}` expanded)
and returns the value the program works with, or raises ValueError with a clause that begins
"must". Whatever ends up in a remote command, a router file or a path is held to a narrow alphabet
here, so that no later floor has to be careful.
"""

import re
from collections.abc import Callable
from typing import Annotated

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def matching(pattern: str, must: str) -> Callable[[object], str]:
    """A check that a text matches the whole pattern; `must` says what a person should write."""

    def parse(value: object) -> str:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise ValueError(must)

    return parse


def whole(low: int, high: int, what: str) -> Callable[[object], int]:
    """A check that a number is whole and within low..high."""

    def parse(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise ValueError(f"must be {what}")

    return parse


def duration(value: object) -> float:
    """Seconds, from `"500ms"`, `"30s"`, `"10m"` or `"2h"`."""
    found = isinstance(value, str) and re.fullmatch(
        r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", value
    )
    if not found:
        raise ValueError('must be a duration such as "500ms", "30s", "10m" or "2h"')
    return float(found[1]) * SECONDS[found[2]]


def positive_duration(value: object) -> float:
    """Seconds as `duration` reads them, more than none."""
    if seconds := duration(value):
        return seconds
    raise ValueError("must be longer than nothing")


def command_line(value: object) -> tuple[str, ...]:
    """The words of a command written as one text, quotes as in a shell; no shell runs it."""
    import shlex

    if not isinstance(value, str) or "\0" in value:
        raise ValueError('must be a command line in one text, such as "npm test"')
    try:
        return tuple(shlex.split(value))
    except ValueError:
        raise ValueError("must be a command line whose quotes are closed") from None


def percent(value: object) -> float:
    """A number from 0 to 100."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100:
        return float(value)
    raise ValueError("must be a number from 0 to 100, in percent")


def size(value: object) -> int:
    """Bytes, from `"500MB"`, `"20GB"` or `"1TiB"`; nothing is 0."""
    if value == "":
        return 0
    found = isinstance(value, str) and re.fullmatch(r"([0-9]{1,6})([MGT]i?B)", value)
    if not found:
        raise ValueError('must be a size such as "500MB", "20GB" or "1TiB"')
    return int(found[1]) * BYTES[found[2]]


def base_directory(value: object) -> str:
    """An absolute folder on a host, without `..` and without a slash at its end."""
    must = 'must be an absolute path on the host such as "/opt", of letters, digits and ._-'
    path = matching(r"(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+/?", must)(value)
    return path.rstrip("/")


def address(value: object) -> str:
    """A host name or an IP address: no user, no port, nothing ssh would take for an option."""
    must = "must be a host name or an IP address"
    if isinstance(value, str) and "@" in value:
        raise ValueError(f"{must} without a user; write `user` beside it")
    if isinstance(value, str) and re.fullmatch(r"[^:]+:[0-9]+", value):
        raise ValueError(f"{must} without a port; write `port` beside it")
    return matching(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?", must)(
        "" if isinstance(value, str) and value.startswith("-") else value
    )


def network(value: object) -> str:
    """An IP address or network, IPv4 or IPv6, in its usual spelling."""
    from ipaddress import ip_network

    must = 'must be an IP address, or a network such as "10.0.0.0/8" without bits behind its mask'
    try:
        return str(ip_network(value if isinstance(value, str) else ""))
    except ValueError:
        raise ValueError(must) from None


def base_url(value: object) -> str:
    """`http://host[:port][/path]` without a slash at its end; empty for none."""
    must = 'must be a URL such as "https://staging.example.com", without user, query or fragment'
    parse = matching(r"|https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~%/-]*)?", must)
    return parse(value).rstrip("/")


AppName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9-]{0,30}",
        "must be 1 to 31 lower-case letters, digits and hyphens, beginning with a letter",
    ),
]
Name = Annotated[
    str,
    matching(
        r"[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?",
        "must be lower-case letters, digits and _.- (it becomes part of container names)",
    ),
]
ServiceName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
        "must be letters, digits and _.- (it becomes part of container names)",
    ),
]
Address = Annotated[str, address]
Network = Annotated[str, network]
User = Annotated[
    str,
    matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}", "must be a user name of letters, digits and _.-"),
]
Port = Annotated[int, whole(1, 65535, "a port, a whole number from 1 to 65535")]
Count = Annotated[int, whole(1, 1000, "a whole number from 1 to 1000")]
Days = Annotated[int, whole(0, 3650, "a whole number of days from 0 to 3650")]
Duration = Annotated[float, duration]
PositiveDuration = Annotated[float, positive_duration]
BaseDirectory = Annotated[str, base_directory]
BaseUrl = Annotated[str, base_url]
LocalPath = Annotated[
    str,
    matching(r"|[^-\x00-\x1f][^\x00-\x1f]*", "must be a path that does not begin with a hyphen"),
]
HostPath = Annotated[
    str,
    matching(
        r"|(/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*)+",
        "must be an absolute path on the host, of letters, digits and ._-, without `..`",
    ),
]
UrlPath = Annotated[
    str,
    matching(
        r"/[A-Za-z0-9._~=&?@%:,+/-]*",
        'must be a path such as "/health": it begins with a slash and is already percent-encoded',
    ),
]
CommandLine = Annotated[tuple[str, ...], command_line]
Percent = Annotated[float, percent]
Variable = Annotated[
    str,
    matching(
        r"|[A-Za-z_][A-Za-z0-9_]*",
        'must be the name of an environment variable, such as "REDIS_URL"',
    ),
]
Repository = Annotated[
    str,
    matching(
        r"|[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
        "must be an image repository such as registry.example.com/team/app, without a tag or"
        " digest (the tag is --tag)",
    ),
]
ImageReference = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._/:@-]*",
        'must be an image such as "haproxy:3.0"',
    ),
]
OptionalImage = Annotated[
    str,
    matching(r"|[A-Za-z0-9][A-Za-z0-9._/:@-]*", 'must be an image such as "redis:8"'),
]
RegistryServer = Annotated[
    str,
    matching(
        r"|[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?",
        'must be a registry such as "registry.example.com:5000", without scheme or path',
    ),
]
