"""`${NAME}` and `${NAME:-default}` in texts."""

import re
from collections.abc import Callable

_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-([^$]*))?")


class UnresolvedError(ValueError):
    """A reference that is malformed, or names what is set nowhere; the text says which."""


def expand(text: str, lookup: Callable[[str], str | None], *, dollars: bool = True) -> str:
    """The text with every reference replaced; an empty value takes the default, as in a shell.

    dollars: `$$` stands for one `$` (configuration files); False leaves it alone (.env files,
    where a password may well hold two). Raises UnresolvedError.
    """

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$" if dollars else "$$"
        found = _NAME.fullmatch(match[1])
        if not found or not match[2]:
            raise UnresolvedError(
                f"{match[0]} is no reference such as ${{NAME}} or ${{NAME:-default}}"
            )
        name, default = found.groups()
        value = lookup(name)
        if default is not None:
            return value or default
        if value is None:
            raise UnresolvedError(f"${{{name}}} is set nowhere and has no default (${{{name}:-…}})")
        return value

    return _REFERENCE.sub(replace, text)
