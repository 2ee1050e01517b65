"""Commands that a person is told to type: as this program is called here, and for --env."""

import re
from collections.abc import Callable

Spoken = Callable[[str], str]

_INV = re.compile(r"(?<![\w/.-])inv (?=[a-z<-])")
_NEEDS_ENV = re.compile(
    r"(?<![\w/.-])inv (?:deploy|rollback|status|smoke|logs|exec|doctor"
    r"|(?:lock|backups|host)\.\w+|services\.(?:changed|matrix))(?![\w:-]|\.\w)"
    r"(?![^;,()`\n]* --env\b)"
)


def spoken_as(program: str, environment: Callable[[], str] = str) -> Spoken:
    """How sentences name our commands: `inv status` is `fairlead status` where that was typed.

    Whoever typed `fairlead` may have no tasks.py, so `inv status` would not run there. Where an
    environment is at hand by then, its name is added: without --env a command means the default.
    """
    name = "fairlead" if program == "fairlead" else "inv"

    def spoken(sentence: str) -> str:
        if at_hand := environment():
            sentence = _NEEDS_ENV.sub(lambda found: f"{found[0]} --env={at_hand}", sentence)
        return _INV.sub(f"{name} ", sentence)

    return spoken
