"""W0102."""


def collect(item: int, into: list[int] = []) -> list[int]:  # planted (pylint)
    """One list for all calls."""
    into.append(item)
    return into
