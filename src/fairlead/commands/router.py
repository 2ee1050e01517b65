"""What is said to the router of a host: calls of the functions in router*.sh, as argv."""

from fairlead.model import Command


def up(image: str, http_port: int, https_port: int, certificate: str, config: bytes) -> Command:
    """Start the router unless it runs as it should; its shared configuration comes by stdin."""
    words = ("fl_router_up", image, str(http_port), str(https_port))
    return Command(
        (*words, certificate) if certificate else words,
        stdin=config,
        stdin_note="the router's configuration",
        timeout=180,
    )


def connect(*networks: str) -> Command:
    return Command(("fl_router_connect", *networks))


def routes(key: str, file: str) -> Command:
    return Command(("fl_router_routes", key, file))


def switch(value: str) -> Command:
    return Command(("fl_switch", value))


def ready(*backends: str) -> tuple[Command, ...]:
    return tuple(Command(("fl_ready_servers", backend)) for backend in backends)


def ready_slot(name: str, config: str) -> Command:
    """All servers of a slot's configuration may take requests again."""
    return Command(("fl_ready_slot", name, config))


def require_up(*backends: str) -> Command:
    """Fail unless every backend has a server that answers its checks."""
    return Command(("fl_require_up", *backends))


def hold_free(*backends: str) -> tuple[Command, ...]:
    return tuple(Command(("fl_hold_free_servers", backend)) for backend in backends)


def admit(*backends: str) -> tuple[Command, ...]:
    return tuple(Command(("fl_admit_servers", backend)) for backend in backends)


def drain(timeout: float, *backends: str) -> Command:
    return Command(("fl_drain", f"{timeout:.0f}", *backends), timeout=timeout + 30)


def reconcile() -> Command:
    return Command(("fl_live_reconcile",))
