"""How each service is run, and how a suite learns where: what is known, and what is declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from fairlead.config.suites import SuiteService

LOOPBACK = "127.0.0.1"


class Unavailable(Exception):
    """A service cannot be had here, or not in this way; the text is the reason."""


@dataclass(frozen=True)
class Recipe:
    """See config.suites.SuiteService; complete here. timeout: s until it is ready."""

    name: str
    image: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    variable: str = ""
    url: str = "{host}:{port}"
    timeout: float = 60.0

    @property
    def special(self) -> str:
        """What of it only its image has, so that no other server may take its place; else empty."""
        known = KNOWN.get(self.name)
        if known is None or _repository(self.image) != _repository(known.image):
            return self.image
        own = {"env": self.env != known.env, "command": self.command != known.command}
        return ", ".join(f"the {key} that is declared" for key, declared in own.items() if declared)


def _repository(image: str) -> str:
    """Its name without version and registry: `redis` of `registry.example.com/redis:8`."""
    registry, slash, rest = image.partition("/")
    inside = rest if slash and ("." in registry or ":" in registry) else image
    return inside.partition("@")[0].partition(":")[0].removeprefix("library/")


@dataclass(frozen=True)
class Address:
    """Where a service listens. kind: `container` or `server`."""

    host: str
    port: int
    kind: str

    def variables(self, recipe: Recipe) -> dict[str, str]:
        """What the suite finds in its environment: REDIS_URL, REDIS_HOST, REDIS_PORT."""
        prefix = "".join(one if one.isalnum() else "_" for one in recipe.name.upper())
        url = recipe.url.replace("{host}", self.host).replace("{port}", str(self.port))
        return {
            f"{prefix}_HOST": self.host,
            f"{prefix}_PORT": str(self.port),
            recipe.variable or f"{prefix}_URL": url,
        }


KNOWN = {
    "redis": Recipe(
        "redis",
        "redis:8",
        6379,
        ready=("redis-cli", "ping"),
        variable="REDIS_URL",
        url="redis://{host}:{port}/0",
    ),
    "postgres": Recipe(
        "postgres",
        "postgres:17",
        5432,
        env={"POSTGRES_PASSWORD": "test", "POSTGRES_DB": "test"},
        # Over TCP: while the image creates the database it listens on its socket alone.
        ready=("pg_isready", "-h", LOOPBACK, "-U", "postgres"),
        variable="DATABASE_URL",
        url="postgresql://postgres:test@{host}:{port}/test",
    ),
    "qdrant": Recipe(
        "qdrant",
        "qdrant/qdrant:v1.15.5",
        6333,
        ready=("/readyz",),
        variable="QDRANT_URL",
        url="http://{host}:{port}",
    ),
}


def recipe(name: str, declared: SuiteService | None) -> Recipe:
    """What is declared, laid over what is known. Raises Unavailable where that does not do."""
    known = KNOWN.get(name)
    given = {
        one.name: value
        for one in fields(SuiteService)
        if declared and (value := getattr(declared, one.name)) and one.name != "name"
    }
    if known:
        return replace(known, **given)
    if not (given.get("image") and given.get("port")):
        raise Unavailable(
            f"[test.services.{name}] has to name its image and its port;"
            f" without them are known: {', '.join(KNOWN)}"
        )
    return Recipe(name, **given)
