import pytest
from agentic import faults


def test_exit_ends_the_process_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        faults.at_start("exit")

    assert ended.value.code == 3
    assert "bad magic number" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["", "unhealthy", "redirect", "smoke", "migrate"])
def test_faults_that_show_later_do_not_stop_the_start(fault: str) -> None:
    faults.at_start(fault)


def test_an_unknown_fault_names_those_there_are() -> None:
    with pytest.raises(SystemExit, match="redirect"):
        faults.at_start("unhealty")
