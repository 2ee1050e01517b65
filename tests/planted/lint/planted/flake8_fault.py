"""E711."""


def is_nothing(value: object) -> bool:
    """Whether there is no value."""
    return value == None  # planted for flake8: E711, `is None`
