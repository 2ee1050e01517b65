"""A push outlives its registry."""

import os
import threading

from fairlead.images.exchange import Exchange
from fairlead.images.reference import Reference
from fairlead.images.registry import Registry
from fairlead.images.upload import Upload
from tests.unit.images.layouts import make


def test_a_registry_killed_mid_upload_and_back_gets_the_whole_image(killable, tmp_path):
    layout = make(tmp_path / "image", platforms=("amd64",), layers=(os.urandom(60_000_000),))
    target = Reference(killable.address, "team/app", "v1")
    killed = threading.Event()

    def progress(done: int, total: int, note: str) -> None:
        if done > total / 3 and not killed.is_set():
            killed.set()
            killable.kill()
            threading.Timer(1.0, killable.start).start()

    exchange = Exchange(killable.address, timeout=20)
    sent = Upload(exchange, target, layout, progress, patience=60).run(["v1"])
    assert killed.is_set()
    assert sent.retries > 0
    assert Registry(killable.address).resolve(target).digest == layout.root.digest
