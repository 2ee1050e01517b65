"""inv logs"""

from contextlib import nullcontext, suppress

from fairlead.cli.run import Run
from fairlead.cli.verb import verb


@verb(
    mutates=False,
    help={
        "follow": "Keep showing new lines until Ctrl-C",
        "tail": "How many of the last lines of each container",
        "slot": "The blue or the green slot, not the live one",
    },
)
def logs(run: Run, follow: bool = False, tail: int = 100, slot: str = "") -> None:
    """Show what the live containers print, each line with its host and container

    Example: `inv logs --env=production --service=api --follow`
    """
    from fairlead.cli.scope import chosen_services, session, tell_unmasked
    from fairlead.errors import UsageError
    from fairlead.model import SLOTS
    from fairlead.rollout.containers import follow_logs, log_commands

    if slot and slot not in SLOTS:
        raise UsageError(
            f"there is no slot `{slot}`: --slot is blue or green",
            state="no host was contacted",
            next_step="inv status  (which one is live)",
        )
    services = chosen_services(run.environment(), run.options.service)
    with session(run) as opened:
        commands = log_commands(opened, services, slot, tail, follow)
        if run.options.plan:
            from fairlead.model import Step

            run.reporter.plan([Step("logs", "read the logs", commands)], {}, verbose=True)
            return
        tell_unmasked(run)
        with suppress(KeyboardInterrupt) if follow else nullcontext():  # how one stops to follow
            run.reporter.text(follow_logs(opened, commands))
