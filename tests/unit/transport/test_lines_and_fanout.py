"""Output in pieces becomes whole lines; work on many hosts keeps every outcome."""

import threading
from itertools import pairwise

import pytest
from factories import a_host
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import Command, Result
from fairlead.transport.fanout import fan_out
from fairlead.transport.lines import LineSplitter
from fairlead.transport.recorder import Recorder


def cut(data, places):
    """The data in pieces, cut at these places."""
    marks = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(marks)]


class TestLineSplitter:
    @given(st.text(), st.lists(st.integers(0, 200)))
    def test_all_that_came_is_returned_wherever_it_was_cut(self, text, places):
        """A character whose bytes come in two pieces is one character."""
        data = text.encode("utf-8", "replace")
        splitter = LineSplitter()
        for piece in cut(data, places):
            splitter.feed(piece)
        assert splitter.finish() == data.decode()

    @given(st.lists(st.text(st.characters(exclude_characters="\n"))), st.lists(st.integers(0, 99)))
    def test_the_listener_hears_each_line_once_and_whole(self, lines, places):
        """Lines are handed on as they end, the last one also without its newline."""
        heard = []
        splitter = LineSplitter(heard.append)
        data = "\n".join(lines).encode("utf-8", "replace")
        for piece in cut(data, places):
            splitter.feed(piece)
        splitter.finish()
        expected = data.decode().split("\n")
        assert heard == (expected[:-1] if expected[-1] == "" else expected)

    def test_a_line_is_heard_before_the_next_begins(self):
        """Progress is live: nothing waits for the end of the output."""
        heard = []
        splitter = LineSplitter(heard.append)
        splitter.feed("é 1\né".encode()[:-1])
        assert heard == ["é 1"]

    def test_bytes_that_are_no_text_are_replaced(self):
        """Binary output never breaks a step; a character cut off for good is shown as such."""
        splitter = LineSplitter()
        splitter.feed(b"a\xffb\xc3")
        assert splitter.finish() == "a\ufffdb\ufffd"


class TestFanOut:
    def test_every_outcome_is_kept_in_order(self):
        """Values and exceptions stand side by side, in the order of the names."""

        def work(name):
            if name == "b":
                raise ValueError(name)
            return name.upper()

        found = fan_out(["c", "b", "a"], work)
        assert list(found) == ["c", "b", "a"]
        assert (found["c"], found["a"]) == ("C", "A")
        assert isinstance(found["b"], ValueError)

    def test_hosts_work_side_by_side(self):
        """All are under way before the first is done."""
        gate = threading.Barrier(8, timeout=5)
        names = [f"web{n}" for n in range(8)]
        assert fan_out(names, lambda name: gate.wait() >= 0) == dict.fromkeys(names, True)

    @pytest.mark.parametrize("names", [[], ["only"]])
    def test_none_and_one_are_no_special_case(self, names):
        """An empty fleet does nothing; one host's failure is kept as many's are."""
        assert list(fan_out(names, lambda name: 1 / 0)) == names

    def test_ctrl_c_is_no_outcome(self):
        """Only exceptions of the work are kept; what ends the program does so."""

        def work(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fan_out(["only"], work)


class TestRecorder:
    def test_it_keeps_what_it_was_asked_and_answers(self):
        """The tests' host: commands in order, a text as the answer, lines to the listener."""
        recorder, heard = Recorder(a_host(), lambda _: "one\ntwo\n"), []
        result = recorder.run(Command(("ls",)), heard.append)
        assert (result.ok, result.out, heard) == (True, "one\ntwo\n", ["one", "two"])
        assert recorder.commands == [Command(("ls",))]

    def test_it_may_answer_with_a_failure(self):
        """A whole Result is handed on as it is."""
        failed = Result("web1", 70, "", "broken", 0.1)
        assert Recorder(a_host(), lambda _: failed).run(Command(("ls",))) is failed
