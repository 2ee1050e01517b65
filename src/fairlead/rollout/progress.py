"""The `@` lines of a running script, read as progress."""

Progress = tuple[str, int, int, str]  # what, done, total (0: unknown), note


def read_progress(line: str) -> Progress | None:
    """What a line tells of progress; None when it tells nothing of it.

    `@health NAME UP/TOTAL NOTE…`, `@health containers UP TOTAL`, `@drain NAME N`,
    `@pull DONE TOTAL REFERENCE`.
    """
    try:
        return _progress(line)
    except ValueError:  # what a migration prints may look like it
        return None


def _progress(line: str) -> Progress | None:
    word, _, rest = line.partition(" ")
    fields = rest.split()
    if word == "@health" and len(fields) >= 3 and fields[0] == "containers":
        return ("containers", int(fields[1]), int(fields[2]), "")
    if word == "@health" and len(fields) >= 2:
        up, _, total = fields[1].partition("/")
        return (fields[0], int(up), int(total or 0), " ".join(fields[2:]))
    if word == "@drain-timeout" and len(fields) >= 2:
        return ("open requests", int(fields[1]), 0, "cut at drain_timeout")
    if word == "@drain" and len(fields) >= 2:
        left = int(fields[1])
        return ("open requests", left, 0, "") if left else ("all requests answered", 0, 0, "")
    if word == "@pull" and len(fields) >= 2:
        return ("layers", int(fields[0]), int(fields[1]), " ".join(fields[2:]))
    return None
