"""A host that only thinks: it reads the scripts a real one would get, and keeps the consequences.

It knows what each command is for, not how it is done: which containers run in which slot, which
slot gets how many of the requests, what is kept. `observe` answers are in the real format. Faults
can be planned. What is certain about real hosts is for the lab; here it is the order of things.
"""

import io
import json
import math
import tarfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from fairlead.model import Command, ReleaseStatus, Result
from fairlead.rollout.observed import Backup, Container, HostState, KeptRelease, Live
from fairlead.rollout.target import Target
from fairlead.transport.recorder import Recorder
from scripts import assigned, split_script

Argv = tuple[str, ...]
FENCE_LOST, HELD = 75, 73
# What has no consequence that a plan could depend on.
WITHOUT_EFFECT = (
    *("fl_network", "fl_await", "fl_restore", "fl_prune", "fl_drain", "fl_require_up"),
    *("fl_router_up", "fl_router_connect", "fl_router_routes"),
    *("fl_ready_servers", "fl_ready_slot", "fl_hold_free_servers", "fl_admit_servers"),
    *("fl_live_reconcile", "fl_clear_one_off", "fl_backup_restore", "fl_backup_return"),
    "fl_irreversible",
)


@dataclass
class Fault:
    """Where a script fails: at a command that `when` fits; so many `times`, or always.

    lost: the connection breaks there instead, after the command was done.
    """

    when: Callable[[Argv], bool]
    err: str = "it broke"
    code: int = 1
    out: str = ""
    lost: bool = False
    times: float = math.inf


def at(*words: str, **how: Any) -> Fault:
    """A fault at a command that begins with these words."""
    return Fault(lambda argv: argv[: len(words)] == words, **how)


@dataclass
class Story:
    """A run's journal: its header, each step's exit code (None while it runs), its end."""

    header: str
    steps: dict[str, int | None] = field(default_factory=dict)
    end: str = ""


@dataclass
class ModelHost:
    """One host. `state` is what it is now, `done` every command it carried out."""

    state: HostState
    key: str = "agentic-staging"
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    done: list[Argv] = field(default_factory=list)
    owner: str = ""
    audit: list[dict[str, Any]] = field(default_factory=list)
    journal: dict[str, "Story"] = field(default_factory=dict)
    answers: Callable[[Argv], str] = lambda argv: ""
    watch: Callable[["ModelHost"], None] = lambda host: None

    def knows(self, *targets: Target) -> "ModelHost":
        """The host has the files of these releases."""
        for target in targets:
            self.files[target.release] = dict(target.hosts[self.state.host].files)
        return self

    def transport(self, host: Any) -> Recorder:
        return Recorder(host, self.answer)

    def answer(self, script: Command) -> Result:
        """Carry out a script, as a shell would: in order, to the first failure."""
        result = self._answer(script)
        if script.mark and assigned(script, "FL_TOKEN") == self.owner:
            self._story(script).steps[assigned(script, "FL_STEP")] = result.code
        return result

    def _story(self, script: Command) -> Story:
        return self.journal[assigned(script, "FL_RUN")]

    def _answer(self, script: Command) -> Result:
        token = assigned(script, "FL_TOKEN")
        out: list[str] = []
        for argv in split_script(script):
            fault = next((one for one in self.faults if one.times and one.when(argv)), None)
            if fault:
                fault.times -= 1
            if fault and not fault.lost:
                out.append(fault.out)
                return self._result(fault.code, out, fault.err)
            code, said = self._carry_out(argv, script.stdin, token)
            if argv == ("fl_fence",) and not code and script.mark:
                self._story(script).steps[assigned(script, "FL_STEP")] = None
            out.append(said)
            if fault:
                from fairlead.errors import HostError

                raise HostError(self.state.host, "the connection was lost")
            if code:
                return self._result(code, out, f"{argv[0]} refused")
        return self._result(0, out, "")

    def do(self, command: Command) -> None:
        """Carry out one command, whoever has the lock."""
        self._carry_out(command.argv, command.stdin, self.owner)

    def _result(self, code: int, out: list[str], err: str) -> Result:
        return Result(self.state.host, code, "\n".join(one for one in out if one), err, 0.0)

    def _carry_out(self, argv: Argv, stdin: bytes | None, token: str) -> tuple[int, str]:
        name, words, code = argv[0], argv[1:], 0
        if name in ("fl_fence", "fl_lock", "fl_lock_show", "fl_renew", "fl_unlock"):
            return self._lock(name, token)
        self.done.append(argv)
        if name.startswith("fl_observe"):
            told = [*observed_text(self.state, self.key).splitlines(), *self._runs()]
            told += [self._held()] if self.owner else []
            if name == "fl_observe_serving":
                told = [line for line in told if line.split()[0] in ("@live", "@container")]
            return 0, "\n".join(told)
        if name in ("fl_explain", "fl_absent_networks") or name.startswith("fl_ask"):
            return 0, self.answers(argv)
        if name == "fl_receive":
            self._receive(words[0], stdin or b"")
        elif name in ("docker", "fl_compose"):
            self._compose(list(words))
        elif name not in WITHOUT_EFFECT:
            code = getattr(self, name.replace("fl_", "_do_"))(*words) or 0
        self.watch(self)
        return code, ""

    def _lock(self, name: str, token: str) -> tuple[int, str]:
        ours = self.owner == token
        if name == "fl_lock" and not self.owner:
            self.owner = token
        elif name == "fl_lock" and not ours:
            return HELD, self._held()
        elif name == "fl_lock_show" and self.owner:
            return 0, self._held()
        elif name == "fl_unlock" and ours:
            self.owner = ""
        elif name in ("fl_fence", "fl_renew") and not ours:
            return FENCE_LOST, "@fenced"
        return 0, ""

    def _held(self) -> str:
        return f"@held\t{self.owner}\t2025-12-02T14:30:22Z\tdeploy\t42\t{self.owner}"

    def _runs(self) -> list[str]:
        return [
            f"@run-of {run} {story.end or '-'} - "
            + ",".join(f"{n}={'?' if c is None else c}" for n, c in story.steps.items())
            + f" {story.header}"
            for run, story in self.journal.items()
        ]

    # what commands come to

    def _do_journal_open(self, run: str, header: str) -> None:
        self.journal.setdefault(run, Story(header))

    def _do_journal_end(self, run: str, outcome: str) -> None:
        if run in self.journal:
            self.journal[run].end = outcome

    def _receive(self, release: str, archive: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            self.files[release] = {
                one.name: tar.extractfile(one).read() for one in tar.getmembers() if one.isfile()
            }
        kept = json.loads(self.files[release]["manifest.json"])
        one = KeptRelease(kept["id"], kept["sequence"], ReleaseStatus.PREPARED, kept)
        self.state = replace(self.state, releases=(one, *self.state.releases))

    def _do_status(self, release: str, status: str) -> None:
        self.state = replace(
            self.state,
            releases=tuple(
                replace(one, status=ReleaseStatus(status)) if one.id == release else one
                for one in self.state.releases
            ),
        )

    def _do_backup(self, stamp: str, release: str, sequence: str) -> None:
        one = Backup(stamp, release, int(sequence))
        self.state = replace(self.state, backups=(one, *self.state.backups))

    def _do_switch(self, value: str) -> None:
        live = Live.parse(value)
        self.state = replace(self.state, live_runtime=live, live_file=live)

    def _do_audit(self, line: str) -> None:
        self.audit.append(json.loads(line))

    def _do_pull(self, *references: str) -> None:
        self.state = replace(
            self.state, images={**self.state.images, **dict.fromkeys(references, True)}
        )

    def _do_pull_as(self, server: str, username: str, *references: str) -> None:
        self._do_pull(*references)

    def _do_clear(self, project: str) -> None:
        self._set([one for one in self.state.containers if one.slot != self._slot(project)])

    def _do_require_idle(self, project: str) -> int:
        live = self.state.live
        return 70 if live and self._slot(project) in (live.slot, live.next_slot) else 0

    def _do_make_room(self, project: str, config: str = "") -> None:
        self._do_clear(project)

    def _do_activate(self, project: str) -> None:
        self._become(project, "running", lambda one: True)

    _do_revive = _do_activate

    def _do_keep(self, project: str) -> None:
        """Only a restart policy: what runs does not change."""

    def _do_stop_workers(self, project: str) -> None:
        self._become(project, "exited", lambda one: not one.backend)

    def _do_retire(self, project: str, warm: str) -> None:
        if warm == "0":
            self._become(project, "exited", lambda one: True)

    def _do_shrink(self, project: str, timeout: str, *left: str) -> None:
        counts = {service: int(count) for service, _, count in (one.partition("=") for one in left)}
        seen: Counter[str] = Counter()
        gone = set()
        for one in self.state.slot(self._slot(project)):
            if one.running and one.service in counts:
                seen[one.service] += 1
                if seen[one.service] > counts[one.service]:
                    gone.add(one.id)
        self._become(project, "exited", lambda one: one.id in gone)

    def _compose(self, words: list[str]) -> None:
        if "up" not in words:
            return
        project = words[words.index("-p") + 1]
        release, name = words[words.index("-f") + 1].rsplit("/", 2)[1:]
        wanted = json.loads(self.files[release][name])["services"]
        scale = dict(pair.split("=") for flag, pair in pairwise(words) if flag == "--scale")
        unknown = scale.keys() - wanted.keys()
        assert not unknown, f"compose: no such service: {unknown}"
        assert wanted, "compose: no service selected"
        for service, body in wanted.items():
            self._run(project, service, body, int(scale.get(service, body.get("scale", 1))))

    def _run(self, project: str, service: str, body: Mapping[str, Any], count: int) -> None:
        labels = body["labels"]
        slot = labels.get("fairlead.slot", "")
        have = [one for one in self.state.slot(slot) if one.service == service]
        for number in range(len(have) + 1, count + 1):
            one = Container(
                id=f"{abs(hash((project, service, number, len(self.done)))) % 16**12:012x}",
                name=f"{project}-{service}-{number}",
                service=service,
                slot=slot,
                release=labels.get("fairlead.release", ""),
                image=body["image"],
                status="running",
                exit_code=0,
                oom=False,
                restarts=0,
                health="",
                backend=labels.get("fairlead.backend", ""),
            )
            self._set([*self.state.containers, one])

    def _become(self, project: str, status: str, which: Callable[[Container], bool]) -> None:
        slot = self._slot(project)
        self._set(
            [
                replace(one, status=status) if one.slot == slot and which(one) else one
                for one in self.state.containers
            ]
        )

    def _set(self, containers: list[Container]) -> None:
        self.state = replace(self.state, containers=tuple(containers))

    def _slot(self, project: str) -> str:
        return project.removeprefix(self.key).removeprefix("-")

    # what it shows

    def serves(self, service: str) -> Counter[str]:
        """Running replicas of a service, by slot."""
        return Counter(
            one.slot for one in self.state.containers if one.service == service and one.running
        )


def observed_text(state: HostState, key: str) -> str:
    """A host's state as `fl_observe` prints it."""
    lines = [
        f"@docker {state.docker} {state.platform.replace('amd64', 'x86_64')}",
        f"@disk {state.disk_kib} /var/lib/docker",
        f"@compose {state.compose}",
        "@flock /usr/bin/flock",
        f"@writable {state.writable}",
        f"@router {state.router}",
        f"@router-ports {state.router_ports[0]} {state.router_ports[1]}",
        f"@router-config {state.router_config}",
        f"@live {key} runtime={state.live_runtime or '-'} file={state.live_file or '-'}",
    ]
    lines += [f"@route {prefix} {owner}" for prefix, owner in state.foreign_routes.items()]
    if state.router_certificate:
        lines.append(f"@router-certificate {state.router_certificate}")
    if lock := state.lock:
        lines.append(
            f"@held\t{lock.who}\t{lock.since}\t{lock.doing}\t{lock.seconds_left}\t{lock.token}"
        )
    lines += [_container_line(one, key) for one in state.containers]
    lines += [
        f"@{'backed-up-' if one.from_backup else ''}release {one.status.value} "
        f"{json.dumps(dict(one.manifest))}"
        for one in state.releases
    ]
    lines += [f"@backup {one.stamp} {one.release} {one.sequence}" for one in state.backups]
    lines.append(f"@files {' '.join(state.files)}")
    lines += [f"@pinned {one}" for one, there in state.images.items() if there]
    return "\n".join(lines)


def _container_line(one: Container, key: str) -> str:
    labels = {
        "com.docker.compose.oneoff": str(one.one_off),
        "fairlead.key": key,
        "fairlead.service": one.service,
        "fairlead.slot": one.slot,
        "fairlead.release": one.release,
        "fairlead.backend": one.backend,
    }
    told = {
        "id": one.id.ljust(64, "0"),
        "name": f"/{one.name}",
        "image": one.image,
        "labels": {name: value for name, value in labels.items() if value},
        "status": one.status,
        "exit_code": one.exit_code,
        "oom": one.oom,
        "restarts": one.restarts,
        "started": "2025-12-02T14:30:22.123456789Z",
        "health": one.health,
    }
    return f"@container {json.dumps(told)}"
