"""Requests on every host of an application, as long as a test lasts."""

from contextlib import ExitStack

from tests.lab.hosts import Host
from tests.lab.load import Load, Report
from tests.lab.project import Project


class Loads:
    """A load on each host, as long as its block lasts; `stop()` has what was counted."""

    def __init__(self, app: Project) -> None:
        self._loads = {host: _on(host, app) for host in app.hosts}
        self._stack = ExitStack()
        self._reports: dict[Host, Report] = {}

    def __enter__(self) -> "Loads":
        for one in self._loads.values():
            self._stack.enter_context(one)
        return self

    def __exit__(self, raised: object, *about: object) -> None:
        try:
            if raised is None:
                self.stop()
        finally:
            self._stack.close()

    def stop(self) -> dict[Host, Report]:
        """End: requests under way are still answered and counted."""
        if not self._reports:
            self._reports = {host: one.stop() for host, one in self._loads.items()}
        return self._reports


def _on(host: Host, app: Project) -> Load:
    return Load(
        f"http://{host.address}/api/v1/version",
        app.name,
        keepalive=3,
        fresh=1,
        slow=2,
        slow_path="/api/v1/slow?seconds=1",
        think=0.05,
    )
