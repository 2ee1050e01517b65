"""The record of a commit holds what passed last, and nothing that has failed since."""

from dataclasses import replace

from fairlead.images.record import Built, keep, read_record
from fairlead.images.revision import Revision
from fairlead.images.tags import Standing

REVISION = Revision(Standing("c" * 40, "main"), 0, "")


def built(name, digest="sha256:1"):
    return Built(
        name=name,
        services=(name,),
        image="",
        digest=digest,
        platforms={},
        tags=("main-cccccccccccc",),
        layout="",
        size=0,
        smoke="passed",
        sbom="passed",
        scan="passed",
    )


def digests(root):
    return {one.name: one.digest for one in read_record(root, REVISION.key).images}


def test_other_images_of_the_commit_stay(tmp_path):
    keep(tmp_path, REVISION, "c", [built("api"), built("web")])
    keep(tmp_path, REVISION, "c", [built("web", "sha256:2")])
    assert digests(tmp_path) == {"api": "sha256:1", "web": "sha256:2"}


def test_what_failed_is_taken_out(tmp_path):
    """Else push would send the image of before, which the last scan did not let pass."""
    keep(tmp_path, REVISION, "c", [built("api"), built("web")])
    keep(tmp_path, REVISION, "c", [], failed=["api"])
    assert digests(tmp_path) == {"web": "sha256:1"}


def test_with_another_configuration_all_is_to_be_built_anew(tmp_path):
    keep(tmp_path, REVISION, "c", [built("api")])
    keep(tmp_path, REVISION, "d", [built("web")])
    assert set(digests(tmp_path)) == {"web"}


def test_a_smoke_test_is_about_the_platforms_it_ran_on(tmp_path):
    platforms = {"linux/amd64": "sha256:a", "linux/arm64": "sha256:b"}
    tried = replace(built("api"), platforms=platforms, tried=("linux/amd64",))
    keep(tmp_path, REVISION, "c", [tried, replace(built("web"), platforms=platforms)])
    record = read_record(tmp_path, REVISION.key)
    assert record.of("api").untried == ("linux/arm64",)
    assert record.of("web").untried == ()  # it was not tried at all, which is told otherwise


def test_what_failed_alone_leaves_no_record(tmp_path):
    keep(tmp_path, REVISION, "c", [], failed=["api"])
    assert read_record(tmp_path, REVISION.key) is None
