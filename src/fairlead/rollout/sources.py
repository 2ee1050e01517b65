"""Which commit an image was built from: as it says itself, else as it was when first deployed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fairlead.config import Environment
from fairlead.model import Command, Image
from fairlead.rollout import manifest
from fairlead.rollout.observed import Container, HostState, Observed
from fairlead.transport.local import run_local

COMMIT = re.compile(r"[0-9a-f]{7,64}")
IN_TAG = re.compile(r"(?:.*-)?([0-9a-f]{7,40})")  # main-3f9c2a1, or the hash alone


def with_commits(
    environment: Environment, images: Mapping[str, Image], observed: Observed, here: str
) -> dict[str, Image]:
    """Our own images with the commit that the manifest will keep for each; `here` for a new one.

    An image that a release on the hosts has already keeps its commit, so that a partial deploy,
    or one of an older image, does not make the rest look newer than it is.
    """
    known = {
        image.pinned: image.commit
        for state in observed.values()
        for kept in reversed(state.releases)  # the first deploy of an image knew best
        for image in manifest.images(kept.manifest).values()
        if image.commit
    }
    return {
        name: replace(image, commit=known.get(image.pinned, here))
        if environment.service(name).image
        else image
        for name, image in images.items()
    }


def commit_of(root: Path, tag: str) -> str:
    """The commit that an image tag stands for: the git tag of that name, the hash it ends in, else
    what is checked out. Empty outside git, and for a hash that is not in this clone."""
    hashed = IN_TAG.fullmatch(tag)
    named = named_commit(root, tag)
    if named or (hashed and not hashed[1].isdigit()):  # digits alone may be a date
        return named
    return checked_out(root)


def named_commit(root: Path, tag: str) -> str:
    """The commit that an image tag itself names, by a git tag or a hash; empty when it does not."""
    hashed = IN_TAG.fullmatch(tag)
    return _asked(root, f"refs/tags/{tag}") or (_asked(root, hashed[1]) if hashed else "")


def checked_out(root: Path) -> str:
    """The commit that a folder is at, empty outside git."""
    return _asked(root, "HEAD")


def live_commits(observed: Observed) -> dict[str, set[str]]:
    """For each service that serves, the commits of its containers; "" where one is not known."""
    found: dict[str, set[str]] = {}
    for state in observed.values():
        for container in serving_containers(state):
            found.setdefault(container.service, set()).add(_commit(state, container))
    return found


def serving_containers(state: HostState) -> list[Container]:
    """The containers that get requests, and those outside the slots."""
    slots = (state.live.slot, state.live.next_slot) if state.live else ()
    live = ("", *slots)
    return [one for one in state.containers if one.slot in live and not one.one_off]


def _commit(state: HostState, container: Container) -> str:
    if container.revision:
        return container.revision if COMMIT.fullmatch(container.revision) else ""
    kept = state.kept(container.release or state.live_release)
    image = manifest.images(kept.manifest).get(container.service) if kept else None
    return image.commit if image else ""


def _asked(root: Path, name: str) -> str:
    argv = ("git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    said = run_local(Command(argv, timeout=10.0), cwd=root)
    return said.out.strip() if said.ok else ""
