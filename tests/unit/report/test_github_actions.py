"""What GitHub Actions is told: groups, annotations, summary, outputs, and nothing it should not."""

import json

import pytest
from heard import SECRET

from fairlead.errors import ConfigError, DeployFailed, Problem
from fairlead.events import HostFinished, HostOutput, Notice, PhaseFinished, PhaseStarted
from fairlead.report.markdown import LIMIT


@pytest.fixture
def actions(listen, tmp_path):
    """A reporter in a job, and the files of its step."""

    def start(json: bool = False):
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
        }
        return listen(json=json, environ=environ)

    return start


def pull(reporter) -> None:
    reporter.event(PhaseStarted("pull", "Pull api", ("web1",)))
    reporter.event(HostOutput("pull", "web1", "layer"))
    reporter.event(HostFinished("pull", "web1", True, 1.0))
    reporter.event(PhaseFinished("pull", True, 1.0))


def outputs(text: str) -> dict[str, str]:
    """Read the file as the runner does: name<<delimiter, lines, delimiter."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, delimiter = line.split("<<")
        value = []
        while (line := next(lines)) != delimiter:
            value.append(line)
        found[name] = "\n".join(value)
    return found


def test_a_step_is_a_group_and_its_verdict_stands_outside(actions):
    heard = actions()
    pull(heard.reporter)
    lines = [line if line.startswith("::") else line[9:] for line in heard.err.lines]
    assert lines == [
        "::group::pull: Pull api",
        "pull: Pull api [web1]",
        "pull web1: | layer",
        "::endgroup::",
        "✓ pull        web1 1.0s",
    ]


def test_an_error_closes_the_group_it_happened_in(actions):
    heard = actions()
    heard.reporter.event(PhaseStarted("start", "Start", ("web1",)))
    heard.reporter.error(DeployFailed("web1: 100% broken", why=["a", "b"]))
    lines = heard.err.lines
    assert lines.index("::endgroup::") < lines.index("✗ web1: 100% broken")
    assert lines[-1] == "::error title=fairlead::web1: 100%25 broken%0Aa%0Ab"


def test_a_warning_is_annotated(actions):
    heard = actions()
    heard.reporter.event(Notice("took over a lock", "warning"))
    heard.reporter.event(Notice("a remark"))
    marked = [line for line in heard.err.lines if line.startswith("::")]
    assert marked == ["::warning title=fairlead::took over a lock"]


def test_faults_of_the_configuration_are_annotated_where_they_are(actions):
    heard = actions()
    heard.reporter.error(ConfigError([Problem("deploy/a,b.toml", "app", "is required", 3)]))
    assert heard.err.lines[-1] == (
        "::error title=fairlead,file=deploy/a%2Cb.toml,line=3::deploy/a,b.toml:3: app: is required"
    )


def test_there_are_ten_annotations_of_a_kind_at_most(actions):
    heard = actions()
    heard.reporter.error(ConfigError([Problem("a", "b", "c")] * 30))
    for number in range(30):
        heard.reporter.event(Notice(str(number), "warning"))
    for kind in ("error", "warning"):
        assert sum(line.startswith(f"::{kind} ") for line in heard.err.lines) == 10


@pytest.mark.parametrize(
    "hostile", ["::add-mask::x", "  ::error::x", "a\n::stop-commands::x", "a ##[error]x"]
)
def test_what_a_host_prints_is_no_command_to_the_runner(actions, hostile):
    heard = actions()
    heard.reporter.text([hostile])
    heard.reporter.error(DeployFailed("x", why=[hostile]))
    theirs = [*heard.out.lines, *heard.err.lines[:-1]]  # the last line is our own annotation
    assert not any(line.strip().startswith("::") or "##[" in line for line in theirs)


def test_outputs_are_what_later_steps_need(actions, tmp_path):
    heard = actions()
    heard.reporter.result({"release": "0007", "digests": {"api": "sha256:1"}, "url": "http://x"})
    heard.reporter.close(0)
    assert outputs((tmp_path / "output").read_text()) == {
        "release": "0007",
        "digest": "sha256:1",
        "url": "http://x",
        "outcome": "done",
    }


def test_an_output_cannot_smuggle_in_another(actions, tmp_path):
    heard = actions()
    digests = {"api": "sha256:1", "worker": "sha256:2\nEOF\nadmin=true"}
    heard.reporter.result({"digests": digests, "url": "x\nfairlead_\nurl<<EOF"})
    heard.reporter.close(1)
    found = outputs((tmp_path / "output").read_text())
    assert set(found) == {"digest", "url", "outcome"}
    assert found["digest"] == "api=sha256:1\nworker=sha256:2\nEOF\nadmin=true"


def test_the_summary_tells_the_outcome_the_steps_and_the_failure(actions, tmp_path):
    heard = actions()
    pull(heard.reporter)
    heard.reporter.table("Hosts", ["host", "a|b"], [["web1", "<script>"]])
    heard.reporter.result({"release": "0007_v*", "hosts": {"web1": "x"}}, ["nearly"], ok=False)
    heard.reporter.error(DeployFailed("it broke", why=["```", "boom"], next_step="inv status"))
    heard.reporter.close(1)
    page = (tmp_path / "summary").read_text()
    assert "### ✗ failed" in page
    assert "✗ it broke\n    ```\n    boom\n  next:  inv status" in page
    assert "| release | 0007\\_v\\* |" in page
    assert "| ✓ pull | web1 1.0s | 1.0s |" in page
    assert "&lt;script&gt;" in page
    assert "a\\|b" in page
    assert "````text" in page  # a fence that the content does not end


def test_a_summary_stays_under_a_mebibyte_with_what_was_there(actions, tmp_path):
    (tmp_path / "summary").write_text("x" * 600_000)
    heard = actions()
    for number in range(20):
        heard.reporter.table(f"T{number}", ["a"], [["é" * 30_000]])
    heard.reporter.close(0)
    page = (tmp_path / "summary").read_bytes()
    assert len(page) <= LIMIT
    assert "### ✓ done" in page.decode()
    assert "left out" in page.decode()


def test_a_summary_that_is_full_already_is_left_alone(actions, tmp_path):
    (tmp_path / "summary").write_text("x" * LIMIT)
    heard = actions()
    heard.reporter.close(0)
    assert (tmp_path / "summary").stat().st_size == LIMIT


def test_files_that_cannot_be_written_change_nothing(listen, tmp_path):
    """Law 9."""
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "file")}
    heard = listen(environ=environ)
    heard.reporter.result({"release": "7"}, ["7 is live"])
    heard.reporter.close(0)
    assert "::warning title=fairlead::file could not be written" in heard.err.text


def test_with_json_stdout_is_json_and_the_job_is_told_beside_it(actions, tmp_path):
    heard = actions(json=True)
    pull(heard.reporter)
    heard.reporter.error(DeployFailed("it broke"))
    heard.reporter.close(1)
    assert [json.loads(line)["type"] for line in heard.out.lines][-1] == "result"
    assert heard.err.lines == ["::error title=fairlead::it broke"]
    assert outputs((tmp_path / "output").read_text()) == {"outcome": "failed"}


def test_no_secret_reaches_the_files(actions, tmp_path):
    """Law 10."""
    heard = actions()
    heard.reporter.event(Notice(SECRET, "warning"))
    heard.reporter.table(SECRET, [SECRET], [[SECRET]], [SECRET])
    heard.reporter.result({"url": f"http://{SECRET}@x", "release": SECRET}, [SECRET])
    heard.reporter.error(DeployFailed(SECRET, why=[SECRET], next_step=SECRET))
    heard.reporter.close(1)
    written = (tmp_path / "summary").read_text() + (tmp_path / "output").read_text()
    assert SECRET not in written + heard.err.text
    assert "•••" in written
