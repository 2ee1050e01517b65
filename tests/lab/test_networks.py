"""An application in a network that the host has already, beside its slots' own."""

SHARED = "lab-shared"
NETWORKS = f"networks:\n  shared: {{external: true, name: {SHARED}}}\n"
JOINED = "    networks: [default, shared]\n    ports"


def networks(host, container: str) -> set[str]:
    shown = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    return set(host.must(f"docker inspect --format '{shown}' {container}").split())


def test_an_external_network_is_joined_and_demanded_before_anything_is_touched(project, image):
    app = project("networked")
    app.compose = app.compose.replace("    ports", JOINED, 1) + NETWORKS
    app.write()
    [host] = app.hosts
    host.run(f"docker network rm {SHARED}")
    done = app.deploy(image("net-v1"))
    assert done.code == 1, done.text
    assert f"docker network create {SHARED}" in done.error["what"]
    assert host.containers(app.key) == []

    host.must(f"docker network create {SHARED}")
    try:
        app.deploy(image("net-v1")).ok()
        assert app.serving() == "net-v1"
        assert networks(host, f"{app.key}-blue-api-1") == {SHARED, f"{app.key}-blue"}
        assert networks(host, f"{app.key}-redis-1") == {f"{app.key}-blue", f"{app.key}-green"}
    finally:
        app.clear()
        host.must(f"docker network rm {SHARED}")
