"""BuildKit's plain output, as a person follows it."""

from fairlead.images.stages import Stages

LINES = """\
#0 building with "ci" instance using docker driver
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#5 [linux/arm64 build 2/3] RUN make
#5 0.512 cc -o hello
#6 [2/3] COPY . .
#6 CACHED
#7 exporting to oci image format
#7 exporting layers 0.2s done
#8 [3/3] RUN false
#8 0.3 sh: 1: no: not found
#8 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
"""


def test_stages_are_counted_and_named():
    stages = Stages("api")
    told = [progress for line in LINES.splitlines() if (progress := stages.feed(line))]
    assert [(one.done, one.total, one.note or one.what) for one in told] == [
        (2, 3, "linux/arm64 build RUN make"),
        (2, 3, "COPY . ."),
        (0, 0, "exporting to oci image format"),
        (3, 3, "RUN false"),
    ]
    assert (stages.cached, stages.steps) == (1, 3)


def test_a_failure_is_told_by_its_last_lines():
    stages = Stages("api")
    for line in LINES.splitlines():
        stages.feed(line)
    assert stages.failure()[-2:] == [
        "sh: 1: no: not found",
        'ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1',
    ]


def test_a_cache_that_cannot_be_written_is_known():
    """BuildKit goes on, as it is told to; another step's error is none of the cache's."""
    stages = Stages("api")
    for line in LINES.splitlines():
        stages.feed(line)
    assert stages.uncached == ""
    stages.feed("#9 exporting cache to registry")
    stages.feed("#9 ERROR: failed to push r.test/api:buildcache: 401 Unauthorized")
    assert stages.uncached == "failed to push r.test/api:buildcache: 401 Unauthorized"
