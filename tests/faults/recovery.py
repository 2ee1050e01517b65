"""What the person on call does: look, and give the one command that `status` names."""

from tests.faults.scene import Scene, result
from tests.lab.project import Run

WAYS = ("resume", "rollback")


def recover(scene: Scene, way: str) -> tuple[str, str]:
    """Settle what a deploy left; the tag that has to serve then, and what it took.

    What `status` calls unfinished is finished (`resume`) or taken back (`rollback`), whichever is
    asked for. A deploy that said how it ended needs nobody: 0 is the new release, any other code
    the one before. Of one that could not say, what it had begun may be finished all the same.
    """
    ended = scene.ended
    assert ended is not None
    environment = f"--env={scene.app.environment}"
    status = scene.app.inv("status", "--json")
    if status.result["unfinished"]:
        assert "--resume finishes it" in status.text, status.text
        if way == "resume":
            return resumed(scene, scene.app.inv("deploy", "--resume", "--json", environment))
        back = scene.app.inv("rollback", "--json", environment)
        assert back.code == 0, back.text
        return scene.before, "rollback"
    if ended.code in (0, 1, 3, 5) and result(ended):
        return scene.tag if ended.code == 0 else scene.before, "itself"
    if way == "resume" and ended.code < 0:
        return resumed(scene, scene.app.inv("deploy", "--resume", "--json", environment))
    return scene.app.serving(), "nothing left to do"


def resumed(scene: Scene, run: Run) -> tuple[str, str]:
    """`deploy --resume` finishes it, or says that nothing had been begun, or all was done."""
    if run.code == 2 and "no deploy was left unfinished" in run.text:
        return scene.app.serving(), "nothing left to do"
    assert run.code == 0, run.text
    return scene.tag, "deploy --resume"
