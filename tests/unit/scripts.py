"""A script as it goes to a host, taken apart again into its commands."""

import re
import shlex

from fairlead.model import Command

MARK = re.compile(r"^echo @run (\d+) \|\| :$", re.MULTILINE)


def split_script(script: Command) -> list[tuple[str, ...]]:
    """The argv of every command of a script, in order, as a shell would read them."""
    assert script.argv[:2] == ("sh", "-c")
    _, *parts = MARK.split(script.argv[2])
    indexes, texts = parts[::2], parts[1::2]
    assert [int(index) for index in indexes] == list(range(len(texts)))
    return [
        tuple(shlex.split(text.strip().removesuffix(" </dev/null").removesuffix(" <&7")))
        for text in texts
    ]


def assigned(script: Command, name: str) -> str:
    """The value that a script gives to a variable."""
    line = next(one for one in script.argv[2].splitlines() if one.startswith(f"{name}="))
    return shlex.split(line.partition("=")[2])[0] if line.partition("=")[2] else ""
