"""Smoke checks: what is asked of a release, from where, and whether the answer will do."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from fairlead.commands import host as phrases
from fairlead.config import Environment, SmokeCheck
from fairlead.engines.compose.addresses import entrance, host_name, service_for
from fairlead.model import Command
from fairlead.rollout.situation import Situation


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: `source` is who was asked. status 0: none came, and `error` says why."""

    source: str
    status: int
    body: str
    seconds: float
    location: str = ""
    error: str = ""
    tls_days: float | None = None


def from_host(environment: Environment) -> tuple[SmokeCheck, ...]:
    """What hosts ask. Of TLS they see nothing: the certificate is looked at from here."""
    return tuple(replace(check, tls_days=0) for check in environment.smoke if "host" in check.from_)


def from_client(environment: Environment) -> tuple[SmokeCheck, ...]:
    return tuple(check for check in environment.smoke if "client" in check.from_)


def idle_commands(
    situation: Situation, name: str, checks: tuple[SmokeCheck, ...]
) -> tuple[Command, ...]:
    """Questions to the containers of the idle slot, past the router, for the service each path
    is routed to."""
    environment, project = situation.environment, situation.new_project(name)
    proto = ("https",) if entrance(environment) == "https" else ()
    commands = []
    for index, check in enumerate(checks):
        service = service_for(environment, check.path)
        if service is None or service not in situation.part(name).routed:
            continue
        backend = situation.layout.backend(situation.new_slot(name), service)
        port = environment.service(service).port or 0
        request = (*_request(environment, check), *proto)
        commands.append(phrases.ask_containers(index, project, backend, port, request))
    return tuple(commands)


def router_commands(
    environment: Environment, checks: tuple[SmokeCheck, ...]
) -> tuple[Command, ...]:
    """The same questions through the host's own router."""
    return tuple(
        phrases.ask_router(index, entrance(environment), _request(environment, check))
        for index, check in enumerate(checks)
    )


def _request(environment: Environment, check: SmokeCheck) -> tuple[str, ...]:
    return (check.method, check.path, host_name(environment), f"{check.max_time:.3g}")


def parse_answers(output: str) -> dict[int, list[Answer]]:
    """`@http INDEX SOURCE SECONDS BASE64(raw response, or what went wrong)` lines, by index."""
    answers: dict[int, list[Answer]] = {}
    for line in output.splitlines():
        if line.startswith("@http "):
            _, index, source, seconds, raw = (line + " ").split(" ")[:5]
            answers.setdefault(int(index), []).append(_answer(source, float(seconds), raw))
    return answers


def _answer(source: str, seconds: float, raw: str) -> Answer:
    head, _, body = base64.b64decode(raw).partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return Answer(source, 0, "", seconds, error=first.strip() or "no answer")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunk(body)
    text = body.decode("utf-8", "replace")
    return Answer(source, int(words[1]), text, seconds, headers.get("location", ""))


def _unchunk(body: bytes) -> bytes:
    """The chunks joined (RFC 9112, 7.1); what is cut off or no chunk ends it."""
    parts, rest = [], body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if length <= 0:
            break
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts)


def judge(check: SmokeCheck, answer: Answer) -> list[str]:
    """What is wrong with an answer, a sentence each; none when the check has passed."""
    at = f"{check.name} ({check.method} {check.path} at {answer.source})"
    if answer.status == 0:
        return [f"{at}: {answer.error}"]
    if answer.status not in check.status:
        to = f" to {answer.location}" if answer.location else ""
        return [f"{at}: HTTP {answer.status}{to}, expected {check.status}", *_excerpt(answer.body)]
    faults = []
    if check.contains and check.contains not in answer.body:
        faults.append(f"{at}: the body does not contain {check.contains!r}")
    faults += [f"{at}: {fault}" for fault in _json_faults(check.json, answer.body)]
    if answer.seconds > check.max_time:
        faults.append(f"{at}: took {answer.seconds:.2f} s, at most {check.max_time:g} s allowed")
    if check.tls_days:
        faults += [f"{at}: {fault}" for fault in _tls_faults(check.tls_days, answer.tls_days)]
    return faults


def _tls_faults(wanted: int, days: float | None) -> list[str]:
    if days is None:
        return ["not asked over https, so its certificate was not looked at"]
    return [f"the certificate ends in {days:.0f} days"] if days < wanted else []


def _excerpt(body: str) -> list[str]:
    line = " ".join(body.split())
    return [f"  answer: {line[:200]}"] if line else []


def _json_faults(wanted: Mapping[str, Any], body: str) -> list[str]:
    if not wanted:
        return []
    try:
        document = json.loads(body)
    except ValueError:
        return ["the body is not JSON"]
    return [
        f"JSON {path} is {json.dumps(found)}, expected {json.dumps(value)}"
        for path, value in wanted.items()
        if not _equal(found := _lookup(document, path), value)
    ]


def _equal(found: object, value: object) -> bool:
    """As JSON sees it: `1` and `1.0` are equal, `1` and `true` are not."""
    return found == value and isinstance(found, bool) is isinstance(value, bool)


def _lookup(document: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document.get(key)
        else:
            return None
    return document


def ask(url: str, check: SmokeCheck, host: str = "") -> Answer:
    """Ask from this machine; redirects are not followed, they are an answer.

    host: the Host header, if it is not the url's own. A user and password in the url are sent.
    """
    import http.client
    import ssl

    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    path = parts.path.rstrip("/") + check.path
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(place, timeout=max(check.max_time * 2, 5.0))
    started = time.monotonic()
    try:
        connection.request(check.method, path, headers=_headers(parts, host))
        days = _tls_days(connection.sock) if secure and check.tls_days else None
        response = connection.getresponse()
        body = response.read(1 << 20).decode("utf-8", "replace")
        seconds = time.monotonic() - started
        location = response.getheader("Location", "")
        return Answer(place, response.status, body, seconds, location or "", "", days)
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        seconds = time.monotonic() - started
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return Answer(place, 0, "", seconds, error=reason or type(error).__name__)
    finally:
        connection.close()


def _headers(url: SplitResult, host: str) -> dict[str, str]:
    headers = {"User-Agent": "fairlead"}
    if host:
        headers["Host"] = host
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


def _tls_days(sock: Any) -> float | None:
    import ssl

    found = sock.getpeercert() if hasattr(sock, "getpeercert") else None
    if not found:
        return None
    return (ssl.cert_time_to_seconds(str(found["notAfter"])) - time.time()) / 86400
