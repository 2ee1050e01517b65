"""Fairlead: a change from a laptop to production and back, with one set of commands."""


def __getattr__(name: str) -> str:
    """`__version__`, as it was installed; the file VERSION is where it is written."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # takes its time, and is seldom asked

    return version("fairlead")
