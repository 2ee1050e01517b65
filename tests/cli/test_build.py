"""`build` as a whole command, as far as it goes without a builder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))


@pytest.mark.parametrize("flag", ["--service=api", "--platforms=linux/arm64", "--changed"])
def test_an_artifact_is_the_whole_commit(tmp_path, flag):
    """What would be ignored is refused."""
    said = subprocess.run(
        [FAIRLEAD, "build", "--artifact", flag],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    name = flag.partition("=")[0]
    assert said.returncode == 2
    assert f"build --artifact takes no {name}: an artifact is the whole commit" in said.stderr
