"""inv exec"""

from fairlead.cli.run import Run
from fairlead.cli.verb import verb


@verb(name="exec", help={"all": "In every container of the service, not just the first"})
def exec_(run: Run, all: bool = False) -> int:
    """Run a command, the words after `--`, in a live container of --service

    It has no terminal and no standard input: for what asks questions, log in on the host and use
    `docker exec -it`. It ends with the exit code of the command. Ctrl-C ends the command, too.

    Example: `inv exec --env=production --service=api -- python -m app.report`
    """
    from fairlead.cli.scope import chosen_services, session, tell_unmasked
    from fairlead.errors import UsageError
    from fairlead.model import Step
    from fairlead.rollout.containers import exec_commands, run_exec

    if not run.remainder:
        raise UsageError(
            "exec needs a command after `--`", next_step="inv exec --service=api -- env"
        )
    services = chosen_services(run.environment(), run.options.service)
    if len(services) != 1:
        example = "inv exec --service=api -- env"
        raise UsageError("exec needs exactly one --service", next_step=example)
    with session(run) as opened:
        commands = exec_commands(opened, services[0], run.remainder, every=all)
        if run.options.plan:
            run.reporter.plan([Step("exec", "run in the container", commands)], {}, verbose=True)
            return 0
        tell_unmasked(run)
        code = run_exec(opened, commands, lambda line: run.reporter.text([line]))
        outcome = "failed" if code else "done"
        run.reporter.result({"outcome": outcome, "code": code}, ok=not code)
        return code
