"""`--json`: stdout is JSON lines only, and the last one is the result, whatever happened."""

import json
from pathlib import Path

from heard import SECRET, Listening
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ConfigError, DeployFailed, LockHeld, Problem
from fairlead.events import HostFinished, HostProgress, Notice, PhaseStarted
from fairlead.model import Command, Secret, Step


def records(heard) -> list[dict]:
    return [json.loads(line) for line in heard.out.lines]


def test_every_line_says_what_it_is(listen):
    heard = listen(json=True)
    heard.reporter.event(PhaseStarted("pull", "Pull", ("web1",)))
    heard.reporter.event(HostProgress("pull", "web1", "layers", 3, 7))
    heard.reporter.event(HostFinished("pull", "web1", True, 1.5))
    heard.reporter.event(Notice("hello"))
    heard.reporter.table("Hosts", ["host", "up"], [["web1", True], ["web2", None]], ["a note"])
    heard.reporter.text(["one", "two"])
    heard.reporter.plan([Step("s", "S", {"web1": (Command(("a", "b c")),)})], {"release": "7"})
    heard.reporter.result({"release": "7", "digests": {"api": "sha256:1"}}, ["7 is live"])
    heard.reporter.close(0)
    lines = records(heard)
    assert [line["type"] for line in lines] == [
        "phase-started",
        "host-progress",
        "host-finished",
        "notice",
        "table",
        "text",
        "text",
        "plan",
        "result",
    ]
    for line in lines:
        assert list(line)[:3] == ["schema_version", "type", "time"]
        assert line["schema_version"] == 1
        assert line["time"].endswith("Z")
    assert lines[1]["done"] == 3
    assert lines[4]["rows"] == [{"host": "web1", "up": True}, {"host": "web2", "up": None}]
    assert lines[7]["steps"][0]["commands"] == {"web1": [{"argv": ["a", "b c"], "stdin": ""}]}
    assert lines[8] | {"time": ""} == {
        "schema_version": 1,
        "type": "result",
        "time": "",
        "release": "7",
        "digests": {"api": "sha256:1"},
        "summary": ["7 is live"],
        "outcome": "done",
        "exit_code": 0,
    }
    assert heard.err.text == ""


def test_an_error_is_in_the_result(listen):
    heard = listen(json=True)
    error = LockHeld("host1 is locked", why=["by ann"], state="nothing changed", next_step="wait")
    heard.reporter.error(error)
    heard.reporter.close(3)
    assert [line["type"] for line in records(heard)] == ["error", "result"]
    result = records(heard)[-1]
    assert (result["outcome"], result["exit_code"]) == ("locked", 3)
    assert result["error"] == {
        "kind": "locked",
        "exit_code": 3,
        "what": "host1 is locked",
        "why": ["by ann"],
        "state": "nothing changed",
        "next": "wait",
        "docs": "",
    }


def test_the_result_of_a_failure_has_what_was_observed_and_the_reason(listen):
    heard = listen(json=True)
    facts = {"release": "1", "hosts": {"a": "1"}, "wanted": "2"}
    heard.reporter.error(DeployFailed("`health` failed on a", facts=facts))
    heard.reporter.close(1)
    result = records(heard)[-1]
    assert {name: result[name] for name in facts} == facts
    assert (result["reason"], result["outcome"]) == ("`health` failed on a", "failed")


def test_a_fault_of_the_configuration_can_be_read_by_an_editor(listen):
    heard = listen(json=True)
    heard.reporter.error(ConfigError([Problem("a.toml", "app", "is required", 3, "")]))
    heard.reporter.close(2)
    assert records(heard)[-1]["error"]["problems"] == [
        {"file": "a.toml", "path": "app", "message": "is required", "line": 3, "suggestion": ""}
    ]


def test_there_is_one_result_and_nothing_after_it(listen):
    heard = listen(json=True)
    heard.reporter.result({"release": "7"})
    heard.reporter.result({"url": "http://x"})
    heard.reporter.error(DeployFailed("too late"))
    heard.reporter.close(1)
    heard.reporter.event(Notice("after the end"))
    heard.reporter.close(0)
    assert [line["type"] for line in records(heard)] == ["error", "result"]
    result = records(heard)[-1]
    assert (result["release"], result["url"], result["exit_code"]) == ("7", "http://x", 1)


def test_a_command_may_name_its_own_outcome(listen):
    heard = listen(json=True)
    heard.reporter.result({"outcome": "planned"})
    heard.reporter.close(0)
    assert records(heard)[-1]["outcome"] == "planned"


def test_a_failure_without_an_error_is_failed(listen):
    heard = listen(json=True)
    heard.reporter.result({}, ok=False)
    heard.reporter.close(1)
    assert records(heard)[-1]["outcome"] == "failed"


def test_no_payload_can_change_what_a_line_is(listen):
    heard = listen(json=True)
    heard.reporter.result({"type": "plan", "schema_version": 9, "exit_code": 9})
    heard.reporter.close(0)
    result = records(heard)[-1]
    assert (result["type"], result["schema_version"], result["exit_code"]) == ("result", 1, 0)


def test_values_json_does_not_know_are_written_as_text(listen):
    heard = listen(json=True)
    heard.reporter.result(
        {"path": Path("/a"), "secret": Secret("s3cr3t"), "rate": float("nan"), "set": {1}}
    )
    heard.reporter.close(0)
    result = records(heard)[-1]
    assert (result["path"], result["rate"], result["set"]) == ("/a", None, [1])
    assert "s3cr3t" not in heard.out.text


@given(
    payload=st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    ),
    texts=st.lists(st.text()),
)
def test_any_content_gives_valid_lines_and_ends_with_the_result(payload, texts):
    heard = Listening()(json=True)
    heard.reporter.text(texts)
    heard.reporter.result(payload)
    heard.reporter.close(0)
    lines = heard.out.text.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["type"] for line in lines] == ["text"] * len(texts) + ["result"]
    assert "NaN" not in lines[-1] or "NaN" in repr(payload)


def test_a_secret_is_masked_at_any_depth(listen):
    heard = listen(json=True)
    heard.reporter.text([f"password is {SECRET}"])
    heard.reporter.result({"a": [{"b": f"x{SECRET}y"}], SECRET: 1})
    heard.reporter.error(DeployFailed(SECRET, why=[SECRET], state=SECRET, next_step=SECRET))
    heard.reporter.close(1)
    assert SECRET not in heard.out.text
    assert records(heard)[-1]["a"] == [{"b": "x•••y"}]
