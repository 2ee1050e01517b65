"""A push outlives its registry."""

import json
import os
import signal
import subprocess
import threading

from fairlead.images.reference import Reference
from fairlead.images.registry import Registry
from tests.lab.project import _program


def test_a_registry_killed_mid_upload_and_back_gets_the_whole_image(
    sources, killable, lab, unscanned
):
    """The push stands still meanwhile, so that it is in the middle of a layer."""
    shop = sources("imgcut")
    (shop.folder / "web/page").write_bytes(os.urandom(60_000_000))
    file = shop.folder / "deploy/fairlead.toml"
    text = file.read_text().replace(f"{lab.registry}/imgcut/web", f"{killable.address}/imgcut/web")
    file.write_text(text.replace('["linux/amd64", "linux/arm64"]', '["linux/amd64"]'))
    commit = shop.commit("a large page")
    shop.inv("build", "--service=web").ok()
    words = [_program("inv"), "push", "--service=web", "--json"]
    environ = {**os.environ, "DOCKER_CONFIG": str(shop.docker_config)}
    with subprocess.Popen(
        words, cwd=shop.folder, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        told = (json.loads(line) for line in process.stdout)
        next(one for one in told if one["type"] == "host-progress" and 20 <= one["done"] < 50)
        process.send_signal(signal.SIGSTOP)
        killable.kill()
        threading.Timer(1.0, killable.start).start()
        process.send_signal(signal.SIGCONT)
        *_, result = told
        assert process.wait(timeout=120) == 0
    (image,) = result["images"]
    assert image["retries"] > 0
    tag = Reference(killable.address, "imgcut/web", f"main-{commit[:12]}")
    assert Registry(killable.address).resolve(tag).digest == image["digest"]
