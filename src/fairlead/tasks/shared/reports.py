"""The files that a run of checks leaves: SARIF for programs, a page for people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.checks.exclude import Sifted
from fairlead.checks.verdict import Verdict
from fairlead.events import Notice

if TYPE_CHECKING:
    from fairlead.report import Reporter

REPORTS = "reports"  # under .fairlead


def leave(
    reporter: "Reporter",
    root: Path,
    step: str,
    verdicts: Sequence[Verdict],
    found: Sifted,
    remarks: Sequence[str] = (),
    *,
    security: bool = False,
) -> dict[str, str]:
    """Write `<step>.sarif` and `<step>.md`; their paths from the root, by kind.

    remarks: what the page begins with. security: the findings are of that kind. Files that cannot
    be written are told, and change no outcome.
    """
    from fairlead.checks.folder import own_folder
    from fairlead.report.check_page import check_page
    from fairlead.report.sarif import sarif

    log = sarif(verdicts, found.kept, found.excluded, security=security)
    texts = {
        "sarif": json.dumps(log, indent=2) + "\n",
        "md": check_page(step.capitalize(), verdicts, found.kept, found.excluded, remarks),
    }
    try:
        folder = own_folder(root, REPORTS)
        for kind, text in texts.items():
            (folder / f"{step}.{kind}").write_text(text, "utf-8")
    except OSError as error:
        reporter.event(Notice(f"the reports could not be written: {error}", "warning"))
        return {}
    sarif_file, page = (str((folder / f"{step}.{kind}").relative_to(root)) for kind in texts)
    return {"sarif": sarif_file, "summary": page}
