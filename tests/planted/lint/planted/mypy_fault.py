"""A type that is wrong."""

ANSWER: int = "forty-two"  # planted for mypy: assignment
