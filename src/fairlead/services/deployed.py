"""Which services of an environment a deploy of what changed is about."""

from collections.abc import Collection, Mapping


def undeclared(images: Mapping[str, str], declared: Collection[str]) -> set[str]:
    """The services whose source nobody declares: whether they changed, nothing tells.

    images: service → repository of its image, our own alone. A service that runs the image of a
    declared one is declared with it.
    """
    known = {images[name] for name in declared if name in images}
    return {name for name, image in images.items() if image not in known}


def same_image(images: Mapping[str, str], names: Collection[str]) -> set[str]:
    """These services with those that run the same images; what has no image is left out."""
    wanted = {images[name] for name in names if name in images}
    return {name for name, image in images.items() if image in wanted}
