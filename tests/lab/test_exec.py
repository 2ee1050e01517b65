"""`inv exec` on a real host: its words as they come, and Ctrl-C, which ends what it started."""

import time

EXEC = ("exec", "--env=staging", "--service=api", "--")
SLEEPS = "echo started; echo loud >&2; sleep 271 & sleep 272"


def processes(app) -> str:
    return str(app.hosts[0].must(f"docker top {app.key}-{app.live()}-api-1 -eo pid,args"))


def test_it_is_heard_while_it_runs_and_ends_with_ctrl_c(project, image):
    app = project("executed")
    app.deploy(image("v1")).ok()
    running = app.start(*EXEC, "sh", "-c", SLEEPS)
    running.wait_for("started")
    running.wait_for("loud")
    assert "sleep 272" in processes(app)
    running.signal()
    done = running.end()
    assert done.code == 1
    assert "exec was interrupted by Ctrl-C" in done.text
    assert "told to end" in done.text
    deadline = time.monotonic() + 15
    while "sleep 27" in processes(app):
        assert time.monotonic() < deadline, processes(app)
        time.sleep(0.2)
    assert app.serving() == "v1"
    assert app.inv(*EXEC, "sh", "-c", "exit 42").code == 42
