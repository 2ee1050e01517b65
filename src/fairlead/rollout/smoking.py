"""Smoke checks by themselves, outside a roll-out: the live release, from here and from hosts."""

from dataclasses import dataclass

from fairlead.config import Environment
from fairlead.engines.compose.addresses import host_header
from fairlead.errors import FairleadError
from fairlead.model import Result, Step
from fairlead.rollout import smoke
from fairlead.rollout.plan import in_order, step
from fairlead.rollout.session import Session


@dataclass(frozen=True)
class SmokeResult:
    """One check from one place; outcome: passed | failed | not-run."""

    check: str
    source: str
    outcome: str
    seconds: float
    why: str = ""


def smoke_client(environment: Environment, url: str) -> list[SmokeResult]:
    """The checks that this machine asks, at `url`; without one they are not run."""
    results = []
    for check in smoke.from_client(environment):
        if not url:
            results.append(SmokeResult(check.name, "here", "not-run", 0.0, "no url is configured"))
            continue
        answer = smoke.ask(url, check, host_header(environment, url))
        faults = smoke.judge(check, answer)
        results.append(_result(check.name, f"here {answer.source}", answer.seconds, faults))
    return results


def smoke_hosts(session: Session) -> list[SmokeResult]:
    """The checks that hosts ask through their own router."""
    checks = smoke.from_host(session.environment)
    words = smoke.router_commands(session.environment, checks)
    names = {h.name for s in session.environment.routed for h in session.environment.hosts_for(s)}
    asked = {name: words for name in session.fleet.hosts if name in names and words}
    results = []
    for name, outcome in session.fleet.ask(asked).items():
        if not isinstance(outcome, Result):
            why = outcome.what if isinstance(outcome, FairleadError) else str(outcome)
            results.append(SmokeResult("(all)", name, "failed", 0.0, why))
            continue
        answers = smoke.parse_answers(outcome.out)
        for index, check in enumerate(checks):
            for answer in answers.get(index, ()):
                faults = smoke.judge(check, answer)
                results.append(_result(check.name, name, answer.seconds, faults))
    return results


def smoke_plan(environment: Environment, url: str, only_url: bool) -> tuple[Step, ...]:
    """What `inv smoke` would ask."""
    words = smoke.router_commands(environment, smoke.from_host(environment))
    hosts = {} if only_url else {host.name: words for host in environment.hosts}
    names = ", ".join(check.name for check in smoke.from_client(environment))
    return in_order(
        Step("smoke-client", f"ask {url} from here: {names}", {}) if names else None,
        step("smoke-host", "ask through the hosts' routers", hosts),
    )


def _result(check: str, source: str, seconds: float, faults: list[str]) -> SmokeResult:
    outcome = "failed" if faults else "passed"
    return SmokeResult(check, source, outcome, seconds, "; ".join(f.strip() for f in faults))
