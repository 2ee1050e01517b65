"""What the person on call does: look, and give the one command that `status` names."""

from tests.faults.scene import Scene, result
from tests.lab.project import Run

WAYS = ("resume", "rollback")
NOTHING = "nothing left to do"


def recover(scene: Scene) -> tuple[str, str]:
    """Settle what a deploy left; the tag that has to serve then, and what it took.

    What `status` calls unfinished is finished (`resume`) or taken back (`rollback`), whichever is
    the scene's way. A deploy that said how it ended needs nobody: 0 is the new release, any other
    code the one before. Of one that could not say, what it had begun may be finished all the same.
    """
    if scene.settled:
        return scene.settled
    ended = scene.ended
    assert ended is not None
    if settled := finished(scene):
        return settled
    if result(ended):
        return scene.tag if ended.code == 0 else scene.before, "itself"
    if scene.way == "resume" and ended.code < 0:
        return _resumed(scene, scene.inv("deploy", "--resume", "--json", _environment(scene)))
    return scene.app.serving(), NOTHING


def finished(scene: Scene) -> tuple[str, str] | None:
    """Finish or take back what `status` calls unfinished, and nothing else."""
    status = scene.inv("status", "--json")
    if not status.result["unfinished"]:
        return None
    assert "--resume finishes it" in status.text, status.text
    if scene.way == "resume":
        return _resumed(scene, scene.inv("deploy", "--resume", "--json", _environment(scene)))
    back = scene.inv("rollback", "--json", _environment(scene))
    assert back.code == 0, back.text
    return scene.before, "rollback"


def _environment(scene: Scene) -> str:
    return f"--env={scene.app.environment}"


def _resumed(scene: Scene, run: Run) -> tuple[str, str]:
    """`deploy --resume` finishes it, or says that nothing had been begun, or all was done."""
    if run.code == 2 and "no deploy was left unfinished" in run.text:
        return scene.app.serving(), NOTHING
    assert run.code == 0, run.text
    return scene.tag, "deploy --resume"
