"""What the person on call does: look, and give the one command that `status` names."""

from tests.faults.scene import Scene, result
from tests.lab.project import Run

WAYS = ("resume", "rollback")


def recover(scene: Scene, way: str) -> tuple[str, str]:
    """Settle an unfinished deploy; the tag that has to serve then, and what it took.

    A deploy that said how it ended needs nobody: 0 is the new release, any other code the one
    before. One that could not say so, or says that a person is needed, is finished (`resume`)
    or taken back (`rollback`), whichever is asked for.
    """
    ended = scene.ended
    assert ended is not None
    if ended.code == 0:
        return scene.tag, "itself"
    if ended.code in (1, 3, 5) and result(ended):
        return scene.before, "itself"
    status = scene.app.inv("status", "--json")
    unfinished = status.result.get("unfinished")
    if not unfinished:
        return scene.app.serving(), "itself"
    assert f"--{way}" in status.text or f"inv {way}" in status.text, status.text
    if way == "resume":
        said(scene.app.inv("deploy", "--resume", "--json", f"--env={scene.app.environment}"))
        return scene.tag, "deploy --resume"
    said(scene.app.inv("rollback", "--quick", "--json", f"--env={scene.app.environment}"))
    return scene.before, "rollback"


def said(run: Run) -> None:
    assert run.code == 0, f"exit {run.code}\n{run.out}\n{run.err}"
