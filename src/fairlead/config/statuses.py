"""Which HTTP answers count as well."""

import re
from dataclasses import dataclass
from typing import Annotated

_MUST = 'must be an HTTP status, a range or a list of them: 200, "200-299" or [200, "300-399"]'


@dataclass(frozen=True)
class Statuses:
    """A set of HTTP statuses, as ranges low..high. Its text is HAProxy's: `200-299,404`."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: object) -> bool:
        return isinstance(status, int) and any(low <= status <= high for low, high in self.ranges)

    def __str__(self) -> str:
        return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in self.ranges)


ONLY_200 = Statuses(((200, 200),))
ANY_2XX = Statuses(((200, 299),))


def parse_statuses(value: object) -> Statuses:
    """Statuses from `200`, `"200-299"`, `"200,404"` or a list of such."""
    items = value if isinstance(value, list) else [value]
    parts = [part for item in items for part in _parts(item)]
    if not parts:
        raise ValueError(_MUST)
    return Statuses(tuple(parts))


def _parts(item: object) -> list[tuple[int, int]]:
    if isinstance(item, bool) or not isinstance(item, int | str):
        raise ValueError(_MUST)
    ranges = []
    for text in str(item).split(","):
        found = re.fullmatch(r"\s*([1-5][0-9][0-9])(?:-([1-5][0-9][0-9]))?\s*", text)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise ValueError(_MUST)
        ranges.append((int(found[1]), int(found[2] or found[1])))
    return ranges


StatusesText = Annotated[Statuses, parse_statuses]
