"""What a compose file seems to say about a deploy: who takes requests, who keeps data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.config.starter import Guess

Body = Mapping[str, Any]

# Images by their last word; a list of words reads better than forty quoted ones.
STORES = frozenset(
    """redis valkey keydb dragonfly memcached postgres postgresql postgis pgvector timescaledb mysql
    mariadb percona mongo mongodb couchdb cassandra scylla neo4j influxdb clickhouse
    clickhouse-server qdrant weaviate chroma milvus rabbitmq nats kafka zookeeper elasticsearch
    opensearch solr minio etcd consul vault prometheus grafana loki""".split()  # noqa: SIM905
)
PROXIES = frozenset({"nginx", "traefik", "haproxy", "caddy", "envoy", "httpd"})
PUBLIC = frozenset(
    """docker.io quay.io gcr.io mcr.microsoft.com public.ecr.aws registry.k8s.io
    docker.elastic.co""".split()  # noqa: SIM905
)
FRONT_NAMES = frozenset({"api", "app", "web", "www", "server", "backend", "frontend", "gateway"})
WEB_PORTS = frozenset({80, 3000, 4000, 5000, 8000, 8080, 8888})
UNKNOWN_REGISTRY = "registry.example.com"


def guess(project: Mapping[str, Any], folder_name: str) -> Guess:
    """What `project` (as source.read or source.survey gives it) seems to mean.

    Nothing is asked and nothing is sure: each choice has its reason, each doubt a question.
    """
    services = {name: _Look(name, body) for name, body in project.get("services", {}).items()}
    stateful = tuple(sorted(name for name, look in services.items() if look.keeps_data))
    fronts = sorted(
        (look for look in services.values() if look.port and not look.keeps_data),
        key=lambda look: (-look.front_score, look.name),
    )
    front = fronts[0] if fronts else None
    app = _app_name(folder_name)
    images = _images(services, app, stateful)
    return Guess(
        app=app,
        routed=front.name if front else "",
        port=front.port if front else None,
        health=front.health or "/" if front else "/",
        stateful=stateful,
        images=images,
        registry=_registry(images),
        reasons=tuple(_reasons(services, front, stateful, images)),
        questions=tuple(_questions(services, fronts, images, project)),
    )


@dataclass(frozen=True)
class _Look:
    """One service, seen with the eyes of a deploy."""

    name: str
    body: Body

    @property
    def image(self) -> str:
        return str(self.body.get("image") or "").replace("$$", "$")

    @property
    def kind(self) -> str:
        """The image's last word: `postgres` of docker.io/library/postgres:16."""
        return re.split(r"[:@]", self.image.rpartition("/")[2])[0]

    @property
    def is_ours(self) -> bool:
        """Built here, or from a registry that is nobody's public one."""
        host, slash, _ = self.image.partition("/")
        private = bool(slash) and ("." in host or ":" in host) and host not in PUBLIC
        return bool(self.body.get("build")) or (private and self.kind not in STORES | PROXIES)

    @property
    def is_store(self) -> bool:
        return self.kind in STORES and not self.body.get("build")

    @property
    def keeps_data(self) -> bool:
        foreign = not self.is_ours and self.kind not in PROXIES
        return self.is_store or (foreign and bool(self.writes_to))

    @property
    def writes_to(self) -> tuple[str, ...]:
        """Volumes and folders beside the compose file; absolute paths are the hosts' own affair."""
        return tuple(
            str(volume.get("source") or volume.get("target"))
            for volume in self.body.get("volumes") or ()
            if not volume.get("read_only") and volume.get("type") in ("volume", "bind")
            if not str(volume.get("source") or "").startswith("/")
        )

    @property
    def published(self) -> tuple[int, ...]:
        ports = (one for one in self.body.get("ports") or () if one.get("protocol") != "udp")
        return tuple(int(one["target"]) for one in ports)

    @property
    def exposed(self) -> tuple[int, ...]:
        texts = (str(one).partition("/")[0] for one in self.body.get("expose") or ())
        return tuple(int(text) for text in texts if text.isdecimal())

    @property
    def health_test(self) -> str:
        test = (self.body.get("healthcheck") or {}).get("test") or ""
        return (test if isinstance(test, str) else " ".join(map(str, test))).replace("$$", "$")

    @property
    def health_url(self) -> tuple[int | None, str]:
        """Port and path of the URL that the healthcheck asks."""
        url = r"https?://[\w.\[\]-]+(?::(\d{1,5}|\$\{?\w+\}?))?(/[A-Za-z0-9_./~%-]*)?"
        found = re.search(url, self.health_test)
        if not found:
            return None, ""
        port = int(found[1]) if str(found[1]).isdecimal() else None
        return port, found[2] or "/"

    @property
    def health(self) -> str:
        """The path that tells whether it is well, if the healthcheck says so."""
        known = r"/(?:api/)?(?:v\d/)?(?:healthz?|health_?check|livez|readyz|ready|ping|up|status)\b"
        found = re.search(known, self.health_test)
        return self.health_url[1] or (found[0] if found else "")

    @property
    def port(self) -> int | None:
        asked = self.health_url[0]
        candidates = (*self.published, *self.exposed)
        if asked in candidates:
            return asked
        usual = [port for port in candidates if port in WEB_PORTS]
        return next(iter((*usual, *candidates)), asked)

    @property
    def front_score(self) -> int:
        """How much it looks like the service that takes requests."""
        return (
            4 * bool(self.published)
            + 2 * self.is_ours
            + 2 * bool(self.health_url[1])
            + bool(set(self.published) & WEB_PORTS)
            + (self.name in FRONT_NAMES or self.kind in PROXIES)
        )


def _reasons(
    services: Mapping[str, _Look],
    front: _Look | None,
    stateful: tuple[str, ...],
    images: Mapping[str, str],
) -> Iterator[str]:
    if front:
        how = "publishes" if front.port in front.published else "answers on"
        yield f"`{front.name}` takes the requests: it {how} port {front.port}."
    if front and front.health:
        yield f"`{front.health}` shows whether it is well: its healthcheck asks that."
    for name in stateful:
        look = services[name]
        why = f"its image is {look.kind}" if look.is_store else _writes(look)
        yield f"`{name}` keeps data, so it runs once and is never doubled: {why}."
    for name in images:
        why = "is built here" if services[name].body.get("build") else "is of a private registry"
        yield f"`{name}` gets its image by --tag: it {why}."


def _questions(
    services: Mapping[str, _Look],
    fronts: list[_Look],
    images: Mapping[str, str],
    project: Mapping[str, Any],
) -> Iterator[str]:
    if not fronts:
        yield "No service publishes a port. Which one takes requests? Give it `port` and `routes`."
    elif not fronts[0].health:
        yield f"Which path of `{fronts[0].name}` shows whether it is well? `/` is asked until then."
    for look in fronts[1:]:
        if look.published:
            port = look.published[0]
            yield f"`{look.name}` publishes port {port} too. Has it `routes` of its own?"
    if any(image.startswith(UNKNOWN_REGISTRY) for image in images.values()):
        yield f"Which registry are images pushed to? {UNKNOWN_REGISTRY} stands for it."
    volumes = project.get("volumes") or {}
    for look in services.values():
        if not look.keeps_data:
            yield from _volume_questions(look, volumes)


def _volume_questions(look: _Look, volumes: Mapping[str, Any]) -> Iterator[str]:
    for source in look.writes_to:
        declared = volumes.get(source) or {}
        if declared.get("name") or declared.get("external"):
            continue
        if source in volumes:
            remedy = f"give it a name in the compose file: `{source}: {{name: {source}}}`"
        else:
            remedy = "use a named volume, or an absolute path of the host, in the compose file"
        yield f"`{look.name}` writes to `{source}`, which two slots would not share: {remedy}."


def _writes(look: _Look) -> str:
    return f"it writes to {', '.join(f'`{source}`' for source in look.writes_to)}"


def _images(services: Mapping[str, _Look], app: str, stateful: tuple[str, ...]) -> dict[str, str]:
    """Repository by service, of the services whose image is this project's own."""
    ours = {name: look for name, look in services.items() if look.is_ours and name not in stateful}
    origins = {repr(look.body.get("build")) for look in ours.values() if not _repository(look)}
    return {
        name: _repository(look)
        or f"{UNKNOWN_REGISTRY}/{app}" + (f"/{name.lower()}" if len(origins) > 1 else "")
        for name, look in ours.items()
    }


def _repository(look: _Look) -> str:
    """The image without tag and digest, when it names a registry."""
    text = re.sub(r"(:[\w.-]+)?(@[\w:]+)?$", "", look.image)
    host = text.partition("/")[0]
    plain = re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+", text)
    return text if plain and ("." in host or ":" in host) else ""


def _registry(images: Mapping[str, str]) -> str:
    """The registry, when all images are of one."""
    hosts = {image.partition("/")[0] for image in images.values()}
    return hosts.pop() if len(hosts) == 1 else ""


def _app_name(folder_name: str) -> str:
    """A name that follows the rule for applications, as like the folder's as can be."""
    name = re.sub(r"[^a-z0-9]+", "-", folder_name.lower()).strip("-")
    name = name if re.match(r"[a-z]", name) else f"app-{name}".strip("-")
    return name[:31].strip("-")
