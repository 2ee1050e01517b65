"""Where things are on a host, and what they are called. One place, for every floor above."""

from dataclasses import dataclass

from fairlead.config import Environment

ROUTER_DIRECTORY = "/opt/fairlead/router"
SETTLE_SECONDS = 1.0  # what has no healthcheck must run for so long
# Seconds for what served before to come back: there is nothing better to go to, and one that
# crashed while it started is forgiven after a minute (fl_crashes in commands/slots.sh).
PATIENCE = 75.0


@dataclass(frozen=True)
class Layout:
    """The names of one application in one environment. directory: /opt/<app>/<environment>."""

    key: str
    directory: str

    @staticmethod
    def of(environment: Environment) -> "Layout":
        return Layout(environment.key, environment.directory)

    def project(self, slot: str) -> str:
        """Compose project and network of a slot."""
        return f"{self.key}-{slot}"

    def release_file(self, release: str, name: str) -> str:
        return f"{self.directory}/releases/{release}/{name}"

    def slot_file(self, release: str, slot: str) -> str:
        return self.release_file(release, f"{slot}.yaml")

    def shared_file(self, release: str) -> str:
        return self.release_file(release, "shared.yaml")

    def alias(self, slot: str, service: str) -> str:
        """The name under which only this slot's containers answer."""
        return f"{self.key}-{slot}-{service}"

    def backend(self, slot: str, service: str) -> str:
        """The router's backend of a routed service in a slot."""
        return f"{self.key}-{service}-{slot}"

    @property
    def variables(self) -> dict[str, str]:
        """What the shell functions of a script know."""
        return {"FL_KEY": self.key, "FL_BASE": self.directory, "FL_ROUTER": ROUTER_DIRECTORY}
