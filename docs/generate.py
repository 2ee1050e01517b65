"""Writes the pages of docs/reference that say what the program itself knows.

usage: .venv/bin/python docs/generate.py      tests/cli/test_docs.py tells when that is needed
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from invoke.parser.argument import Argument

from fairlead.cli.verb import COMMON, Flag, Verb
from fairlead.config.reference import reference
from fairlead.program import GROUPS
from fairlead.report.called import spoken_as
from fairlead.tasks import ns

HERE = Path(__file__).parent

CONFIG = """\
# Configuration

`deploy/fairlead.toml` holds what all environments share. `deploy/<environment>.toml` holds the same
keys for one environment, laid over it. This page is what `fairlead init --reference` prints.
How to use it: [secrets and env files](../how-to/secrets-and-env.md),
[several hosts](../how-to/several-hosts.md), [migrations](../how-to/migrations.md). Findings of
`scan` that may stay are in a file of their own, [`deploy/exclusions.toml`](#deployexclusionstoml).

<!-- Written by docs/generate.py. -->
"""

EXCLUSIONS = """
## deploy/exclusions.toml

Findings that somebody looked at, and why they may stay until a day. Each `[[exclude]]` has:

| key | meaning |
|---|---|
| `reason` | Why it may stay, in a sentence. Required. |
| `expires` | The last day it may, a date without quotes. Required. |
| `id` | The rule, the CVE, or any other name of the fault. |
| `tool` | Who reports it. |
| `path`, `package` | Globs of where it is. |

At least one of `id`, `tool`, `path` and `package`; all that are given have to fit. An example:
[scan](../how-to/scan.md#what-may-stay-for-a-while).
"""

TASKS = """\
# Tasks

`inv <task>` needs a `tasks.py` with `from fairlead.tasks import ns`. `fairlead <task>` needs none
and is the same program; it also answers a mistyped word with the nearest one. How each task ends:
[exit codes](exit-codes.md).

<!-- Written by docs/generate.py. -->
"""

COLLECTIONS = {
    "lock": """\
One lock for each environment, on each of its hosts: a deploy or a rollback takes all of them, in
sorted order, and frees them at its end. The lock is a lease (`lock_lease`, 60 s) which its owner
renews; of a command that was killed, or a laptop that was closed, nothing is left after that time,
and after the end of the step that it began on the host. Its age is measured by the host's uptime,
so no clock has a say in it. Every change on a host first checks, in the same script, that the
lock is still its own. Exit code 3 means: somebody has it; wait for `fairlead lock.status` to end
with 0, then repeat the command. `lock.release` is for an owner who is gone: `--token=` (of
`lock.status`) frees that owner's lock only, `--force="reason"` whoever's; both are audited.
""",
    "backups": """\
Before each deploy the files of the live release, and the data that are declared, are copied to
`backups/<timestamp>` on each host: see [backups of data](../how-to/backups.md).
""",
    "services": """\
For a repository of several services, declared in `services.json` or in `deploy/fairlead.toml`.
Without `--base` each is compared with the commit that is live in `--env`, read from its hosts; so
is `--service=all-changed`, which `deploy` and the verbs of local work understand. The variable
`FAIRLEAD_BASE` stands for `--base` (not for `deploy`). See [many services](../how-to/monorepo.md).
""",
    "release": """\
For the project's own version: see [a version](../how-to/release.md).
""",
    "host": """\
For servers before the first deploy, and a look at them at any time: see
[your own host](../how-to/own-host.md).
""",
}


def pages() -> dict[str, str]:
    """File name in docs/reference → its text."""
    return {"config.md": CONFIG + config(), "tasks.md": TASKS + "".join(tasks())}


def config() -> str:
    """The annotated reference, a section for each table."""
    sections: list[tuple[str, list[str]]] = [("Keys at the top", [])]
    for paragraph in re.split(r"\n\n", reference().strip()):
        table = re.search(r"^(\[.*\])$", paragraph, re.M)
        if table:
            sections.append((table[1].strip("[]"), []))
        sections[-1][1].append(paragraph)
    contents = " · ".join(f"[{title}](#{_anchor(title)})" for title, _ in sections)
    contents += " · [deploy/exclusions.toml](#deployexclusionstoml)"
    parts = (
        f"\n## {title}\n\n```toml\n" + "\n\n".join(body) + "\n```\n" for title, body in sections
    )
    return "\n" + contents + "\n" + "".join(parts) + EXCLUSIONS


def _anchor(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def tasks() -> Iterator[str]:
    """A table of all, then a section for each task or collection, in the order of the help."""
    names = {title: _names(group) for title, group in GROUPS.items()}
    yield "\n| | task | what it does |\n|---|---|---|\n"
    for title, found in names.items():
        for index, name in enumerate(found):
            cell = "" if index else title
            yield f"| {cell} | [`{name}`](#{name.replace('.', '')}) | {_headline(name)} |\n"
    yield "\n## Flags of every task\n\n"
    yield from _flags(Flag.of(name, *about) for name, about in COMMON.items())
    seen = set()
    for name in (name for found in names.values() for name in found):
        head = name.partition(".")[0]
        if head != name and head not in seen:
            seen.add(head)
            yield f"\n## {head}\n\n{COLLECTIONS[head]}"
        yield from _section(name, "##" if head == name else "###")


def _names(group: tuple[str, ...]) -> list[str]:
    return [name for head in group for name in ns.task_names if name.partition(".")[0] == head]


def _headline(name: str) -> str:
    return (inspect.getdoc(ns[name]) or "").partition("\n")[0]


spoken = spoken_as("fairlead")


def _section(name: str, level: str) -> Iterator[str]:
    task: Verb = ns[name]
    headline, _, more = (inspect.getdoc(task) or "").partition("\n")
    yield f"\n{level} {name}\n\n{headline}.\n"
    if more.strip():
        yield f"\n{spoken(more.strip())}\n"
    own = [argument for argument in task.get_arguments() if argument.attr_name not in COMMON]
    own = [argument for argument in own if argument.names[0] not in COMMON]
    if own:
        yield "\n"
        yield from _flags(own)
    for flag, reason in task.refuses.items():
        yield f"\nTakes no `--{flag}`: {reason}.\n"


def _flags(flags: Iterable[Argument]) -> Iterator[str]:
    yield "| flag | meaning |\n|---|---|\n"
    for flag in flags:
        name = flag.names[0]
        value = {list: "=A,B", str: "=TEXT", int: "=NUMBER"}.get(flag.kind, "")
        shown = f"<{name}>" if flag.positional else f"--{name}{value}"
        meaning = (flag.help or "").replace("<", "&lt;")
        yield f"| `{shown}` | {meaning}. |\n"


def main() -> None:
    (HERE / "reference").mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / "reference" / name).write_text(text, encoding="utf-8")
        print(f"written: docs/reference/{name}")


if __name__ == "__main__":
    main()
