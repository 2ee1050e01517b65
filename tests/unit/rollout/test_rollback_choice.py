"""Which release is the right one to go back to."""

from dataclasses import replace

import pytest
from factories import an_environment, deployed, empty_host, kept, target_of
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import FairleadError, UsageError
from fairlead.model import ReleaseStatus
from fairlead.rollout.observed import Backup, Live
from fairlead.rollout.rollback import candidates, choose, without_way_back

PROVEN, FAILED, BAD = ReleaseStatus.PROVEN, ReleaseStatus.FAILED, ReleaseStatus.ROLLED_BACK
ENVIRONMENT = an_environment(("web1", "web2"))


def target(sequence, tag=""):
    return target_of(ENVIRONMENT, sequence, tag or f"v{sequence}")


def host(live=None, name="web1", backups=(), **releases):
    """A host that keeps releases `r1="proven"`, `r2_v9="failed"`…, and serves number `live`."""
    found = {}
    for key, status in releases.items():
        number, _, tag = key.removeprefix("r").partition("_")
        found[int(number)] = kept(target(int(number), tag), name, ReleaseStatus(status))
    state = (
        deployed(ENVIRONMENT, name, target=target(live)) if live is not None else empty_host(name)
    )
    return replace(state, releases=tuple(found.values()), backups=tuple(backups))


def chosen(state, to="", **more):
    return choose({state.host: state, **more}, to).release


class TestAHostThatJoined:
    OLD = host(2, r1="proven", r2="proven")

    @pytest.mark.parametrize(
        ("web2", "new"),
        [
            (host(name="web2"), ("web2",)),
            (host(2, name="web2", r2="proven"), ()),
            (host(2, name="web2", r1="proven", r2="proven"), ()),
            (host(name="web2", r2="failed"), ("web2",)),
        ],
    )
    def test_a_deploy_to_it_has_no_way_back_there(self, web2, new):
        """Unless it keeps, proven, a release that the others have too."""
        assert without_way_back({"web1": self.OLD, "web2": web2}) == new

    def test_a_first_deploy_has_none_anywhere_and_nobody_expects_one(self):
        assert without_way_back({"web1": host(), "web2": host(name="web2")}) == ()


class TestQuick:
    def test_the_proven_one_before_the_live(self):
        """By sequence, whatever order the host lists them in."""
        state = host(3, r3="proven", r1="proven", r2="proven")
        assert chosen(state) == "0002-v2"

    @pytest.mark.parametrize("status", ["failed", "rolled-back", "prepared"])
    def test_what_was_not_proven_is_passed_over(self, status):
        """A release that failed, was rolled back or never finished is no way back."""
        assert chosen(host(3, r1="proven", r2=status, r3="proven")) == "0001-v1"

    def test_twice_in_a_row_never_returns_to_a_bad_release(self):
        """3 is bad, back to 2; 2 is bad too, back to 1; never to 3."""
        after_first = host(2, r1="proven", r2="proven", r3="rolled-back")
        assert chosen(after_first) == "0001-v1"

    def test_after_a_fix_the_good_one_before_it_counts(self):
        """3 was rolled back, 4 is live and bad: 2 is the way back, not 3."""
        assert chosen(host(4, r2="proven", r3="rolled-back", r4="proven")) == "0002-v2"

    def test_a_newer_one_that_was_proven_is_not_before(self):
        """One that went back with --to and wants further back does not land in the future."""
        assert chosen(host(2, r1="proven", r2="proven", r3="proven")) == "0001-v1"

    def test_with_nothing_older_it_says_what_there_is(self):
        """The first release has no way back; the candidates are listed."""
        with pytest.raises(FairleadError, match="no older proven release") as caught:
            choose({"web1": host(1, r1="proven")})
        assert caught.value.why[0].startswith("0001-v1  v1  proven (live)")
        assert caught.value.exit_code == 1

    def test_an_empty_host_says_so(self):
        """Nothing kept is told in words."""
        with pytest.raises(FairleadError) as caught:
            choose({"web1": empty_host()})
        assert caught.value.why == ("no release is kept on these hosts",)

    def test_with_nothing_live_it_is_the_newest_proven(self):
        """After a stop of everything, the last good release."""
        assert chosen(host(None, r1="proven", r2="proven", r3="failed")) == "0002-v2"

    def test_of_a_roll_out_half_way_the_old_one_is_the_way_back(self):
        """Both get requests: back is to the older of the two."""
        state = deployed(
            ENVIRONMENT,
            target=target(1),
            idle=target(2),
            live_runtime=Live("blue", "green", 5000),
            releases=(kept(target(1)), kept(target(2), status=ReleaseStatus.PREPARED)),
        )
        assert chosen(state) == "0001-v1"


class TestByName:
    STATE = host(
        3,
        r1="proven",
        r2="proven",
        r3="proven",
        backups=(Backup("20251202-143022", "0001-v1", 2), Backup("20251203-090000", "0002-v2", 3)),
    )

    @pytest.mark.parametrize(
        ("to", "release"),
        [("20251202-143022", "0001-v1"), ("0002-v2", "0002-v2"), ("v1", "0001-v1")],
    )
    def test_a_timestamp_a_release_or_a_tag_will_do(self, to, release):
        """Each names one release."""
        assert chosen(self.STATE, to) == release

    def test_the_sequence_decides_and_not_the_time_of_a_backup(self):
        """Backups whose clocks were wrong do not change which one is older."""
        state = replace(
            self.STATE,
            backups=(
                Backup("20990101-000000", "0001-v1", 2),
                Backup("20000101-000000", "0002-v2", 3),
            ),
        )
        assert chosen(state) == "0002-v2"

    def test_of_several_with_one_tag_the_proven_one_that_is_not_live(self):
        """The same tag, deployed again with a broken env: back is to where it worked."""
        state = host(5, r1_v1="proven", r3_v1="failed", r4_v1="rolled-back", r5="proven")
        assert chosen(state, "v1") == "0001-v1"

    def test_a_bad_release_can_be_named(self):
        """Who asks for it by name gets it: a person knows more."""
        assert chosen(host(3, r2="rolled-back", r3="proven"), "0002-v2") == "0002-v2"

    @pytest.mark.parametrize("to", ["20991231-235959", "v9", "0009-v9", "../../etc", "v"])
    def test_an_unknown_name_lists_the_candidates(self, to):
        """Exit 2; each candidate with tag, status and timestamps."""
        with pytest.raises(UsageError) as caught:
            choose({"web1": self.STATE}, to)
        assert f"`{to}`" in caught.value.what
        assert caught.value.why == (
            "0003-v3  v3  proven (live)  ",
            "0002-v2  v2  proven  20251203-090000",
            "0001-v1  v1  proven  20251202-143022",
        )


class TestSeveralHosts:
    def test_only_what_every_host_has_is_a_candidate(self):
        """Going back must be possible everywhere (law 6)."""
        one = host(3, r1="proven", r2="proven", r3="proven")
        two = host(3, "web2", r1="proven", r3="proven")
        found = candidates({"web1": one, "web2": two})
        assert [c.release for c in found] == ["0003-v3", "0001-v1"]

    def test_a_host_that_was_never_deployed_to_stands_in_nobodys_way(self):
        """A server added since the last deploy has no release, and serves none either."""
        observed = {"new": host(None, "new"), "web1": host(2, r1="proven", r2="proven")}
        assert choose(observed).release == "0001-v1"

    def test_the_worst_status_counts(self):
        """Rolled back on one host is rolled back."""
        one = host(3, r1="proven", r2="proven", r3="proven")
        two = host(3, "web2", r1="proven", r2="rolled-back", r3="proven")
        assert choose({"web1": one, "web2": two}).release == "0001-v1"

    def test_hosts_that_disagree_go_back_to_the_older(self):
        """One serves 3, the other 2 still: both can have 2."""
        one = host(3, r1="proven", r2="proven", r3="prepared")
        two = host(2, "web2", r1="proven", r2="proven", r3="prepared")
        assert choose({"web1": one, "web2": two}).release == "0002-v2"


STATUSES = st.lists(st.sampled_from(["proven", "failed", "rolled-back", "prepared"]), max_size=6)


@given(STATUSES, st.integers(0, 6))
def test_quick_goes_to_an_older_proven_release_or_nowhere(statuses, live):
    """Whatever a host keeps, --quick never goes forward, and never to one that is not proven."""
    releases = {f"r{number}": status for number, status in enumerate(statuses, 1)}
    state = host(min(live, len(statuses)) or None, **releases)
    try:
        found = choose({"web1": state})
    except FairleadError:
        return
    assert releases[f"r{found.sequence}"] == "proven"
    live_now = state.kept(state.live_release)
    assert live_now is None or found.sequence < live_now.sequence
