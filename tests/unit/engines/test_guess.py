"""What is read out of a compose file that nobody has explained."""

import pytest

from fairlead.config import load
from fairlead.config.starter import render, write
from fairlead.engines.compose.guess import guess

API = {"build": {"context": "."}, "ports": [{"target": 8000, "published": "8000"}]}


def of(folder="shop", volumes=None, **services):
    return guess({"services": services, "volumes": volumes or {}}, folder)


def health(*words):
    return {"healthcheck": {"test": ["CMD-SHELL", *words]}}


def test_the_service_that_publishes_a_port_takes_the_requests():
    found = of(api=API, worker={"build": {"context": "."}})
    assert (found.routed, found.port) == ("api", 8000)
    assert "`api` takes the requests: it publishes port 8000." in found.reasons


def test_of_several_the_one_built_here_and_asked_for_its_health_wins():
    asked = API | health("curl -f http://localhost:8000/api/v1/health || exit 1")
    found = of(
        admin={"image": "adminer", "ports": [{"target": 8080}]},
        site=asked,
        zproxy={"image": "nginx:1", "ports": [{"target": 80}]},
    )
    assert (found.routed, found.port, found.health) == ("site", 8000, "/api/v1/health")
    assert any("`zproxy` publishes port 80 too" in one for one in found.questions)


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("curl -f http://localhost:8000/up", "/up"),
        ("wget -qO- http://127.0.0.1:8000 || exit 1", "/"),
        ("python -c \"c.request('GET', '/healthz')\"", "/healthz"),
        ("curl -f http://localhost:$$PORT/health", "/health"),
        ("pg_isready", "/"),
    ],
)
def test_the_health_path_is_what_the_healthcheck_asks(test, path):
    assert of(api=API | health(test)).health == path


def test_an_unknown_health_path_is_a_question():
    assert any("shows whether it is well" in one for one in of(api=API).questions)


def test_the_port_is_the_one_the_healthcheck_asks():
    two = {"ports": [{"target": 9000}, {"target": 8001}], **health("curl http://localhost:9000/")}
    assert of(api=two).port == 9000
    assert of(api={"expose": ["5000/tcp"], "build": {}}).port == 5000
    assert of(api={"image": "x/y", **health("curl http://localhost:3000/")}).port == 3000


def test_no_service_for_requests_is_a_question_and_not_a_failure():
    found = of(worker={"build": {"context": "."}})
    assert (found.routed, found.port) == ("", None)
    assert any("Which one takes requests?" in one for one in found.questions)


@pytest.mark.parametrize(
    "image",
    [
        "redis:7-alpine",
        "postgres",
        "docker.io/library/mariadb:11",
        "qdrant/qdrant:v1",
        "mongo@sha256:0",
    ],
)
def test_stores_are_known_by_their_image(image):
    found = of(api=API, store={"image": image, "ports": [{"target": 1}]})
    assert found.stateful == ("store",)
    assert found.routed == "api"
    assert any("`store` keeps data" in one for one in found.reasons)


def test_what_writes_to_a_volume_keeps_data_unless_it_is_our_own():
    volume = {"volumes": [{"type": "volume", "source": "v", "target": "/v"}]}
    found = of(api=API | volume, odd={"image": "vendor/odd"} | volume, volumes={"v": {}})
    assert found.stateful == ("odd",)
    assert any("`api` writes to `v`" in one for one in found.questions)
    named = of(api=API | volume, volumes={"v": {"name": "shared"}})
    assert not any("writes to" in one for one in named.questions)


def test_a_proxy_with_a_file_beside_it_is_no_store():
    bind = {"type": "bind", "source": "./nginx.conf", "target": "/etc/nginx/nginx.conf"}
    found = of(nginx={"image": "nginx", "ports": [{"target": 80}], "volumes": [bind]})
    assert found.stateful == ()
    assert found.routed == "nginx"


def test_images_built_here_or_of_a_private_registry_take_the_tag():
    found = of(
        api=API,
        jobs={"image": "ghcr.io/team/jobs:v1"},
        cache={"image": "redis"},
        proxy={"image": "nginx"},
        tool={"image": "quay.io/vendor/tool"},
        local={"image": "localhost:5000/x/y@sha256:abc"},
    )
    assert found.images == {
        "api": "registry.example.com/shop",
        "jobs": "ghcr.io/team/jobs",
        "local": "localhost:5000/x/y",
    }


def test_services_of_one_build_share_a_repository_and_others_do_not():
    same = of(api=API, worker={"build": {"context": "."}})
    assert set(same.images.values()) == {"registry.example.com/shop"}
    two = of(api=API, web={"build": {"context": "web"}})
    assert two.images == {
        "api": "registry.example.com/shop/api",
        "web": "registry.example.com/shop/web",
    }


@pytest.mark.parametrize(
    ("folder", "app"),
    [("My Shop", "my-shop"), ("2nd", "app-2nd"), ("", "app"), ("Ünï", "n"), ("a" * 40, "a" * 31)],
)
def test_the_application_is_named_after_its_folder(folder, app):
    assert of(folder).app == app


def test_a_guess_becomes_a_project_that_loads(tmp_path):
    (tmp_path / "compose.yaml").touch()
    write(tmp_path, render(of(api=API, worker={"build": {}}, redis={"image": "redis"})))
    environment = load(tmp_path, None, {})
    assert [one.name for one in environment.routed] == ["api"]
    assert [one.name for one in environment.stateful] == ["redis"]
