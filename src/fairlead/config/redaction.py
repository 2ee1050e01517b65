"""Masks secrets in any text a person, a log or a machine may read.

What is masked: values of variables whose name says so, values that look random, the password in
`scheme://user:password@host`, and each of these as URLs, base64, shells, JSON and compose write it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from fairlead.model import Secret

MASK = "•••"
SHORTEST = 4  # shorter values are in every text; masking them would hide nothing and spoil all

_SAYS_SECRET = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|AUTHORIZATION|WEBHOOK|APIKEY"
    r"|(PASS|PWD|KEY|KEYS|AUTH|DSN|SALT)([_.-]|$)"
)
_PLAIN_WORDS = frozenset(
    {"true", "false", "none", "null", "enabled", "disabled", "default", "required", "optional"}
    | {"production", "staging", "development", "testing", "localhost"}
)


class Redactor:
    """Knows an environment's secrets and takes them out of texts.

    secret_names and clear_names overrule what a variable's name or value looks like; extra are
    secrets that are no variable, such as the registry's password.
    """

    def __init__(
        self,
        variables: Mapping[str, Secret],
        secret_names: Iterable[str] = (),
        clear_names: Iterable[str] = (),
        extra: Iterable[Secret] = (),
    ) -> None:
        secret, clear = frozenset(secret_names), frozenset(clear_names)
        found = {one.reveal() for one in extra}
        for name, one in variables.items():
            if name in secret:
                found.add(one.reveal())
            elif name not in clear:
                found.update(_secrets_of(name, one.reveal()))
        self._pattern = re.compile(_alternatives(_forms(found)))

    def redact(self, text: str) -> str:
        """The text with every secret replaced by •••, in one pass."""
        return self._pattern.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    user = match["user"]
    return MASK if user is None else f"{user}:{MASK}"


def says_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret."""
    return bool(_SAYS_SECRET.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()))


def looks_random(text: str) -> bool:
    """Whether a text looks like a generated key: long, unbroken, of mixed classes, varied.

    Words and camelCase change between lower case, upper case and digits less than once in five
    characters; hexadecimal and base64 more than once in three.
    """
    if len(text) < 16 or re.search(r"\s", text):
        return False
    from itertools import pairwise

    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in text if c.isalnum()]
    changes = sum(a != b for a, b in pairwise(kinds))
    return changes >= len(text) / 5 and _entropy(text) >= 3


def _entropy(text: str) -> float:
    """Shannon's bits per character."""
    from collections import Counter
    from math import log2

    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)


def _secrets_of(name: str, value: str) -> Iterator[str]:
    """What is secret in a variable's value: all of it, parts of it, or nothing."""
    if says_secret(name) and value.strip().lower() not in _PLAIN_WORDS:
        yield value
        yield from (part for part in re.split("[,;]", value) if len(part) >= 6)
    if looks_random(value) and "://" not in value:  # of a URL only the parts are judged
        yield value
    yield from (part for part in re.split(r"[\s/?&=#,;:@'\"]+", value) if looks_random(part))
    for found in re.finditer(r"://[^\s/:@]*:(\S+)@", value):
        yield found[1]


def _forms(secrets: Iterable[str]) -> set[str]:
    """Every spelling of every secret, each line of a long one by itself."""
    lines = {line for one in secrets for line in (one, *one.splitlines())}
    long_enough = {line.strip() for line in lines if len(line.strip()) >= SHORTEST}
    return {form for one in long_enough for form in _spellings(one)}


def _spellings(text: str) -> Iterator[str]:
    from json import dumps
    from urllib.parse import quote, quote_plus, unquote

    yield from (text, text.replace("$", "$$"))
    yield from (text.replace("'", "'\\''"), text.replace("'", "'\"'\"'"))
    yield from (dumps(text)[1:-1], dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])
    raw = text.encode(errors="surrogateescape")
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    if len(plain := unquote(text)) >= SHORTEST:  # a password inside a URL is written quoted
        yield plain
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    """base64 of the bytes at each of three alignments: alone, or inside `user:password`."""
    from base64 import b64encode, urlsafe_b64encode

    yield b64encode(raw).decode().rstrip("=")
    yield urlsafe_b64encode(raw).decode().rstrip("=")
    for shift in range(3):
        encoded = b64encode(bytes(shift) + raw).decode()
        first, last = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
        certain = encoded[first:last]
        if len(certain) >= 6:
            yield certain
            yield certain.translate(str.maketrans("+/", "-_"))


def _alternatives(forms: Iterable[str]) -> str:
    """One regex for all forms, longest first, branching on the first two characters for speed."""
    groups: dict[str, list[str]] = {}
    for form in sorted(forms, key=lambda one: (-len(one), one)):
        groups.setdefault(form[:2], []).append(form[2:])
    branches = [
        f"{re.escape(head)}(?:{'|'.join(_bounded(head, tail) for tail in tails)})"
        for head, tails in sorted(groups.items())
    ]
    userinfo = r"(?<=://)(?P<user>[^\s/:@]*):[^\s/]+(?=@)"
    return "|".join([*branches, userinfo])


def _bounded(head: str, tail: str) -> str:
    """A number is masked where it stands alone: 3600 is not in 13600."""
    if (head + tail).isdecimal() and len(head + tail) < 8:
        return rf"{tail}(?<!\d{head}{tail})(?!\d)"
    return re.escape(tail)
