"""Names of tools and suites, as a person types them after `--only` or writes them in a file."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.errors import UsageError


def family(tool: Tool) -> str:
    """The tool's name without what it is pointed at: `trivy` of `trivy:image`."""
    return tool.name.partition(":")[0]


def expanded(
    only: Sequence[str],
    kinds: Mapping[str, Sequence[str]],
    tools: Iterable[Tool],
    tree: Tree,
    declared: Sequence[str] = (),
) -> tuple[str, ...]:
    """The names of tools; a kind stands for those of it that are declared, else for those that
    the tree calls for."""
    named = tuple(name for name in only if name not in kinds)
    wanted = {one for name in only for one in kinds.get(name, ())}
    if of_kind := tuple(name for name in declared if name in wanted):
        return (*named, *of_kind)
    called_for = [family(one) for one in tools if family(one) in wanted and one.applies(tree)]
    return (*named, *called_for)


def refuse_unknown(
    asked: Iterable[str],
    known: Iterable[str],
    what: str,
    *,
    shown: Sequence[str],
    where: str = "",
    next_step: str = "",
) -> None:
    """Raise UsageError for a name that there is no `what` of, with the nearest that there is.

    shown: those that are listed. where: in which file or flag it stands.
    """
    names = sorted(known)
    for name in asked:
        if name in names:
            continue
        near = next(iter(get_close_matches(name, names, 1)), "")
        hint = f" (did you mean `{near}`?)" if near else ""
        raise UsageError(
            f"{where and f'{where}: '}there is no {what} `{name}`{hint}",
            why=[f"there are: {', '.join(shown) or 'none'}"],
            state="nothing was run",
            next_step=next_step,
        )
