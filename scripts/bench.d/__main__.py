"""The command line of scripts/bench."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module

import pages
from figures import Measure
from machine import facts, load

MEASURES = (
    "start",
    "lint",
    "scan",
    "services",
    "suites",
    "commands",
    "hosts",
    "files",
    "redeploy",
    "safety",
    "rollback",
    "switch",
    "builds",
    "via_ssh",
)


def main() -> None:
    options = _options()
    done: list[Measure] = []
    for measure in _measured(options.only, options.runs, options.host):
        done.append(measure)
        print(pages.terminal(measure) + "\n", file=sys.stderr if options.quiet else sys.stdout)
    if options.json:
        print(pages.document(done, facts()))
    if options.markdown:
        print(pages.page(done, facts()), end="")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", add_help=False)
    parser.add_argument("--only", type=_names, default=MEASURES)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--host", default="")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    options.quiet = options.json or options.markdown
    return options


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in MEASURES:
            raise argparse.ArgumentTypeError(f"no measure {name}; there are {', '.join(MEASURES)}")
    return names


def _measured(names: Iterable[str], runs: int | None, host: str) -> Iterator[Measure]:
    """Each measure as it is done, with the machine's load around it."""
    for name in names:
        before = load()
        measure: Measure = import_module(name).measure(runs, host)
        yield replace(measure, load=(before, load()))


main()
