"""inv scan"""

from fairlead.cli.run import Run
from fairlead.cli.verb import HOSTS, verb


@verb(
    refuses={"hosts": HOSTS},
    mutates=False,
    help={
        "only": "Only these scanners: --only=bandit,gitleaks, or a kind: --only=secrets",
        "image": "An image to scan beside the tree, in the local engine or a registry",
        "osv_url": "Ask this OSV service for vulnerabilities of Python packages",
        "history": "Look for secrets in all commits, too; gitleaks does",
        "no_cache": "Scan again what did not change",
    },
)
def scan(
    run: Run,
    only: tuple[str, ...] = (),
    image: str | None = None,
    osv_url: str | None = None,
    history: bool = False,
    no_cache: bool = False,
) -> None:
    """Look for vulnerabilities, secrets, unsafe code and licences; `-- FILES` limits it to files"""
    from fairlead.tasks.shared.image_scan import identified
    from fairlead.tasks.shared.scanned import ScanRequest, scan_plan, scanned

    def asked(image: str | None) -> ScanRequest:
        return ScanRequest.of(run, only, image, osv_url, history=history, no_cache=no_cache)

    request = asked(image)
    if run.options.plan:
        scan_plan(run, request)
    elif not image:
        scanned(run, request)
    else:
        found = identified(run, image)
        scanned(run, asked(found.reference), found)
