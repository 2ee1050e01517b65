"""The router as it can be spoken to and asked without Fairlead."""

import http.client
import subprocess
import time
from threading import Event, Thread

from lab import Host, Ssh

from tests.lab.project import Project

SOCKET = "/opt/fairlead/router/run/admin.sock"
# Says each line to the runtime API, and after its answer a line with a dot.
RELAY = (
    "$| = 1; while (my $line = <STDIN>) { "
    "my $s = IO::Socket::UNIX->new($ARGV[0]) or die; "
    "print $s $line; print while <$s>; print qq(.\\n) }"
)


class Runtime:
    """The router's runtime API over one connection that is open already."""

    def __init__(self, ssh: Ssh, host: Host) -> None:
        command = f"exec perl -MIO::Socket::UNIX -e '{RELAY}' {SOCKET}"
        self._process = subprocess.Popen(
            ssh.argv(host, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.say("show version")

    def say(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = ""
        while (said := self._process.stdout.readline()) != ".\n":
            if not said:
                raise RuntimeError("the router's runtime API is gone")
            answer += said
        return answer

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Client:
    """Somebody who asks through the router, on one connection, as fast as answers come."""

    def __init__(self, project: Project) -> None:
        self._name, self._path = project.name, "/api/v1/version"
        self._connection = http.client.HTTPConnection(project.hosts[0].address, timeout=10)

    def version(self) -> str:
        """The version that answers; empty for anything but 200."""
        import json

        self._connection.request("GET", self._path, headers={"Host": self._name})
        answer = self._connection.getresponse()
        body = answer.read()
        return str(json.loads(body)["version"]) if answer.status == 200 else ""

    def wait_for(self, version: str, seconds: float = 60) -> float:
        """The moment (perf_counter) at which the first answer of this version had come."""
        deadline = time.perf_counter() + seconds
        while self.version() != version:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{version} was never served")
        return time.perf_counter()

    def close(self) -> None:
        self._connection.close()


class Watcher:
    """A client in a thread of its own, which notes when a version is first served."""

    def __init__(self, project: Project, version: str, pause: float = 0.005) -> None:
        self.seen = 0.0
        self._ended = Event()
        self._client, self._version, self._pause = Client(project), version, pause
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """When it was first served (perf_counter)."""
        self._ended.set()
        self._thread.join()
        self._client.close()
        if not self.seen:
            raise RuntimeError(f"{self._version} was never served")
        return self.seen

    def _watch(self) -> None:
        while not self._ended.is_set():
            if self._client.version() == self._version:
                self.seen = time.perf_counter()
                return
            time.sleep(self._pause)
