import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from shells import Shell, applets, coreutils

MakeShell = Callable[[Path], Shell]


@pytest.fixture(params=["dash", "busybox"], scope="session")
def make_shell(request: pytest.FixtureRequest, tmp_path_factory) -> MakeShell:
    """A kind of host: dash with coreutils (Debian), or BusyBox for both (Alpine)."""
    program = request.param
    found = shutil.which(program)
    if not found:
        package = {"busybox": "busybox-static"}.get(program, program)
        pytest.skip(f"{program} is not installed here (apt-get install {package})")
    bare = tmp_path_factory.mktemp("host") / "bin"
    tools = applets(bare, found) if program == "busybox" else coreutils(bare)
    argv = (found, "sh") if program == "busybox" else (found,)

    def make(folder: Path) -> Shell:
        own = folder / "bin"
        own.mkdir()
        return Shell(argv, tools, own, folder / "base", folder / "router")

    return make


@pytest.fixture
def shell(make_shell: MakeShell, tmp_path) -> Shell:
    """The shell of such a host, with directories of this test's own."""
    return make_shell(tmp_path)
