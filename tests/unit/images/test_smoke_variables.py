"""What a container is given to be tried with reaches it whole, and is in no argv."""

import threading
from pathlib import Path

from fairlead.config.build import ImageSmoke
from fairlead.images.recipe import Buildable
from fairlead.images.smoke import _Trial

DOCKER = """\
#!/bin/sh
[ "$1" = run ] || exit 0
printf '%s\\n' "$@" > {folder}/argv
while [ $# -gt 0 ]; do
    [ "$1" = --env-file ] && cat "$2" > {folder}/env_file
    shift
done
printf '%s' "$KEY" > {folder}/environ
"""


def test_a_value_of_several_lines_is_given_whole(tmp_path, monkeypatch):
    """As a private key has it; an env file would end it at its first line."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    key = "-----BEGIN-----\nabc\n-----END-----"
    one = Buildable(
        name="api",
        services=("api",),
        image="",
        context=Path("/"),
        dockerfile=Path("/Dockerfile"),
        smoke=ImageSmoke(variables={"KEY": key, "PATH": "/app/bin"}),
    )
    _Trial(one, "image", threading.Event()).start()
    argv = (tmp_path / "argv").read_text().splitlines()
    assert argv[argv.index("--env") + 1] == "KEY"
    assert "abc" not in argv
    assert (tmp_path / "environ").read_text() == key
    assert (tmp_path / "env_file").read_text() == "PATH=/app/bin\n"
