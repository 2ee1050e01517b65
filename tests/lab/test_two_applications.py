"""Two applications on one host share its router; what docs/how-to/day-two.md says of that."""

from urllib.request import Request, urlopen


def moved(app):
    """The application, wanted at another port."""
    app.url = False
    app.staging = f'url = "http://{app.hosts[0].address}:8080"\n[router]\nhttp_port = 8080\n'
    return app.write()


def version(app, port: int) -> bytes:
    """What it answers at this port of its host."""
    url = f"http://{app.hosts[0].address}:{port}/api/v1/version"
    with urlopen(Request(url, headers={"Host": app.name}), timeout=10) as answer:
        return bytes(answer.read())


def test_their_router_has_other_ports_when_both_agree(project, image, hosts):
    """One alone is refused, and nothing is touched; given away, the router is made anew."""
    tag, alone = image("shared-v1"), hosts(4)[3:]  # the repository's own environments are elsewhere
    shop, blog = project("shop", alone), project("blog", alone)
    for app in (shop, blog):
        app.deploy(tag).ok()

    refused = moved(blog).deploy(tag)
    assert refused.code == 2, refused.text
    assert "router.http_port" in refused.text
    assert shop.key in refused.text
    assert ", has 80" in refused.text
    assert shop.serving() == blog.serving() == tag

    shop.hosts[0].must("docker rename fairlead-router fairlead-router-old")
    assert shop.serving() == tag
    blog.deploy(tag).ok()
    assert tag.encode() in version(blog, 8080)
    assert tag.encode() in version(shop, 8080)
    moved(shop).deploy(tag).ok()
    assert len(shop.hosts[0].must("docker ps -aq --filter name=fairlead-router").split()) == 1
