"""What goes on record of an image for several platforms is the worst that was said of one."""

from dataclasses import dataclass

from fairlead.checks.verdict import Outcome, Verdict
from fairlead.tasks.shared.image_scan import _worst


@dataclass(frozen=True)
class Scan:
    on_record: tuple[Verdict, ...]


def test_a_scanner_that_is_silent_about_one_platform_is_silent():
    amd = Scan((Verdict("trivy", Outcome.PASSED), Verdict("grype", Outcome.FINDINGS)))
    arm = Scan((Verdict("trivy", Outcome.NOT_RUN), Verdict("grype", Outcome.PASSED)))
    assert {one.tool: one.outcome for one in _worst([amd, arm])} == {
        "trivy": Outcome.NOT_RUN,
        "grype": Outcome.FINDINGS,
    }
