"""SPDX licence expressions: `(MIT OR Apache-2.0) AND GPL-3.0-only WITH Classpath-exception-2.0`."""

import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(r"\s*(?:([()])|(and|or)(?![\w.+:-])|([\w.+:-]+(?:\s+with\s+[\w.+:-]+)?))", re.I)
Group = list[list[int]]  # choices, each of them the weights of what binds together


def weighed(text: str, weigh: Callable[[str], int]) -> int | None:
    """How bad the licence is that an expression names; None for what is no expression.

    weigh: how bad one id is, 0 for one that is taken; `x WITH y` comes as it stands. What binds
    together is as bad as its worst part. Of a choice, one that is taken is enough. AND binds
    closer than OR; both may be written small.
    """
    groups: list[Group] = [[[]]]
    wants_licence = True
    for mark, word, licence in _tokens(text):
        begins = bool(licence or mark == "(")
        if begins != wants_licence or not (mark or word or licence):
            return None
        if mark == "(":
            groups.append([[]])
        elif mark == ")":
            inner = groups.pop()
            if not groups:
                return None
            groups[-1][-1].append(_worth(inner))
        elif licence:
            groups[-1][-1].append(weigh(licence))
        elif word.lower() == "or":
            groups[-1].append([])
        wants_licence = mark == "(" or bool(word)
    return None if wants_licence or len(groups) > 1 else _worth(groups[0])


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    """(parenthesis, AND or OR, licence), one of which is set; none of them for what is neither."""
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            yield "", "", ""
            return
        yield found[1] or "", found[2] or "", found[3] or ""
        at = found.end()


def _worth(group: Group) -> int:
    choices = [max(parts) for parts in group]
    return max(choices) if all(choices) else 0
