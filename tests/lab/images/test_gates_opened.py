"""Gates end to end: what the checks of a commit found out opens them, for that one alone."""

import os
import shlex
import subprocess
from functools import partial

import pytest

from tests.lab.builder import BASE
from tests.tools import BIN, needs
from tests.trivy_database import write_database

GATES = """
[gates]
require = ["lint", "tests", "coverage", "sast", "secrets", "image"]
coverage = 80
"""
CHECKS = """
[lint]
tools = ["ruff"]
[scan]
tools = ["bandit", "gitleaks"]
trivy = ["--cache-dir=trivy-cache", "--skip-db-update", "--offline-scan"]
[test]
source = ["shop"]
[test.suites.unit]
path = "tests"
[build]
builder = "{builder}"
[build.services.api.smoke]
path = "/"
"""
COMPOSE = """\
services:
  api:
    image: gates
    build: {{context: shop, args: {{BASE: "{base}"}}}}
    ports: ["8000:8000"]
"""
SHOP = """\
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


def serve():
    HTTPServer(("", 8000), Page).serve_forever()
"""
TESTS = """\
from io import BytesIO
from unittest.mock import patch

import shop


def test_it_serves():
    with patch("shop.HTTPServer") as server:
        shop.serve()
    server.assert_called_once_with(("", 8000), shop.Page)


def test_a_page():
    class Socket(BytesIO):
        def makefile(self, *_):
            return BytesIO(b"GET / HTTP/1.0\\r\\n\\r\\n")

        def sendall(self, text):
            assert b"200" in text

    with patch.object(shop.Page, "log_message"):
        shop.Page(Socket(), "", None)
"""
FILES = {
    ".gitignore": ".env*\n!.env.example\ntrivy-cache/\n__pycache__/\n.cache/\n",
    "pytest.ini": "[pytest]\npythonpath = shop\n",
    "ruff.toml": '[lint.per-file-ignores]\n"tasks.py" = ["F401"]\n',
    "shop/Dockerfile": "ARG BASE\nFROM $BASE\nCOPY shop.py /app/\nWORKDIR /app\n"
    'CMD ["python", "-c", "import shop; shop.serve()"]\n',
    "shop/shop.py": SHOP,
    "tests/test_shop.py": TESTS,
    ".env.example": "",
}


@pytest.fixture
def app(project, lab, builder, docker_config):
    """A repository of its own, whose environment demands gates."""
    needs("ruff", "bandit", "gitleaks", "trivy")
    compose = COMPOSE.format(base=f"{lab.registry}/{BASE}")
    more = CHECKS.format(builder=builder)
    one = project("gates", redis=False, smoke="", staging=GATES, more=more, compose=compose)
    one.edit("deploy/fairlead.toml", '}/agentic"', '}/gates"')
    for name, text in FILES.items():
        (one.folder / name).parent.mkdir(exist_ok=True)
        (one.folder / name).write_text(text)
    write_database(one.folder / "trivy-cache")
    path = f"{BIN}{os.pathsep}{one.clean_environment()['PATH']}"
    one.inv = partial(one.inv, env={"DOCKER_CONFIG": str(docker_config), "PATH": path})
    git(one, "init", "-q", "-b", "main")
    return one


def git(app, *words: str) -> str:
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *who, *words], cwd=app.folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def built(app, message: str) -> str:
    """What is there, committed, built and pushed; the image's tag."""
    git(app, "add", "--all")
    git(app, "commit", "-qm", message)
    tag = app.inv("build", "--json").ok().result["tags"][0]
    app.inv("push").ok()
    return tag


@pytest.mark.timeout(400)
def test_what_was_found_out_opens_the_gates_of_that_commit_and_of_no_other(app):
    first = built(app, "first")
    for words in (("lint",), ("test", "--coverage"), ("scan",)):
        app.inv(*words).ok()
    app.deploy(first).ok()

    with (app.folder / "shop/shop.py").open("a") as file:
        file.write("\n\nNAME = 'another'\n")
    second = built(app, "second")
    refused = app.deploy(second)
    assert refused.code == 4, refused
    closed = [why.split(":")[0] for why in refused.error["why"]]
    assert closed == ["lint", "tests", "coverage", "sast", "secrets"]  # `build` saw the image
    commands = refused.error["next"].removeprefix("run ").split(" on that commit")[0].split(" && ")
    assert commands == ["inv lint", "inv test --coverage", "inv scan"]
    for command in commands:
        app.inv(*shlex.split(command)[1:]).ok()
    app.deploy(second).ok()
