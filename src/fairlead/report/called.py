"""Commands that a person is told to type, as this program is called here."""

import re
from collections.abc import Callable

Spoken = Callable[[str], str]

_INV = re.compile(r"(?<![\w/.-])inv (?=[a-z<-])")


def spoken_as(program: str) -> Spoken:
    """How sentences name our commands: `inv status` is `fairlead status` where that was typed.

    Whoever typed `fairlead` may have no tasks.py, so `inv status` would not run there.
    """
    if program != "fairlead":
        return str
    return lambda sentence: _INV.sub("fairlead ", sentence)
