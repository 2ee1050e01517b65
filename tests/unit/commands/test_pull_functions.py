"""How images are fetched. The `docker` here only repeats what a test gives it."""

PULLED = """\
abc: Pulling from team/api
1f3e46996e29: Already exists
8a1e25ce7c4f: Pulling fs layer
e78b13787b3b: Pulling fs layer
e78b13787b3b: Verifying Checksum
e78b13787b3b: Download complete
8a1e25ce7c4f: Pull complete
e78b13787b3b: Pull complete
Digest: sha256:4b1d
Status: Downloaded newer image for registry.test/team/api@sha256:4b1d
registry.test/team/api@sha256:4b1d
"""


def test_a_pull_is_told_layer_by_layer(shell):
    """Docker's own lines become so many of so many layers; complaints go to stderr."""
    said = PULLED + "error pulling image: connection reset\n"
    done = shell.run("fl_pull_progress registry.test/team/api", stdin=said.encode())
    assert done.marks == ["@pull 2 3 api", "@pull 3 3 api", "@pull 3 3 api"]
    assert done.err == "error pulling image: connection reset\n"


class TestALoginForAPull:
    """Registry credentials are on the host while it pulls, for nobody else, and then no more."""

    DOCKER = """docker() {
        dk_config=${DOCKER_CONFIG:-}/config.json
        case $1 in
          context) echo unix:///run/user/1000/docker.sock ;;
          login)
            cat >"$dk_config"
            ls -ld "$DOCKER_CONFIG" | cut -c 1-10 >"$FL_BASE/mode"
            [ "$(cat "$dk_config")" = right ] || { echo unauthorized >&2; return 1; } ;;
          pull)
            cp "$dk_config" "$FL_BASE/seen"
            echo "$DOCKER_HOST" >"$FL_BASE/host"
            : >"$FL_BASE/pulled" ;;
          image) [ -f "$FL_BASE/pulled" ] && [ "$3" != broken ] ;;
        esac
    }"""

    def pull(self, shell, reference="r.test/api@sha256:1", password="right"):
        words = f"fl_pull_as r.test ci {reference}"
        return shell.run(f"{self.DOCKER}\nprintf %s {password} | {words}")

    def test_it_is_gone_after_the_pull(self, shell):
        """In a folder of mode 0700 meanwhile; the engine is the one that the host's user has."""
        assert self.pull(shell).code == 0
        assert (shell.base / "seen").read_text() == "right"
        assert (shell.base / "mode").read_text() == "drwx------\n"
        assert (shell.base / "host").read_text() == "unix:///run/user/1000/docker.sock\n"
        assert not (shell.base / "login").exists()

    def test_it_is_gone_after_a_pull_that_failed(self, shell):
        """And the pull's exit code is kept."""
        assert self.pull(shell, "broken").code == 69
        assert not (shell.base / "login").exists()

    def test_a_refused_login_is_told_and_nothing_is_pulled(self, shell):
        done = self.pull(shell, password="wrong")
        assert (done.code, done.err) == (
            *(69, "docker login to r.test as ci failed: unauthorized\n"),
        )
        assert not (shell.base / "pulled").exists()
        assert not (shell.base / "login").exists()
