"""Previews: past releases judged again under other parameters, by the judge's own path."""

from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import MemoryStore
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change
from firedamp.judge.previews import Preview, Previews
from firedamp.model import Outcome, Ruled, Ruling, Slice, Trouble, TroubleKind
from pasts import COHORTS, errors, kept, looked, parameters, past, release
from rehearsal import Shop, blocks

PARAMETERS = parameters()
GOOD = Shop(requests=2000, canary_errors=0.01)
#: Three times the errors.
BAD = Shop(requests=2000, canary_errors=0.03)
MILD = {"checks": {"errors": {"tolerance": 5.0}}}


async def previewed(
    store: MemoryStore, said: dict[str, object], in_force: Parameters = PARAMETERS, releases: int = 50
) -> Preview:
    """The preview of a change of how shop/checkout is judged."""
    change = Change.model_validate(said)
    return await Previews(store).made("shop", "checkout", in_force, change, releases)


async def test_an_empty_change_gives_what_was_recorded():
    """Failed, passed and undecided releases come out at the same look and for the same reason."""
    store = MemoryStore()
    for revision, shop, count in (("bad", BAD, 12), ("good", GOOD, 25), ("early", GOOD, 7)):
        await past(store, revision, PARAMETERS, shop, count)

    found = await previewed(store, {})

    assert [one.then.verdict for one in found.compared] == [Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.FAIL]
    assert all(one.now == one.then for one in found.compared)
    assert all(one.release.sentence.startswith(one.then.sentence) for one in found.compared)
    assert not found.differing


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shop=st.builds(
        Shop,
        requests=st.sampled_from([5.0, 60.0, 800.0]),
        canary_errors=st.sampled_from([0.0, 0.01, 0.02, 0.1]),
        share=st.sampled_from([0.05, 0.5]),
        canary_median=st.sampled_from([0.08, 0.12]),
        seed=st.integers(0, 10_000),
    ),
    count=st.integers(1, 45),
    gap=st.integers(0, 30),
    warm_up=st.sampled_from(["0s", "2m"]),
)
async def test_an_empty_change_reproduces_whatever_was_recorded(shop, count, gap, warm_up):
    """Releases of all sorts, some with an outage: verdict, look and reason are the recorded ones."""
    latency = {"name": "latency", "kind": "distribution", "histogram": "h"}
    judged_by = parameters(
        errors(),
        latency,
        errors("refusals", tier="warn"),
        window={"warm_up": warm_up, "promote_after": "8m", "decide_by": "16m"},
        policy={"source_down": "pass"},
    )
    down = Trouble(TroubleKind.SOURCE_DOWN, "no answer")
    evidence = [
        replace(piece, slices={name: Slice({}, (), (down,)) for name in piece.slices})
        if gap < piece.block.index < gap + 4
        else piece
        for piece in blocks(judged_by, shop, count)
    ]
    store = MemoryStore()
    one = await kept(store, release("any", judged_by), looked(judged_by, evidence), judged_by)

    [found] = (await previewed(store, {}, judged_by)).compared

    assert found.now == found.then
    assert found.now.verdict is one.verdict
    assert one.sentence.startswith(found.now.sentence)


async def test_a_wider_tolerance_lets_a_failed_release_live():
    """It failed after some looks; with the change nothing is proven, and what came after nobody has seen."""
    store = MemoryStore()
    await past(store, "bad", PARAMETERS, BAD, 6)

    [found] = (await previewed(store, MILD)).differing

    assert (found.then.verdict, found.now.verdict) == (Outcome.FAIL, Outcome.INCONCLUSIVE)
    assert found.then.block is not None
    assert found.now.block is None
    assert found.now.unseen
    assert found.why.startswith("failed, would have been undecided after its 6 looks: ")
    assert found.why.endswith("; what came after its last look was not seen")


async def test_a_narrower_tolerance_stops_what_passed():
    """Three times the errors are borne by a tolerance of 400 %, and not by one of 25 %."""
    store = MemoryStore()
    wide = parameters(errors(tolerance=4.0, pass_ratio=8.0))
    await past(store, "worse", wide, Shop(requests=8000, canary_errors=0.03), 25)

    [found] = (await previewed(store, {"checks": {"errors": {"tolerance": "25%"}}}, wide)).differing

    assert (found.then.verdict, found.now.verdict) == (Outcome.PASS, Outcome.FAIL)
    assert found.why.startswith("passed, would have failed: errors: the canary served ")


async def test_a_shorter_window_passes_sooner():
    """The verdict is the same, and comes eight looks before."""
    store = MemoryStore()
    await past(store, "good", PARAMETERS, GOOD, 25)

    [found] = (await previewed(store, {"window": {"promote_after": "6m"}})).compared

    assert (found.then.block, found.now.block) == (19, 11)
    assert not found.differs
    assert found.why.startswith("passed, as it would now, 8 looks sooner: harm is excluded after 6 min")


async def test_beyond_the_last_look_nothing_is_seen():
    """A longer window is judged on the same blocks; at their end it is not over."""
    store = MemoryStore()
    await past(store, "good", PARAMETERS, GOOD, 25)

    [found] = (await previewed(store, {"window": {"promote_after": "15m"}})).differing

    assert (found.now.verdict, found.now.unseen) == (Outcome.INCONCLUSIVE, True)


async def test_a_tier_decides_whether_harm_stops_a_release():
    """A check that only warns rolls nothing back."""
    store, two = MemoryStore(), parameters(errors(), errors("refusals"))
    await past(store, "bad", two, BAD, 12)

    found = await previewed(
        store, {"checks": {name: {"tier": "warn"} for name in ("errors", "refusals")}}, two
    )

    assert [one.now.verdict for one in found.differing] == [Outcome.INCONCLUSIVE]


async def test_a_running_release_is_compared_so_far():
    """It has not ended, and its looks up to now tell."""
    store = MemoryStore()
    await past(store, "running", PARAMETERS, Shop(requests=20_000), 12)

    [found] = (await previewed(store, {"window": {"promote_after": "6m"}})).compared

    assert (found.looks, found.then.unseen) == (12, True)
    assert found.now.verdict is Outcome.PASS


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (parameters(errors("others")), "it had no check 'errors' yet"),
        (parameters(errors(), errors("others")), "its check 'others' is there no more"),
        (parameters(errors(total="all")), "its check 'errors' looked at something else"),
        (parameters(cohorts=COHORTS | {"canary": 'hash="$canary"'}), "its cohorts were told apart otherwise"),
    ],
)
async def test_releases_of_other_checks_tell_nothing(before, reason):
    """They are listed with the reason, and judged by nobody."""
    store = MemoryStore()
    await past(store, "old", before, BAD, 8)

    found = await previewed(store, MILD)

    assert [(one.release.key.revision, one.reason) for one in found.aside] == [("old", reason)]
    assert found.compared == ()


async def test_what_may_be_tuned_may_have_been_other():
    """A release that was judged with another tolerance and called by another noun tells all the same."""
    store = MemoryStore()
    before = parameters(errors(tolerance=0.1, noun="failure", weight=3), alpha=0.01)
    await past(store, "old", before, BAD, 8)

    found = await previewed(store, {})

    assert [one.differs for one in found.compared] == [False]


async def test_an_unreadable_release_says_by_which_version():
    """Parameters of a version that wrote them otherwise cannot be judged by."""
    store = MemoryStore()
    await kept(store, release("old", PARAMETERS, parameters="[]", version="0.0.1"), [], PARAMETERS)
    await kept(store, release("odd", PARAMETERS, noise='{"errors":[1]}', version="0.0.2"), [], PARAMETERS)

    found = await previewed(store, MILD)

    assert [one.reason for one in found.aside] == [
        "it was begun by firedamp 0.0.2, whose settings this version cannot read",
        "it was begun by firedamp 0.0.1, whose settings this version cannot read",
    ]


async def test_a_release_without_looks_tells_nothing():
    """Nobody asked again after the first question."""
    store = MemoryStore()
    await kept(store, release("new", PARAMETERS), [], PARAMETERS)

    assert [one.reason for one in (await previewed(store, MILD)).aside] == ["no look was taken of it"]


async def test_a_change_that_a_release_cannot_bear_is_named():
    """Its warm-up was longer than the window proposed."""
    store = MemoryStore()
    slow = parameters(window={"warm_up": "8m", "promote_after": "10m"})
    await past(store, "slow", slow, GOOD, 5)

    [found] = (await previewed(store, {"window": {"promote_after": "5m"}})).aside

    assert found.reason.startswith("the change does not fit it: window does not allow this: needs warm_up <")


async def test_what_another_version_judged_otherwise_is_no_difference():
    """Where this version does not reproduce a look that another one took, the change is not to blame."""
    store = MemoryStore()
    looks = looked(PARAMETERS, blocks(PARAMETERS, BAD, 12), version="0.0.1")
    last = replace(looks[-1], standing=replace(looks[-1].standing, failed_block=None, harm=""))
    await kept(store, release("old", PARAMETERS), [*looks[:-1], last], PARAMETERS)

    found = await previewed(store, {"alpha": 0.01})

    assert [one.reason for one in found.aside] == [
        "firedamp 0.0.1 took its looks, and this version judges them otherwise"
    ]


async def test_what_another_version_judged_alike_is_compared():
    """An older look that this version reproduces tells as much as one of its own."""
    store = MemoryStore()
    looks = looked(PARAMETERS, blocks(PARAMETERS, BAD, 12), version="0.0.1")
    await kept(store, release("old", PARAMETERS), looks, PARAMETERS)

    assert len((await previewed(store, MILD)).differing) == 1


async def test_the_newest_releases_are_taken():
    """So many as asked for, the newest first; other services are not looked at."""
    store = MemoryStore()
    for number in range(4):
        await past(store, f"r{number}", PARAMETERS, GOOD, 2)
    other = release("other", PARAMETERS)
    await kept(store, replace(other, key=replace(other.key, service="cart")), [], PARAMETERS)

    found = await previewed(store, {}, releases=2)

    assert [one.release.key.revision for one in found.compared] == ["r3", "r2"]


async def test_a_preview_grows_release_by_release():
    """A page can show how far it is."""
    store = MemoryStore()
    for number in range(3):
        await past(store, f"r{number}", PARAMETERS, GOOD, 2)

    steps = [one async for one in Previews(store).each("shop", "checkout", PARAMETERS, Change())]

    assert [(len(one.compared), one.left, one.over) for one in steps] == [
        (0, 3, False),
        (1, 2, False),
        (2, 1, False),
        (3, 0, False),
        (3, 0, True),
    ]


async def test_time_over_gives_what_was_compared():
    """A partial answer says of how many it is; the rest is left."""
    store, ticks = MemoryStore(), iter(range(100))
    for number in range(5):
        await past(store, f"r{number}", PARAMETERS, GOOD, 2)
    previews = Previews(store, seconds=4, clock=lambda: float(next(ticks)))

    found = await previews.made("shop", "checkout", PARAMETERS, Change())

    assert (found.wanted, len(found.compared), found.left, found.over) == (5, 2, 3, True)


async def test_who_asks_again_goes_on_where_the_last_answer_ended():
    """A moment brings one release at least; what came out before is not judged a second time."""
    store = MemoryStore()
    for number in range(3):
        await past(store, f"r{number}", PARAMETERS, GOOD, 2)
    previews = Previews(store)

    steps = [await previews.made("shop", "checkout", PARAMETERS, Change(), moment=0.0) for _ in range(4)]

    assert [(len(one.compared), one.over) for one in steps] == [(1, False), (2, False), (3, True), (3, True)]
    assert [one.release.parameters != "" for one in steps[-1].compared] == [True] * 3


async def test_what_was_remembered_is_of_the_same_evidence_and_change():
    """Another look, another ruling or another change are judged anew."""
    store = MemoryStore()
    bad = await past(store, "bad", PARAMETERS, BAD, 12)
    previews = Previews(store)

    first = await previews.made("shop", "checkout", PARAMETERS, Change())
    milder = await previews.made("shop", "checkout", PARAMETERS, Change.model_validate(MILD))
    await store.rule(Ruling(bad.id, "errors", Ruled.WITHDRAWN, "sue", 1.0))
    again = await previews.made("shop", "checkout", PARAMETERS, Change())

    assert [len(one.differing) for one in (first, milder, again)] == [0, 1, 0]


async def test_who_waits_for_others_waits_no_longer_than_a_preview_takes():
    """Then the answer says that there was no time."""
    store = MemoryStore()
    for number in range(2):
        await past(store, f"r{number}", PARAMETERS, GOOD, 2)
    previews = Previews(store, seconds=0.05)

    async with aclosing(previews.each("shop", "checkout", PARAMETERS, Change())) as first:
        await anext(first)
        await anext(first)
        second = await previews.made("shop", "checkout", PARAMETERS, Change())

    assert (second.left, second.over) == (2, True)


async def test_one_preview_is_made_at_a_time():
    """Who comes second waits until the first one is over, or was left."""
    store = MemoryStore()
    await past(store, "r", PARAMETERS, GOOD, 2)
    previews = Previews(store, seconds=0.0)

    async with aclosing(previews.each("shop", "checkout", PARAMETERS, Change())) as first:
        await anext(first)
        second = await previews.made("shop", "checkout", PARAMETERS, Change())

    assert second.over
    assert (await previews.made("shop", "checkout", PARAMETERS, Change())).left == 1


async def test_nothing_is_written_by_a_preview():
    """Releases and looks are as they were."""
    store = MemoryStore()
    one = await past(store, "bad", PARAMETERS, BAD, 8)
    before = await store.looks(one.id)

    await previewed(store, MILD)

    assert (await store.release(one.id), await store.looks(one.id)) == (one, before)


async def test_what_people_ruled_stays_as_it_is():
    """A warning ruled real failed the release, and does so whatever the tolerance of another check."""
    two = parameters(errors(), errors("refusals", tier="warn"))
    store = MemoryStore()
    looks = looked(two, blocks(two, GOOD, 12))
    one = await kept(store, release("ruled", two), looks, two)
    await store.rule(Ruling(one.id, "refusals", Ruled.REAL, "sue", 1.0, block=9, said="refusals: too many"))

    [found] = (await previewed(store, MILD, two)).compared

    assert (found.then.verdict, found.then.block) == (Outcome.FAIL, 9)
    assert found.now == found.then
    assert found.why == "failed, as it would now: ruled real by sue: refusals: too many"
