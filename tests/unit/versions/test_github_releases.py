"""Releases at a server that answers as GitHub does, over real HTTP."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fairlead.errors import FairleadError, UsageError
from fairlead.model import Secret
from fairlead.versions.github import Draft, GitHub, repository_name

TOKEN = "ghp_hunter2correcthorse"
DRAFT = Draft("v1.5.0", "v1.5.0", "- new")


@dataclass
class Service:
    """What it holds, what it was asked. broken: so many requests fail first; how: a status, or 0
    for a connection that is cut. lost: a release is made, and the answer is cut."""

    tags: set[str] = field(default_factory=lambda: {"v1.5.0"})
    releases: dict[int, dict[str, object]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    broken: int = 0
    how: int = 503
    lost: bool = False
    address: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    service: Service

    def do(self) -> None:
        path = self.path.removeprefix("/api/v3/repos/ada/shop/")
        self.service.asked.append((self.command, path))
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        if self.service.broken:
            self.service.broken -= 1
            return self.answer(self.service.how, {"message": f"no: {TOKEN}"})
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer(401, {"message": "Bad credentials"})
        if path.startswith("git/ref/tags/"):
            there = path.removeprefix("git/ref/tags/") in self.service.tags
            return self.answer(200 if there else 404, {"ref": "x"})
        return self.release(path, body)

    def release(self, path: str, body: dict[str, object]) -> None:
        if path.startswith("releases/tags/"):
            tag = path.removeprefix("releases/tags/")
            found = [one for one in self.service.releases.values() if one["tag_name"] == tag]
            return self.answer(200 if found else 404, found[0] if found else {})
        if self.command == "PATCH":
            number = int(path.removeprefix("releases/"))
            self.service.releases[number] |= body
            return self.answer(200, self.service.releases[number])
        number = len(self.service.releases) + 1
        self.service.releases[number] = {**body, "id": number, "html_url": "https://x.test/r"}
        if self.service.lost:
            self.service.lost = False
            return self.answer(0, {})
        return self.answer(201, self.service.releases[number])

    do_GET = do_POST = do_PATCH = do  # noqa: N815  names that http.server looks for

    def answer(self, status: int, document: object) -> None:
        if not status:
            self.close_connection = True
            return
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Of", (Handler,), {"service": made})
    )
    made.address = f"http://127.0.0.1:{server.server_port}/api/v3/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


def publish(service: Service, draft: Draft = DRAFT, token: str = TOKEN):
    return GitHub("ada/shop", Secret(token), service.address, pause=0.01).publish(draft)


def test_it_is_made_once_and_brought_up_to_date(service):
    assert publish(service).what == "created"
    assert publish(service).what == "unchanged"
    told = publish(service, Draft("v1.5.0", "v1.5.0", "- better"))
    assert (told.what, told.url) == ("updated", "https://x.test/r")
    assert [one["body"] for one in service.releases.values()] == ["- better"]
    writes = [method for method, _ in service.asked if method != "GET"]
    assert writes == ["POST", "PATCH"]


def test_a_pre_release_is_told_as_one(service):
    """GitHub shows what is none as the latest."""
    service.tags.add("v2.0.0-rc.1")
    draft = Draft("v2.0.0-rc.1", "v2.0.0-rc.1", "- new", prerelease=True)
    assert publish(service, draft).what == "created"
    assert publish(service, draft).what == "unchanged"
    publish(service)
    found = {one["tag_name"]: one["prerelease"] for one in service.releases.values()}
    assert found == {"v2.0.0-rc.1": True, "v1.5.0": False}


def test_a_tag_that_github_lacks_is_not_made_up(service):
    service.tags.clear()
    with pytest.raises(FairleadError, match=r"has no tag v1\.5\.0") as told:
        publish(service)
    assert told.value.next_step == "git push origin v1.5.0"
    assert not service.releases


@pytest.mark.parametrize("how", [503, 502, 429, 0])
def test_a_passing_failure_passes(service, how):
    service.broken, service.how = 2, how
    assert publish(service).what == "created"


def test_an_answer_that_is_lost_makes_no_second_release(service):
    service.lost = True
    assert publish(service).what == "unchanged"
    assert len(service.releases) == 1


@pytest.mark.parametrize(
    ("status", "step"),
    [(403, "contents: write"), (422, "repeat"), (301, "new name"), (503, "repeat")],
)
def test_what_lasts_is_told_in_a_sentence_without_the_token(service, status, step):
    service.broken, service.how = 99, status
    with pytest.raises(FairleadError) as told:
        publish(service)
    text = " ".join([told.value.what, *told.value.why, told.value.state, told.value.next_step])
    assert step in text
    assert TOKEN not in text


def test_a_wrong_token_is_told_and_not_shown(service):
    with pytest.raises(FairleadError, match="HTTP 401") as told:
        publish(service, token="ghp_wrong")
    assert "Bad credentials" in told.value.why
    assert "ghp_wrong" not in str(vars(told.value))


@pytest.mark.parametrize("base", ["http://api.example.com", "ftp://x", "", "api.github.com"])
def test_the_token_never_travels_in_clear_text(base):
    with pytest.raises(UsageError, match="no https address"):
        GitHub("ada/shop", Secret(TOKEN), base)


def test_nobody_there_is_told(service):
    with pytest.raises(FairleadError, match="does not answer"):
        GitHub("ada/shop", Secret(TOKEN), "http://127.0.0.1:1", pause=0.01).publish(DRAFT)


@pytest.mark.parametrize(
    "remote",
    [
        "git@github.com:ada/shop.git",
        "https://github.com/ada/shop",
        "ssh://git@github.com/ada/shop.git/",
    ],
)
def test_the_repository_is_what_origin_is(project, remote):
    project.git("remote", "add", "origin", remote)
    assert repository_name(project.root, "", {}) == "ada/shop"
    assert repository_name(project.root, "", {"GITHUB_REPOSITORY": "ci/x"}) == "ci/x"
    assert (
        repository_name(project.root, "declared/x", {"GITHUB_REPOSITORY": "ci/x"}) == "declared/x"
    )
    project.git("remote", "set-url", "origin", "/somewhere/here")
    with pytest.raises(UsageError, match="which repository"):
        repository_name(project.root, "", {})


@pytest.mark.parametrize(("given", "code"), [({"GITHUB_TOKEN": TOKEN}, 0), ({}, 2)])
def test_the_task_publishes_what_the_changelog_says(service, project, given, code):
    project.commit("feat: a", **{"CHANGELOG.md": "# C\n\n## [1.5.0]\n\n- by hand\n"})
    project.git("tag", "v1.5.0")
    environ = {"PATH": os.environ["PATH"], "HOME": str(project.root)}
    environ |= {"GITHUB_API_URL": service.address, "GITHUB_REPOSITORY": "ada/shop", **given}
    program = str(Path(sys.executable).with_name("fairlead"))
    said = subprocess.run(
        [program, "release.publish", "--json"],
        cwd=project.root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == code, said.stdout + said.stderr
    assert TOKEN not in said.stdout + said.stderr
    assert [one["body"] for one in service.releases.values()] == (["- by hand"] if given else [])
