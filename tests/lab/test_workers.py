"""Services without a route: started with the new release, stopped in their own time."""

import time

import pytest

from tests.lab.hosts import wait_for

CRASHES = '["sh", "-c", "echo worker: no such queue >&2; exit 9"]'


@pytest.fixture(scope="module")
def app(project, image):
    """v1 of everything is live."""
    app = project("workers", worker=True, keep_warm="2m")
    app.deploy(image("v1")).ok()
    return app


def add_jobs(app, prefix, count, seconds):
    """Jobs for whoever takes them; their names."""
    host = app.hosts[0]
    names = [f"{prefix}{number}" for number in range(count)]
    for name in names:
        page = host.get(f"/api/v1/jobs?name={name}&seconds={seconds}", app.name, method="POST")
        assert page.status == 202, page
    return names


def done(app, prefix):
    """The finished jobs of this prefix: name and who did it."""
    return [job for job in app.get("/api/v1/jobs").json()["done"] if job["name"].startswith(prefix)]


def all_done(app, prefix, names, seconds=40):
    """Each job was done, and once."""
    wait_for(lambda: len(done(app, prefix)) >= len(names), seconds, f"{len(names)} jobs done")
    jobs = done(app, prefix)
    assert sorted(job["name"] for job in jobs) == sorted(names)
    return jobs


def workers(app):
    """`SLOT STATE EXIT-CODE` of every worker container."""
    filters = f"--filter label=fairlead.key={app.key} --filter label=fairlead.service=worker"
    asked = '{{index .Config.Labels "fairlead.slot"}} {{.State.Status}} {{.State.ExitCode}}'
    out = app.hosts[0].must(f"docker ps -aq {filters} | xargs -r docker inspect --format '{asked}'")
    return sorted(out.splitlines())


def image_of(app, service):
    """The image by digest that a service runs in the live slot."""
    filters = "".join(
        f" --filter label=fairlead.{name}={value}"
        for name, value in (("key", app.key), ("slot", app.live()), ("service", service))
    )
    image = app.hosts[0].must(
        f"docker inspect --format '{{{{.Config.Image}}}}' $(docker ps -q{filters})"
    )
    assert "@sha256:" in image
    return image


def test_the_old_worker_finishes_the_job_in_hand(app, image):
    """It gets its stop signal and its own grace period: no job is lost, none done twice."""
    running = app.start("deploy", f"--tag={image('v2')}", "--json")
    running.wait_for('"step": "drain", "title"')
    names = add_jobs(app, "hand", 4, 3)
    done_by = running.end().ok()
    jobs = all_done(app, "hand", names)
    assert done_by.result["outcome"] == "done"
    assert {job["version"] for job in jobs} == {"v1", "v2"}
    assert workers(app) == sorted([f"{app.live()} running 0", f"{idle(app)} exited 0"])


def idle(app):
    return "green" if app.live() == "blue" else "blue"


def test_a_rollback_to_the_warm_slot_wakes_its_worker(app, image):
    """The warm slot waits without workers; live again it has them, and v2's are stopped."""
    app.inv("rollback", "--quick", "--json").ok()
    assert app.serving() == "v1"
    names = add_jobs(app, "woken", 1, 0)
    assert [job["version"] for job in all_done(app, "woken", names)] == ["v1"]
    assert workers(app) == sorted([f"{app.live()} running 0", f"{idle(app)} exited 0"])


def test_one_service_alone(app, image):
    """--service=worker: the worker is of the new tag, the API's image is what it was."""
    before = image_of(app, "api"), image_of(app, "worker")
    app.deploy(image("v2"), "--service=worker").ok()
    assert image_of(app, "api") == before[0]
    assert image_of(app, "worker") != before[1]
    assert app.serving() == "v1"
    names = add_jobs(app, "alone", 1, 0)
    assert [job["version"] for job in all_done(app, "alone", names)] == ["v2"]


def test_a_worker_that_crashes_fails_the_deploy_before_the_switch(app, image):
    """Exit 1, its exit code and last words told, the old release and its worker untouched."""
    live, before = app.live(), workers(app)
    old = 'command: ["python", "-m", "agentic.worker"]'
    app.edit("compose.yaml", old, f"command: {CRASHES}")
    try:
        failed = app.deploy(image("v2"))
    finally:
        app.edit("compose.yaml", f"command: {CRASHES}", old)
    assert failed.code == 1, failed
    why = "\n".join(failed.error["why"])
    assert "exit code 9" in why
    assert "worker: no such queue" in why
    assert app.live() == live
    assert app.serving() == "v1"
    assert [one for one in workers(app) if one.startswith(live)] == [
        one for one in before if one.startswith(live)
    ]
    assert not [one for one in workers(app) if one.startswith(f"{idle(app)} ")]


def test_a_failed_deploy_loses_no_job(app, image):
    """The new workers took jobs before the smoke checks failed; they finish them, then go."""
    names = add_jobs(app, "failed", 8, 2)
    failed = app.deploy(image("v3", "smoke"))
    assert failed.code == 1, failed
    jobs = all_done(app, "failed", names)
    assert "v3-smoke" in {job["version"] for job in jobs}, (
        "the new worker took none: proves nothing"
    )


def test_a_service_that_is_declared_no_more_is_stopped_and_named(app, image):
    """The plan says that worker goes; after the deploy none runs, and the API serves."""
    app.worker = False
    app.write()
    planned = app.deploy(image("v2"), "--plan")
    assert "worker" in planned.ok().text.split('"notes"', 1)[1]
    began = time.monotonic()
    app.deploy(image("v2")).ok()
    assert not [one for one in workers(app) if " running " in one]
    assert app.serving() == "v2"
    assert time.monotonic() - began < 60
