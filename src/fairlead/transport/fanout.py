"""The same work on many hosts at once, and every host's outcome kept."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

PARALLEL_HOSTS = 32


def fan_out(names: Iterable[str], work: Callable[[str], T]) -> dict[str, T | Exception]:
    """Call `work(name)` for every name side by side; return each one's value or exception.

    Order of the result is the order of the names. No outcome hides another.
    """
    ordered = list(names)
    if len(ordered) == 1:  # a thread less on the most common path
        return {ordered[0]: _outcome(work, ordered[0])}
    with ThreadPoolExecutor(max_workers=min(PARALLEL_HOSTS, max(1, len(ordered)))) as pool:
        return dict(zip(ordered, pool.map(lambda name: _outcome(work, name), ordered), strict=True))


def _outcome(work: Callable[[str], T], name: str) -> T | Exception:
    try:
        return work(name)
    except Exception as error:
        return error
