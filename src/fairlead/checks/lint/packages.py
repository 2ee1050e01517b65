"""The packages that a project ships: what can be imported, and from where."""

from dataclasses import dataclass

from fairlead.checks.tree import Tree

BASES = (".", "src")
TESTS = ("tests", "test")
NOT_SHIPPED = (*TESTS, "testing", "docs", "examples", "scripts")


@dataclass(frozen=True)
class Package:
    """A top-level package: base is the folder it is imported from, `.` or `src`."""

    base: str
    name: str
    files: tuple[str, ...]

    def modules(self) -> tuple[str, ...]:
        """The dotted names of its modules that may be imported; tests and programs are not."""
        head = "" if self.base == "." else f"{self.base}/"
        named = (file.removeprefix(head).removesuffix(".py").split("/") for file in self.files)
        return tuple(
            ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            for parts in named
            if parts[-1] != "__main__"
            and not set(parts) & set(TESTS)
            and all(part.isidentifier() for part in parts)
        )


def packages(tree: Tree) -> tuple[Package, ...]:
    """The packages at the root of the tree and in `src`."""
    found = []
    for file in tree.files:
        base, name = _top(file)
        if name and name not in NOT_SHIPPED:
            head = f"{name}/" if base == "." else f"{base}/{name}/"
            files = tuple(f for f in tree.files if f.startswith(head) and f.endswith(".py"))
            found.append(Package(base, name, files))
    return tuple(found)


def _top(file: str) -> tuple[str, str]:
    """The base and name of the package that a file is the `__init__.py` of, if it is top-level."""
    match file.split("/"):
        case [name, "__init__.py"] if name not in BASES:
            return ".", name
        case ["src", name, "__init__.py"]:
            return "src", name
    return "", ""
