"""What the person on call does: look, and give the one command that `status` names."""

from tests.faults.scene import Scene, result
from tests.lab.project import Run

WAYS = ("resume", "rollback")


def recover(scene: Scene, way: str) -> tuple[str, str]:
    """Settle what a deploy left; the tag that has to serve then, and what it took.

    A deploy that said how it ended needs nobody: 0 is the new release, any other code the one
    before. One that could not say so is finished (`resume`), or taken back (`rollback`) if
    `status` says that it changed what serves; else what was live before still is.
    """
    ended = scene.ended
    assert ended is not None
    if ended.code == 0:
        return scene.tag, "itself"
    if ended.code in (1, 3, 5) and result(ended):
        return scene.before, "itself"
    status = scene.app.inv("status", "--json")
    unfinished = bool(status.result["unfinished"])
    if unfinished:
        assert "deploy --resume" in status.text, status.text
    environment = f"--env={scene.app.environment}"
    if way == "resume":
        return resumed(scene, scene.app.inv("deploy", "--resume", "--json", environment))
    if not unfinished:
        return scene.before, "nothing: untouched"
    back = scene.app.inv("rollback", "--json", environment)
    assert back.code == 0, back.text
    return scene.before, "rollback"


def resumed(scene: Scene, run: Run) -> tuple[str, str]:
    """`deploy --resume` finishes it, or says that nothing had been begun, or all was done."""
    if run.code == 2 and "no deploy was left unfinished" in run.text:
        return scene.app.serving(), "nothing: not begun, or done"
    assert run.code == 0, run.text
    return scene.tag, "deploy --resume"
