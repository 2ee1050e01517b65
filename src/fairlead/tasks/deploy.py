"""inv deploy"""

from fairlead.cli.run import Run
from fairlead.cli.verb import verb


@verb(
    help={
        "tag": "Image tag to deploy, e.g. v2.5.0",
        "bypass_gates": "Deploy although gates are closed, for this reason; it is audited",
        "skip_backup": "Deploy without dumping data first; give the reason, which is audited",
        "resume": "Finish the deploy or rollback that was interrupted; takes no --tag",
        "lock_wait": "Wait up to this long for another's lock, e.g. 15m (default: do not wait)",
    }
)
def deploy(
    run: Run,
    tag: str = "",
    bypass_gates: str = "",
    skip_backup: str = "",
    resume: bool = False,
    lock_wait: str = "",
) -> None:
    """Deploy a release: prove the new beside the old, switch, drain, stop the old

    Example: `inv deploy --env=staging --tag=v2.5.0`
    """
    from fairlead.cli.scope import services_to_deploy, session
    from fairlead.config import validate_tag
    from fairlead.errors import UsageError
    from fairlead.tasks.shared.rolled import resumed, roll, waits

    if resume:
        resumed(run, tag, waits(run, lock_wait))
        return
    if not tag:
        raise UsageError(
            "deploy needs to know what: --tag is missing",
            state="nothing was changed",
            next_step="inv deploy --env=staging --tag=v2.5.0",
        )
    validate_tag(tag)
    if bypass_gates:
        from fairlead.rollout.gates import check_bypass

        check_bypass(bypass_gates)
    wait = waits(run, lock_wait)
    run.environment(values=True)
    services = services_to_deploy(run, tag)
    if services is None:
        unchanged = (
            f"nothing to deploy: what is live in {run.environment().name} differs in no service"
        )
        run.reporter.result({"outcome": "unchanged"}, [unchanged])
        return
    with session(run) as opened:
        opened.fleet.look_ahead()  # while hosts answer, the rest of the program is loaded
        from fairlead.rollout.deploy import plan_deploy
        from fairlead.rollout.patience import patiently

        def attempt() -> None:
            reason = skip_backup.strip()
            situation, plan = plan_deploy(opened, tag, services, bypass_gates, reason)
            roll(run, opened, situation, plan, f"deploy {tag}")

        patiently(opened, wait, attempt, mutates=not run.options.plan)
