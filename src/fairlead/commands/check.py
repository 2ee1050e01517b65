"""What is asked of a host beyond an observation: calls of the functions in check.sh, as argv."""

from fairlead.model import Command


def basics(*directories: str) -> Command:
    """Its clock, its tools, and whether these directories can be written, or made."""
    return Command(("fl_doctor", *directories), timeout=30)


def ports(*numbers: int) -> Command:
    """Who holds these TCP ports."""
    return Command(("fl_doctor_ports", *map(str, numbers)), timeout=30)


def file(path: str) -> Command:
    return Command(("fl_doctor_file", path), timeout=30)


def registries(*repositories: str) -> Command:
    """What its Docker hears from these repositories' registries."""
    return Command(("fl_doctor_registries", *repositories), timeout=60)


def figures(directory: str) -> Command:
    """Disks, memory, load, the engine, all containers. directory: where releases are kept."""
    return Command(("fl_check", directory), timeout=120)
