"""What a build is given as a secret is known, so that no log shows it."""

from fairlead.config.building import load_building
from fairlead.images.build_secrets import build_secrets

TOML = """\
app = "shop"
[build.services.api]
secrets = { a = "env:PIP_TOKEN", b = "file:secret.txt", c = "env:UNSET", d = "file:missing" }
"""


def test_values_of_variables_and_files_are_known(tmp_path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text(TOML)
    (tmp_path / "secret.txt").write_text("plain words\n")
    building = load_building(tmp_path, "", {})
    found = build_secrets(building, {"PIP_TOKEN": "swordfish"})
    assert [one.reveal() for one in found] == ["swordfish", "plain words"]
