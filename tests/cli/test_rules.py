"""The rules that are shipped for semgrep: each finds what it is for, and nothing that is fine."""

import re

import pytest

from fairlead.checks.scan.semgrep import RULES, Semgrep
from fairlead.checks.sweep import sweep
from fairlead.checks.tree import Tree
from tests.tools import needs, programs

PLANTED = {
    "app.py": """\
subprocess.run(f"ls {name}", shell=True)  # fairlead-shell-from-parts
subprocess.run("ls " + name, shell=True)  # fairlead-shell-from-parts
os.system(f"ls {name}")  # fairlead-shell-from-parts
subprocess.run(["ls", name])
subprocess.run("ls /tmp", shell=True)
cursor.execute(f"select {name}")  # fairlead-query-from-parts
cursor.execute("select ?", (name,))
pickle.loads(name)  # fairlead-unsafe-load
yaml.load(name)  # fairlead-unsafe-load
yaml.load(name, Loader=yaml.SafeLoader)
requests.get("https://x", verify=False)  # fairlead-certificate-not-verified
requests.get("https://x")
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # fairlead-host-key-not-verified
client.set_missing_host_key_policy(paramiko.RejectPolicy())
app.run(debug=True)  # fairlead-debugger-in-production
app.run(debug=False)
""",
    "app.js": """\
const child_process = require("child_process");
child_process.exec("ls " + name); // fairlead-js-shell-from-parts
child_process.execFile("ls", [name]);
eval(name); // fairlead-js-eval
const open = { rejectUnauthorized: false }; // fairlead-js-certificate-not-verified
const closed = { rejectUnauthorized: true };
""",
    "compose.yaml": """\
services:
  api:
    privileged: true # fairlead-compose-privileged
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock # fairlead-compose-docker-socket
      - ./data:/data
  other:
    privileged: false
""",
    "Dockerfile": """\
FROM debian:12
RUN curl -s https://example.com/install.sh | sh # fairlead-dockerfile-piped-shell
RUN curl -so /tmp/x https://example.com/install.sh
""",
    ".github/workflows/ci.yml": """\
on: pull_request
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ github.event.pull_request.title }}" # fairlead-workflow-injection
      - run: echo "${{ github.sha }}"
""",
}


def test_each_rule_finds_what_it_is_for_and_nothing_else(tmp_path):
    needs("semgrep")
    for name, text in PLANTED.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    tree = Tree(tmp_path, tuple(sorted(PLANTED)))
    (verdict,) = sweep(
        "scan", [Semgrep()], tree, timeout=100, listener=lambda _: None,
        programs=programs(tmp_path),
    )  # fmt: skip
    found = {(one.path, one.line, one.rule) for one in verdict.findings}
    assert found == set(expected()), verdict


def expected():
    for name, text in PLANTED.items():
        for number, line in enumerate(text.splitlines(), 1):
            if rule := re.search(r"(?:#|//) (fairlead-\S+)$", line):
                yield name, number, rule[1]


@pytest.mark.parametrize("file", sorted(RULES.iterdir()), ids=lambda file: file.stem)
def test_every_rule_is_planted_and_names_its_weakness(file):
    import yaml

    planted = {rule for _, _, rule in expected()}
    for rule in yaml.safe_load(file.read_text())["rules"]:
        assert rule["id"] in planted
        assert re.fullmatch(r"CWE-\d+", rule["metadata"]["cwe"])
        assert rule["message"].endswith(".")
