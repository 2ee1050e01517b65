"""inv lint"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import HOSTS, verb

if TYPE_CHECKING:
    from fairlead.checks.lint.choice import Choice
    from fairlead.checks.programs import Programs
    from fairlead.checks.tree import Tree

NAME = "lint"
REMEDY = "inv lint --fix  (fixes what can be fixed)"


@verb(
    refuses={"hosts": HOSTS},
    mutates=False,
    help={
        "fix": "Fix what can be fixed, then lint",
        "only": "Only these linters, or a kind: --only=ruff,mypy --only=format",
        "skip": "All but these linters or kinds: --skip=types",
        "changed": "Only files that differ from the default branch or are not committed",
        "no_cache": "Look again at what was looked at before",
    },
)
def lint(
    run: Run,
    fix: bool = False,
    only: tuple[str, ...] = (),
    skip: tuple[str, ...] = (),
    changed: bool = False,
    no_cache: bool = False,
) -> None:
    """Run the linters this repository calls for, side by side; `-- FILES` limits them to files"""
    from fairlead.checks.cache import Cache, Memory
    from fairlead.checks.lint.choice import choose
    from fairlead.checks.programs import Programs
    from fairlead.checks.sweep import missing, sweep
    from fairlead.cli.subject import subject
    from fairlead.tasks.shared.recording import head, put_on_record
    from fairlead.tasks.shared.verdicts import tell

    settings = run.repository().lint
    tree, told = subject(run, changed=changed, exclude=settings.exclude)
    memory = Memory(tree.root)
    programs = Programs(tree.root, memory=memory)
    choice = choose(
        tree,
        programs,
        declared=settings.tools,
        only=only,
        skip=skip,
        complexity=settings.complexity,
    )
    notes = [told] if told else []
    notes += [f"not installed, and no setting asks for it: {one}" for one in choice.left_out]
    if run.options.plan or not choice.tools:
        _show(run, choice, tree, fix, notes, asked_for_less=bool(only or skip) or tree.narrowed)
        return
    if fix:
        _mend(run, choice, tree, programs)
    before = head(run)
    verdicts = sweep(
        NAME,
        choice.tools,
        tree,
        timeout=settings.timeout,
        listener=run.reporter.event,
        programs=programs,
        cache=None if no_cache else Cache(memory),
    )
    partial = bool(only or skip or changed or run.remainder or run.options.service)
    on_record = (*verdicts, *map(missing, choice.absent))  # a gate asks for what is not here
    put_on_record(run, NAME, on_record, before, partial=partial)
    fixers = {one.name for one in choice.fixers(tree)} if not fix else set()
    fixable = any(one.findings and one.tool in fixers for one in verdicts)
    remedy = REMEDY if fixable else ""
    tell(run.reporter, tree.root, NAME, verdicts, notes, remedy, narrowed=tree.narrowed)


def _mend(run: Run, choice: "Choice", tree: "Tree", programs: "Programs") -> None:
    from fairlead.checks.lint.repair import repair

    changed = repair(
        choice.fixers(tree),
        tree,
        programs=programs,
        timeout=run.repository().lint.timeout,
        listener=run.reporter.event,
    )
    names = [name.encode("utf-8", "backslashreplace").decode() for name in changed]
    run.reporter.result({"fixed": names}, [f"fixed: {name}" for name in names])


def _show(
    run: Run,
    choice: "Choice",
    tree: "Tree",
    fix: bool,
    notes: list[str],
    *,
    asked_for_less: bool,
) -> None:
    """What would run and why; or that there is nothing to run, which is no pass of the whole."""
    from fairlead.checks.lint.repair import STEP
    from fairlead.model import Step

    if not choice.tools:
        text = "nothing to lint: no linter is called for by these files"
        good = asked_for_less or run.options.plan
        run.reporter.result({"outcome": "nothing-to-do"}, [text, *notes], ok=good)
        return
    fixers = choice.fixers(tree) if fix else ()
    steps = [
        *(Step(STEP, f"fix with {one.name}", {"here": (one.repair(tree),)}) for one in fixers),
        *(
            Step(one.name, f"{one.name}: {choice.why[one.name]}", {"here": (one.command(tree),)})
            for one in choice.tools
        ),
    ]
    run.reporter.plan(steps, {"folder": str(tree.root)}, notes)
