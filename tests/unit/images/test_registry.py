"""What a tag means, asked of a registry that answers over HTTP."""

import socket
from collections.abc import Iterator

import pytest
from registry_server import Answer, Content, RegistryServer, digest_of

from fairlead.errors import PreconditionError
from fairlead.images.credentials import IDENTITY, Credentials
from fairlead.images.exchange import Unreachable
from fairlead.images.reference import Reference
from fairlead.images.registry import Registry
from fairlead.model import Secret

AMD = {"os": "linux", "architecture": "amd64"}
ARM = {"os": "linux", "architecture": "arm64", "variant": "v8"}


@pytest.fixture
def serve() -> Iterator[object]:
    """Starts registries, and closes them when the test is over."""
    servers = []

    def start(content: Content) -> str:
        servers.append(RegistryServer(content))
        return servers[-1].address

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def content():
    return Content()


@pytest.fixture
def registry(serve, content):
    """The registry's address; `content` is what it holds."""
    return serve(content)


def resolve(address, tag="v1", credentials=None, digest=""):
    registry = Registry(address, credentials, insecure=True)
    return registry.resolve(Reference(address, "team/app", tag, digest))


def ours(content, password=None):
    return Credentials(content.user, Secret(password or content.password))


def refused(address, **more):
    with pytest.raises(PreconditionError) as caught:
        resolve(address, **more)
    assert caught.value.state == "nothing was changed"
    return caught.value


class TestWhatATagMeans:
    def test_an_index_tells_its_platforms(self, registry, content):
        """A multi-platform image: the index's digest, each platform, one platform's size."""
        digest = content.index("v1", AMD, ARM)
        image = resolve(registry)
        assert (image.digest, image.size) == (digest, 1234)
        assert image.platforms == ("linux/amd64", "linux/arm64/v8")
        assert image.pinned == f"{registry}/team/app@{digest}"

    def test_a_single_image_tells_its_platform_by_its_configuration(self, registry, content):
        """A plain manifest names no platform; its config blob does."""
        digest = content.image("v1", machine="arm64")
        image = resolve(registry)
        assert (image.digest, image.platforms, image.size) == (digest, ("linux/arm64",), 1234)

    def test_an_index_of_attestations_alone_has_no_platform(self, registry, content):
        """What holds nothing runnable is told as such."""
        content.index("v1")
        assert resolve(registry).platforms == ()

    def test_a_digest_is_asked_for_by_itself(self, registry, content):
        """A pinned reference stays what it is, whatever its tag means by now."""
        digest = content.image("v1")
        content.image("v1", machine="arm64")
        assert resolve(registry, digest=digest).digest == digest

    def test_without_the_header_the_digest_is_computed(self, registry, content):
        """A registry need not tell the digest: it is the hash of what it sent."""
        content.tells_digest = False
        digest = content.image("v1")
        assert resolve(registry).digest == digest

    def test_both_kinds_of_manifest_are_asked_for(self, registry, content):
        """Without them in Accept, registries convert what they have, and the digest with it."""
        content.image("v1")
        resolve(registry)
        assert "image.index.v1" in content.seen[0].accept
        assert "manifest.list.v2" in content.seen[0].accept

    def test_a_blob_may_live_elsewhere(self, registry, content, serve):
        """A redirect to a storage server is followed, without our authorization."""
        content.guard = "Basic"
        storage = Content(name="storage")
        content.image("v1")
        (name, blob), *_ = content.blobs.items()
        storage.special["/signed"] = Answer(200, blob)
        location = f"http://{serve(storage)}/signed"
        content.special[f"/v2/team/app/blobs/{name}"] = Answer(307, b"", {"Location": location})
        assert resolve(registry, credentials=ours(content)).platforms == ("linux/amd64",)
        assert [seen.authorization for seen in storage.seen] == [""]

    def test_a_redirect_may_be_relative(self, registry, content):
        """A location without a server is on the same one."""
        content.image("v1")
        (name, blob), *_ = content.blobs.items()
        content.special[f"/v2/team/app/blobs/{name}"] = Answer(302, b"", {"Location": "/moved"})
        content.special["/moved"] = Answer(200, blob)
        assert resolve(registry).platforms == ("linux/amd64",)


class TestWhoAsks:
    def test_nobody_s_name_is_sent_where_it_is_not_asked(self, registry, content):
        """An open registry never sees our credentials."""
        content.image("v1")
        resolve(registry, credentials=ours(content))
        assert {seen.authorization for seen in content.seen} == {""}

    def test_basic(self, registry, content):
        """A registry that asks for a password gets it, after it asked."""
        content.guard = "Basic"
        digest = content.image("v1")
        assert resolve(registry, credentials=ours(content)).digest == digest
        first, *rest = [seen.authorization for seen in content.seen]
        assert first == ""
        assert set(rest) == {content.basic()}

    def test_bearer(self, registry, content, serve):
        """A token comes from the realm the registry names; the password goes nowhere else."""
        content.guard = "Bearer"
        realm = Content(name="realm")
        content.realm = f"http://{serve(realm)}"
        content.image("v1")
        assert resolve(registry, credentials=ours(content)).platforms == ("linux/amd64",)
        [asked] = realm.seen
        assert "scope=repository%3Ateam%2Fapp%3Apull" in asked.path
        assert "service=registry.test" in asked.path
        assert asked.authorization == content.basic()
        assert {seen.authorization for seen in content.seen} == {"", "Bearer pass-for-pull"}

    def test_an_expired_token_is_renewed_each_time(self, registry, content):
        """The challenge is the same text every time; that is no reason to ask only once."""
        content.guard, content.realm = "Bearer", f"http://{registry}"
        content.image("v1")
        asking = Registry(registry, ours(content), insecure=True)
        for stale in (0, 1, 1):
            content.stale = stale
            assert asking.resolve(Reference(registry, "team/app", "v1")).digest

    def test_a_token_server_s_trouble_is_no_wrong_password(self, registry, content):
        """503 there is told as such, and the next request asks again."""
        content.guard, content.realm, content.busy = "Bearer", f"http://{registry}", 1
        content.image("v1")
        asking = Registry(registry, ours(content), insecure=True)
        with pytest.raises(Unreachable, match="gives no token"):
            asking.resolve(Reference(registry, "team/app", "v1"))
        assert asking.resolve(Reference(registry, "team/app", "v1")).digest

    def test_an_identity_token_is_exchanged(self, registry, content):
        """What `az acr login` leaves is no password: it goes to the token server alone."""
        content.guard, content.realm = "Bearer", f"http://{registry}"
        content.identity = "refresh-me"
        content.image("v1")
        known = Credentials(IDENTITY, Secret("refresh-me"))
        assert resolve(registry, credentials=known).digest
        assert {seen.authorization for seen in content.seen} == {"", "Bearer pass-for-pull"}

    @pytest.mark.parametrize("guard", ["Basic", "Bearer"])
    @pytest.mark.parametrize("known", [True, False])
    def test_a_stranger_is_refused_with_the_way_in(self, registry, content, serve, guard, known):
        """No or wrong credentials: who refuses what, how to log in, and never the password."""
        content.guard = guard
        content.realm = f"http://{serve(Content())}"
        content.image("v1")
        wrong = ours(content, "wrong-password") if known else None
        error = refused(registry, credentials=wrong)
        assert error.what == f"{registry} refuses team/app (HTTP 401)"
        assert error.next_step.startswith(f"docker login {registry}")
        assert "wrong-password" not in str((error.what, error.why, error.next_step))


class TestWhatGoesWrong:
    def test_a_tag_that_is_not_there_names_the_nearest(self, registry, content):
        """A typing mistake is answered with what was probably meant."""
        content.tags = ["v2.5.0", "v2.4.9", "nightly"]
        error = refused(registry, tag="v2.5")
        assert error.what == f"image {registry}/team/app:v2.5 is not in the registry"
        assert error.why[0].startswith("it has: v2.5.0")
        assert "nightly" not in error.why[0]

    def test_without_a_near_one_it_names_some(self, registry, content):
        """A tag that resembles none is answered with the last ones there are."""
        content.tags = [f"build-{n}" for n in range(9)]
        assert refused(registry, tag="zzz").why == (
            "it has: build-4, build-5, build-6, build-7, build-8",
        )

    def test_an_unknown_repository_is_told_as_such(self, registry):
        """A repository without tags is not there, or was never pushed to."""
        assert refused(registry).why == (f"{registry} knows no repository team/app",)

    @pytest.mark.parametrize("status", [400, 429, 500, 503])
    def test_an_answer_of_another_kind_is_told(self, registry, content, status):
        """A registry's own trouble is told with its HTTP status."""
        content.special["/v2/team/app/manifests/v1"] = Answer(status, b"<html>sorry</html>")
        assert (
            refused(registry).what == f"{registry} answers HTTP {status} for {registry}/team/app:v1"
        )

    def test_a_web_page_is_no_manifest(self, registry, content):
        """What answers 200 with a page (a proxy, another server) is told, without a traceback."""
        content.special["/v2/team/app/manifests/v1"] = Answer(200, b"<html>log in</html>")
        assert "is no registry" in refused(registry).what

    def test_a_storage_that_refuses_is_told(self, registry, content):
        """A redirect that ends in an error is an error, not a platform."""
        content.image("v1")
        (name, _), *_ = content.blobs.items()
        content.special[f"/v2/team/app/blobs/{name}"] = Answer(302, b"", {"Location": "/gone"})
        content.special["/gone"] = Answer(403, b"<Error>expired</Error>")
        assert "HTTP 403" in refused(registry).what

    def test_nobody_there(self):
        """An unreachable registry is named, with where to look."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            error = refused(f"127.0.0.1:{taken.getsockname()[1]}")
        assert "cannot be reached" in error.what
        assert error.next_step == "inv doctor"

    def test_a_damaged_manifest_is_not_deployed(self, registry, content):
        """A digest that is told must be that of the bytes that came."""
        content.image("v1")
        lie = {"Docker-Content-Digest": "sha256:" + "0" * 64}
        content.special["/v2/team/app/manifests/v1"] = Answer(200, content.manifests["v1"], lie)
        assert "is not what" in refused(registry).what


def test_the_server_s_own_digests_are_true():
    """The test's registry computes digests as registries do."""
    assert digest_of(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
