"""Plans, looked at and tried out on hosts that only think."""

from collections.abc import Callable, Iterator, Mapping

from model_host import Argv, ModelHost

from fairlead.model import Step
from fairlead.rollout.plan import Plan
from fairlead.rollout.situation import Situation

# What names a slot without touching its containers: its network, its backends' configuration.
ABOUT_NETWORKS = ("fl_network", "fl_router_connect")


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def named(plan: Plan, name: str) -> Step:
    return next(step for step in (*plan.steps, *plan.tidy) if step.name == name)


def argvs(step: Step, host: str = "web1") -> list[Argv]:
    return [command.argv for command in step.commands.get(host, ())]


def words(step: Step, host: str = "web1") -> list[str]:
    """A step's commands by their first word, docker's and Compose's by their verb."""
    return [_verb(argv) for argv in argvs(step, host)]


def _verb(argv: Argv) -> str:
    if argv[0] not in ("docker", "fl_compose"):
        return argv[0]
    return next(word for word in argv if word in ("up", "run"))


def all_commands(steps: tuple[Step, ...]) -> Iterator[tuple[Step, str, Argv]]:
    for step in steps:
        for host, commands in step.commands.items():
            for command in commands:
                yield step, host, command.argv


def model_hosts(situation: Situation, *known: object) -> dict[str, ModelHost]:
    """A host for each of the situation's, knowing the files of these releases."""
    return {
        name: ModelHost(state, situation.layout.key).knows(*known)
        for name, state in situation.observed.items()
    }


def carry_out(
    steps: tuple[Step, ...],
    hosts: Mapping[str, ModelHost],
    after: Callable[[Step, str, ModelHost], None] = lambda step, name, host: None,
) -> None:
    """Carry out steps on model hosts, one command after the other; `after` each one."""
    for step in steps:
        for name, commands in step.commands.items():
            for command in commands:
                hosts[name].do(command)
                after(step, name, hosts[name])
