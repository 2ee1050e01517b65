"""Files that a compose file mounts travel with the release, to a place named by their content."""

import io
import tarfile

import pytest

from fairlead.engines.compose.project_files import add_to, placed, project_files


def mounting(*volumes, **more):
    return {"services": {"redis": {"volumes": list(volumes)}}, **more}


def bind(source, *, read_only=True):
    return {"type": "bind", "source": source, "target": "/etc/x", "read_only": read_only}


@pytest.fixture
def conf(tmp_path):
    (tmp_path / "redis.conf").write_text("save 60 1\n")
    return tmp_path


def packed(file):
    """The archive's members: name → (mode, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_to(tar, file)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        return {
            one.name: (one.mode, tar.extractfile(one).read() if one.isfile() else None)
            for one in tar.getmembers()
        }


def test_a_read_only_file_travels(conf):
    """It is found beside the compose file, and its place on the host is told by its content."""
    found, problems = project_files(mounting(bind("./redis.conf")), conf)
    assert problems == []
    file = found["./redis.conf"]
    assert file.place == f"files/{file.digest}/redis.conf"
    assert packed(file) == {file.place: (0o644, b"save 60 1\n")}


def test_a_folder_travels_with_all_it_holds(tmp_path):
    """Folders go whole, readable for any container's user; what is executable stays so."""
    folder = tmp_path / "conf"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/run.sh").write_text("#!/bin/sh\n")
    (folder / "sub/run.sh").chmod(0o700)
    (folder / "secret").symlink_to("/etc/shadow")
    file = project_files(mounting(bind("./conf")), tmp_path)[0]["./conf"]
    assert packed(file) == {
        file.place: (0o755, None),
        f"{file.place}/sub": (0o755, None),
        f"{file.place}/sub/run.sh": (0o755, b"#!/bin/sh\n"),
    }


def test_equal_content_has_one_place(conf, tmp_path_factory):
    """What did not change stays where it is: a database is not re-created for nothing."""
    elsewhere = tmp_path_factory.mktemp("other")
    (elsewhere / "redis.conf").write_text("save 60 1\n")
    project = mounting(bind("./redis.conf"))
    one, two = (project_files(project, folder)[0] for folder in (conf, elsewhere))
    assert one["./redis.conf"].place == two["./redis.conf"].place


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_a_change_has_a_place_of_its_own(conf, change):
    """Another content, name or executable bit is another file; the old one is not overwritten."""
    before = project_files(mounting(bind("./redis.conf")), conf)[0]["./redis.conf"]
    path = conf / "redis.conf"
    if change == "content":
        path.write_text("save 60 2\n")
    elif change == "mode":
        path.chmod(0o755)
    else:
        path = path.rename(conf / "valkey.conf")
    after = project_files(mounting(bind(f"./{path.name}")), conf)[0][f"./{path.name}"]
    assert after.digest != before.digest


def test_a_writable_one_is_refused(conf):
    """What a container writes into a release's copy would be lost: another way is named."""
    found, [problem] = project_files(mounting(bind("./redis.conf", read_only=False)), conf)
    assert found == {}
    assert problem.path == "services.redis.volumes[0]"
    assert "mount it read-only (:ro), or use a named volume" in problem.message


def test_one_that_is_not_there_is_refused(conf):
    """A missing file is told before anything is touched, not by Docker on the host."""
    _, [problem] = project_files(mounting(bind("./gone.conf")), conf)
    assert problem.message == "`./gone.conf` does not exist"


@pytest.mark.parametrize("source", ["/etc/ssl/certs", "~/certs"])
def test_paths_of_the_host_are_its_own(conf, source):
    """An absolute path is not ours to carry."""
    assert project_files(mounting(bind(source)), conf) == ({}, [])


def test_configs_and_secrets_travel_too(conf):
    """`configs:` and `secrets:` with a file are mounted read-only by nature."""
    more = {"configs": {"c": {"file": "./redis.conf"}}, "secrets": {"s": {"file": "/run/s"}}}
    found, problems = project_files(mounting(**more), conf)
    assert (list(found), problems) == (["./redis.conf"], [])


def test_the_project_then_names_places_on_the_host(conf):
    """Sources are replaced by absolute paths there; nothing else changes, nor the original."""
    project = mounting(
        bind("./redis.conf"), bind("/etc/ssl"), configs={"c": {"file": "./redis.conf"}}
    )
    found, _ = project_files(project, conf)
    moved = placed(project, found, "/opt/shop/live")
    place = f"/opt/shop/live/{found['./redis.conf'].place}"
    assert [v["source"] for v in moved["services"]["redis"]["volumes"]] == [place, "/etc/ssl"]
    assert moved["configs"]["c"]["file"] == place
    assert project["services"]["redis"]["volumes"][0]["source"] == "./redis.conf"
