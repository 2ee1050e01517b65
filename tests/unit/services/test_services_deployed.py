"""What a deploy of all that changed takes besides: the same image, and what nothing tells of."""

import pytest

from fairlead.services.deployed import same_image, undeclared

IMAGES = {"api": "r/api", "worker": "r/api", "web": "r/web", "mailer": "r/mailer"}


@pytest.mark.parametrize(
    ("declared", "untold"),
    [
        (("api", "web", "mailer"), set()),
        (("api", "web"), {"mailer"}),
        (("web", "library"), {"api", "worker", "mailer"}),
        (("worker",), {"web", "mailer"}),
        ((), set(IMAGES)),
    ],
)
def test_a_service_whose_image_no_declared_source_makes_is_undeclared(declared, untold):
    assert undeclared(IMAGES, declared) == untold


@pytest.mark.parametrize(
    ("differing", "taken"),
    [
        (("api",), {"api", "worker"}),
        (("worker", "web"), {"api", "worker", "web"}),
        (("library",), set()),
        ((), set()),
    ],
)
def test_what_runs_the_same_image_changes_with_it(differing, taken):
    assert same_image(IMAGES, differing) == taken
