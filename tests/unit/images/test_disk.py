"""A disk that is full, or not ours, is told as such."""

import errno

import pytest

from fairlead.commands.buildx import Builder
from fairlead.config.building import load_building
from fairlead.errors import PreconditionError
from fairlead.images import sbom
from fairlead.images.alone import alone
from fairlead.images.build import Job, build_all
from fairlead.images.builder import Able
from fairlead.images.disk import on_disk
from fairlead.images.revision import Revision
from fairlead.images.tags import Standing


def test_a_full_disk_is_a_sentence():
    full = OSError(errno.ENOSPC, "No space left on device", "/srv/x")
    what = "api: cannot be kept"
    with pytest.raises(PreconditionError, match=what) as caught, on_disk(what, "as it was"):
        raise full
    assert "No space left" in caught.value.what
    assert caught.value.why == ("/srv/x",)
    assert "df -h" in caught.value.next_step


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    """Root may write everywhere; a file in its place stops everybody."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text('app = "shop"\n')
    (tmp_path / ".fairlead").write_text("")
    with (
        pytest.raises(PreconditionError, match="nothing can be kept"),
        alone(tmp_path),
    ):
        pass
    revision = Revision(Standing("c" * 40), 0, "")
    able = Able(Builder(), "docker", ("linux/amd64",))
    building = load_building(tmp_path, "", {})
    job = Job(building, revision, able, lambda event: None, lambda names, digest: "passed")
    with pytest.raises(PreconditionError, match="nothing can be kept"):
        build_all(job, [])


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_what_syft_wrote_that_is_no_document_is_told(tmp_path, text):
    file = tmp_path / "api.spdx.json"
    file.write_text(text)
    with pytest.raises(PreconditionError, match="is no JSON object"):
        sbom._document(file, "api")
