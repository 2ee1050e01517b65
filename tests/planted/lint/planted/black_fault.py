"""What black and ruff format would write otherwise."""

ANSWER = { "answer": 42 }  # planted for black and ruff-format: spaces in the braces
