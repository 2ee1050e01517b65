"""What services are compared with when it is what is live: for each its own commit."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from fairlead.services.changed import Since
from fairlead.services.declared import RepositoryService


def compared_with_live(
    services: Sequence[RepositoryService],
    live: Mapping[str, Collection[str]],
    rolled_out: Collection[str],
    environment: str,
    absent: Mapping[str, str] = MappingProxyType({}),
) -> Since:
    """Each service with the commits of its live containers.

    live: service → commits, "" for one that is not known. rolled_out: services that this
    environment deploys; one that is not live has changed. absent: those that do not run on every
    host where they should, and where; they have changed, too, declared here or not. Others, such
    as libraries, are compared with all that is live.
    """
    commits: dict[str, Sequence[str]] = {}
    anyway = dict(absent)
    everything = sorted({commit for found in live.values() for commit in found} - {""})
    for service in services:
        own = sorted(live.get(service.name, ()))
        if own and service.name in absent:
            continue
        if "" in own:
            anyway[service.name] = "its live image does not say which commit it was built from"
        elif own:
            commits[service.name] = own
        elif everything and service.name not in rolled_out:
            commits[service.name] = everything
        else:
            anyway[service.name] = f"it is not live in {environment}"
    return Since(commits, anyway)
