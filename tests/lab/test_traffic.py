"""Fifty clients at once, and deploys under them: not one request fails."""

import pytest

from tests.lab.load import Load

FEW, MANY = 2, 10  # deploys in a row
THINK = 0.2  # of keep-alive clients, s: the deploys need some of the two processors too


def versions(image):
    """Two releases in turn, of one image each."""
    return [image("v1"), image("v2")]


def under_load(project, **options):
    """20 keep-alive clients, 20 with a connection for each request, 10 slow ones."""
    url = f"http://{project.hosts[0].address}/api/v1/version"
    return Load(url, project.name, think=THINK, **options)


def through(app, tags, count, **options):
    """What the load saw of so many deploys in a row, each of which is live when it has ended."""
    app.deploy(tags[0]).ok()
    with under_load(app, **options) as load:
        for number in range(1, count + 1):
            done = app.deploy(tags[number % 2]).ok()
            assert app.serving() == tags[number % 2]
            print(f"deploy {number}: {done.seconds:.1f} s")
        report = load.stop()
    print(report)
    assert report.failed == 0, str(report)
    assert report.by_kind["slow"] >= 10
    return report


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_blue_green_deploys_in_a_row_fail_no_request(project, image, count):
    app = project("traffic-bg", worker=True, migrate=True, keep_warm="2s", drain_timeout="15s")
    report = through(app, versions(image), count)
    assert report.by_kind["keep-alive"] > 50 * count
    assert report.by_kind["fresh"] > 100 * count
    assert report.slowest >= 5


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("count", "seconds"), [(FEW, 2), pytest.param(MANY, 5, marks=pytest.mark.long)]
)
def test_rolling_deploys_of_three_replicas_fail_no_request(project, image, count, seconds):
    """Requests of five seconds make nearly all of it drain, so the short one has shorter ones."""
    app = project("traffic-roll", strategy="rolling", replicas=3, drain_timeout="15s")
    path = f"/api/v1/slow?seconds={seconds}"
    report = through(app, versions(image), count, slow_path=path)
    assert report.slowest >= seconds
