"""What the documentation shows of hosts, run in the order in which one reads it."""

import pytest

from tests.documented import ROOT, Block, blocks, missing, run, shell_environment

BLOCKS = [block for block in blocks("console") if block.needs_hosts]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_it_runs_and_answers_as_shown(block: Block, lab, hosts):
    """At the repository's root, with its staging; the tutorial starts the lab itself."""
    chosen = hosts(3)
    numbered = {f"LAB_HOST{index}": host.address for index, host in enumerate(chosen, 1)}
    commands = block.commands.replace("lab ssh host1 ", f"lab ssh {chosen[0].name} ")
    code, output = run(block, ROOT, shell_environment(**numbered), commands)
    assert code == block.exit_code, output
    assert not missing(block.shown, output), output
