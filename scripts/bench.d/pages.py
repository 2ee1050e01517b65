"""What was measured, as a table for a terminal, as JSON, and as a page of the documentation."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence

from figures import Figure, Measure, Verdict

BUSY = "busy with other work: repeat it on an idle machine"
HEAD = """\
# Benchmarks

What Fairlead costs, beside a peer or a physical limit that was measured in the same run. Written
by `./scripts/bench --markdown`; the lab's hosts are containers on the machine that measures, so
network time is nil and both ends share one processor. Ratios carry over to other machines, seconds
do not.

Each figure is the median of n runs, with the shortest and the longest. Things that are compared are
timed in turn, so that what else the machine does hits all alike. A target that was missed is marked
**over**. How each figure comes about: `scripts/bench.d/`, a file per measure.
"""


def seconds(value: float) -> str:
    """`2.31 s`, `118 ms`, `2.4 ms`."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.02 else f"{value * 1000:.1f} ms"


def verdict(one: Verdict) -> str:
    """`1.10 × python -c pass, at most 1.25: met`."""
    target = one.target
    judged = "over" if one.over else "met"
    if target.times:
        return f"{one.value:.2f} × {target.times}, target {target.at_most:g} ×: {judged}"
    return f"target {seconds(target.at_most)}: {judged}"


def terminal(measure: Measure) -> str:
    """A measure as lines of text."""
    lines = [f"{measure.name}: {measure.title}  ({_runs(measure)}, load {_load(measure)})"]
    width = max(len(figure.name) for figure in measure.figures)
    judged = _verdicts(measure)
    for figure in measure.figures:
        low, high = map(seconds, figure.spread)
        text = f"  {figure.name:<{width}}  {seconds(figure.median):>8}  ({low} to {high})"
        lines.append(f"{text:<{width + 36}}{'; '.join(judged.get(figure.name, ()))}".rstrip())
    for name, spans in measure.phases.items():
        told = " · ".join(f"{step} {seconds(value)}" for step, value in spans.items())
        lines.append(f"  phases, {name}: {told}")
    lines += [f"  note: {note}" for note in measure.notes]
    return "\n".join(lines)


def document(measures: Iterable[Measure], facts: Mapping[str, str]) -> str:
    """All measures as one JSON object; times in seconds."""
    return json.dumps({"machine": dict(facts), "measures": [_record(one) for one in measures]})


def page(measures: Iterable[Measure], facts: Mapping[str, str]) -> str:
    """The page of the documentation."""
    parts = [HEAD, _table(("machine", ""), facts.items())]
    for measure in measures:
        title = measure.title[0].upper() + measure.title[1:]
        parts.append(f"## {measure.name.capitalize()}\n\n{title}.\n")
        parts.append(_table(("", "median", "shortest to longest", "target"), _rows(measure)))
        for name, spans in measure.phases.items():
            rows = [(step, seconds(value)) for step, value in spans.items()]
            parts.append(_table((f"phases, {name}", "median"), rows))
        notes = [*measure.notes, f"{_runs(measure)}; load of the machine {_load(measure)}"]
        parts.append("".join(f"- {note}\n" for note in notes))
    return "\n".join(parts)


def _rows(measure: Measure) -> list[tuple[str, ...]]:
    judged = _verdicts(measure)
    rows: list[tuple[str, ...]] = []
    for figure in measure.figures:
        low, high = map(seconds, figure.spread)
        told = "; ".join(judged.get(figure.name, ())).replace(": over", ": **over**")
        rows.append((figure.name, seconds(figure.median), f"{low} to {high}", told))
    return rows


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(one.replace("|", "\\|") for one in row) + " |\n" for row in lines
    )


def _verdicts(measure: Measure) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in measure.verdicts():
        found.setdefault(one.target.figure, []).append(verdict(one))
    return found


def _record(measure: Measure) -> dict[str, object]:
    return {
        "name": measure.name,
        "title": measure.title,
        "load": measure.load,
        "notes": measure.notes,
        "figures": [_figure(figure) for figure in measure.figures],
        "targets": [
            {
                "figure": one.target.figure,
                "at_most": one.target.at_most,
                "times": one.target.times,
                "value": one.value,
                "over": one.over,
            }
            for one in measure.verdicts()
        ],
        "phases": measure.phases,
    }


def _figure(figure: Figure) -> dict[str, object]:
    about = {"name": figure.name, "role": figure.role, "median": figure.median}
    return {**about, "seconds": figure.seconds}


def _runs(measure: Measure) -> str:
    counts = sorted({len(figure.seconds) for figure in measure.figures})
    return "n = " + " and ".join(map(str, counts))


def _load(measure: Measure) -> str:
    told = f"{measure.load[0]:.1f} to {measure.load[1]:.1f}"
    return f"{told}, {BUSY}" if max(measure.load) > 1.5 * (os.cpu_count() or 1) else told
