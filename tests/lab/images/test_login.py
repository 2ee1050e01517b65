"""A registry that asks for a password: for the builder's base images and cache, and for a push."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.images.conftest import PASSWORD

pytestmark = pytest.mark.long  # half a minute each
WRONG = "wr0ng-horse-battery"


@pytest.fixture
def shop(sources, lab, guarded, unscanned):
    """`web` is pushed to that registry; `api` takes a file from it, and says when it was made."""
    recipe = (
        f"FROM {lab.registry}/lab/python:3.13-slim\n"
        f"COPY --from={guarded}/imglogin/web:latest /page /page\nRUN date +%N > /when\n"
        'CMD ["sleep", "60"]\n'
    )
    shop = sources("imglogin", files={"api/Dockerfile": recipe})
    file = shop.folder / "deploy/fairlead.toml"
    login = 'username = "ada"\npassword = "${PASSWORD}"\n[build]\ncaches = ["registry"]\n'
    text = file.read_text().replace("[build]\n", login).replace(lab.registry, guarded)
    text = text.replace('path = "/etc/hostname"', "skip = true")
    file.write_text(text.replace('platforms = ["linux/amd64", "linux/arm64"]\n', ""))
    shop.commit("guarded")
    return shop


def said_nowhere(shop, runs):
    """No password in what was printed, nor in a file that is left."""
    words = (WRONG, PASSWORD)
    assert not [word for word in words for run in runs if word in run.out + run.err]
    files = [file for file in shop.folder.rglob("*") if file.is_file()]
    files += Path("/tmp").glob("fairlead-*/config.json")
    assert not [file for file in files for word in words if word.encode() in file.read_bytes()]


def test_the_login_of_the_registry_reaches_the_builder(shop, builder, docker_config):
    """It pulls what is private, and keeps the layers where the next machine finds them."""
    shop.inv("build", "--service=web", PASSWORD=PASSWORD).ok()
    shop.inv("push", "--service=web", PASSWORD=PASSWORD).ok()
    runs = []
    for _ in range(2):
        environ = {**os.environ, "DOCKER_CONFIG": str(docker_config)}
        argv = ["docker", "--context", builder, "builder", "prune", "-af"]
        subprocess.run(argv, env=environ, check=True, capture_output=True)
        runs.append(shop.inv("build", "--service=api", "--json", PASSWORD=PASSWORD).ok())
    first, again = (run.result["digests"] for run in runs)
    assert first == again  # the step that tells the time came from the registry
    said_nowhere(shop, runs)


def test_a_wrong_password_is_told_and_shown_nowhere(shop):
    """Of a cache, too, though no build fails for one."""
    built = shop.inv("build", "--service=web", "-v", PASSWORD=WRONG).ok()
    assert "web: its layers are kept in no cache" in built.out + built.err
    pushed = shop.inv("push", "--service=web", "-v", PASSWORD=WRONG)
    assert pushed.code == 1
    assert "does not let us push to imglogin/web (HTTP 401)" in pushed.err
    refused = shop.inv("build", "--service=api", "-v", PASSWORD=WRONG)
    assert refused.code == 1
    said_nowhere(shop, [built, pushed, refused])
    given = shop.inv(
        *("push", "--service=web", "--username=ada", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
        PASSWORD=WRONG,
    ).ok()
    said_nowhere(shop, [given])
