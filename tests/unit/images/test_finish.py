"""What a run of BuildKit leaves varies; what is recorded and pushed does not."""

import pytest
from layouts import make

from fairlead.images.finish import finish

SLSA = ("v0.2", "v1")  # what BuildKit wrote at first, and what it writes now
ABOUT = {"org.opencontainers.image.revision": "abc"}


def everything(layout):
    return "".join(file.read_text() for file in (layout.folder / "blobs/sha256").iterdir())


@pytest.mark.parametrize("slsa", SLSA)
def test_two_runs_of_one_build_give_one_digest(tmp_path, slsa):
    made = (make(tmp_path / run, run=run, slsa=slsa) for run in ("first", "second"))
    digests = {finish(one, {}, ABOUT) for one in made}
    assert len(digests) == 1


def test_the_images_keep_their_digests_and_the_index_names_their_platforms(tmp_path):
    layout = make(tmp_path / "a")
    before = [(one.digest, one.platform) for one in layout.images()]
    assert finish(layout, {}, ABOUT) == layout.root.digest
    assert [(one.digest, one.platform) for one in layout.images()] == before
    assert [platform for _, platform in before] == ["linux/amd64", "linux/arm64"]
    assert layout.read(layout.root.digest)["annotations"] == ABOUT


@pytest.mark.parametrize("slsa", SLSA)
def test_provenance_stays_but_for_what_varies(tmp_path, slsa):
    layout = make(tmp_path / "a", run="a-run-of-its-own", slsa=slsa)
    finish(layout, {}, {})
    text = everything(layout)
    assert "a-run-of-its-own" not in text
    assert text.count('"reproducible":false') == 2


def test_an_sbom_is_a_layer_of_the_attestation_of_its_image(tmp_path):
    layout = make(tmp_path / "a")
    amd, arm = layout.images()
    finish(layout, {amd.digest: {"https://spdx.dev/Document": {"name": "parts"}}}, {})
    kinds = {
        one.annotations["vnd.docker.reference.digest"]: [
            part.annotations["in-toto.io/predicate-type"] for part in list(layout.parts(one))[1:]
        ]
        for one in layout.manifests()
        if one.is_attestation
    }
    slsa = "https://slsa.dev/provenance/v0.2"
    assert kinds == {amd.digest: [slsa, "https://spdx.dev/Document"], arm.digest: [slsa]}


def test_no_blob_is_left_that_nothing_names(tmp_path):
    layout = make(tmp_path / "a")
    finish(layout, {}, {})
    named = {one.digest for one in layout.manifests()} | {layout.root.digest}
    named |= {part.digest for one in layout.manifests() for part in layout.parts(one)}
    there = {f"sha256:{file.name}" for file in (layout.folder / "blobs/sha256").iterdir()}
    assert there == named


def test_a_single_image_becomes_an_index_with_its_platform(tmp_path):
    layout = make(tmp_path / "a", platforms=("arm64",))
    layout.point(layout.images()[0])
    finish(layout, {}, ABOUT)
    assert [one.platform for one in layout.images()] == ["linux/arm64"]
