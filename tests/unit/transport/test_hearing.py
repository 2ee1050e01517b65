"""What is heard of a step, and how long it may take."""

import time

from fairlead.commands.script import step_script
from fairlead.model import Command
from fairlead.transport.hearing import Hearing

STEP = step_script(
    (Command(("fl_fence",), timeout=330), Command(("fl_stop", "x"), timeout=2)), {}, "run", "001.x"
)


def heard(*lines: str) -> Hearing:
    hearing = Hearing(STEP, None)
    hearing.feed("".join(f"{line}\n" for line in lines).encode())
    return hearing


def test_a_step_may_wait_for_its_turn_and_then_has_its_own_time():
    """The fence waits long for a step before it; that is no time for a command that hangs."""
    assert (STEP.patience, STEP.timeout) == (330, 2)


def test_it_has_begun_when_it_says_so():
    before = time.monotonic()
    assert heard("@pid 7").began is None
    hearing = heard("@pid 7", f"@step {STEP.mark} 8")
    assert hearing.began is not None
    assert hearing.began >= before
    assert hearing.group == 8


def test_asked_again_it_has_not_begun_anew():
    hearing = heard("@pid 7", f"@step {STEP.mark} 8")
    began = hearing.began
    hearing.begin()
    hearing.feed(f"@pid 9\n@step {STEP.mark} 8\n".encode())
    assert hearing.began == began
