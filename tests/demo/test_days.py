"""What the shop released in the days before is judged by the product itself, each for what it shows."""

import time

import pytest

from firedamp.config.load import parse
from firedamp.demo import days, looking_back, recording
from firedamp.demo.stage import written
from firedamp.model import Judged, Outcome, Ruled
from firedamp.ports import Sifted
from firedamp.wiring import living

UNTIL = 1_763_700_000.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A place for the store that all tests read."""
    return tmp_path_factory.mktemp("days")


@pytest.fixture
async def store(folder):
    """The days before, judged once."""
    source = {"name": "shop", "kind": "replay", "path": str(recording.PATH), "begin": UNTIL - 2700}
    settings = parse(written(folder, 0, source), "days")
    async with living(settings) as alive:
        if not await alive.store.releases(limit=1):
            await looking_back.judged(settings, alive.store, UNTIL)
        yield alive.store


async def only(store, service, revision):
    """The release, with its last look."""
    release = await store.latest("pay" if service == "payments" else "shop", service, revision)
    return release, await store.last_look(release.id)


async def test_a_dozen_releases_are_there_oldest_first(store):
    """A list is ordered by number; the days before have none later than the story's."""
    started = [one.started for one in reversed(await store.releases())]

    assert len(started) == len(days.EPISODES) >= 12
    assert started == sorted(started)
    assert started[-1] < UNTIL


async def test_errors_roll_back(store):
    """Five times the errors are found within minutes."""
    release, look = await only(store, "payments", "5c9f8d7b66")

    assert (release.verdict, release.outcome) == (Outcome.FAIL, "rolled back")
    assert look.standing.harm.startswith("errors: the canary served")


async def test_latency_rolls_back(store):
    """So is what takes longer."""
    release, _ = await only(store, "search", "d5c4b7f8")

    assert release.sentence.startswith("latency: the canary takes")


async def test_traces_roll_back(store):
    """Orders that the warehouse cannot read fail nowhere else; a trace is named."""
    release, look = await only(store, "orders", "7b8c6f9d5c")

    assert release.sentence.startswith("place-order.below:")
    assert next(one for one in look.findings if one.check == "place-order.below").traces


async def test_a_quiet_service_is_decided_by_its_policy(store):
    """A newsletter has too few readers for a proof; its policy lets it pass."""
    release, _ = await only(store, "newsletter", "v114")

    assert release.verdict is Outcome.PASS
    assert release.sentence.startswith("by the service's policy, the window is over")


async def test_one_bad_pod_is_named_and_nothing_rolled_back(store):
    """The sick pod stands in the sentence; a person aborted."""
    release, _ = await only(store, "checkout", "69b5f7d8cc")

    assert release.sentence.startswith("errors: one bad pod: checkout-69b5f7d8cc-")
    assert release.outcome.startswith("aborted")


async def test_nothing_passes_while_both_versions_fail(store):
    """The bank was down for both."""
    release, _ = await only(store, "payments", "8b6c7d9f54")

    assert release.verdict is Outcome.INCONCLUSIVE
    assert "both versions are failing" in release.sentence


async def test_scrapes_that_are_missing_are_told(store):
    """A pod that was not scraped for minutes is a doubt about the data."""
    release, _ = await only(store, "search", "f9d7c8b5")
    looks = await store.looks(release.id)

    told = [one.text for look in looks for piece in look.evidence.slices.values() for one in piece.troubles]
    assert any("was not scraped for" in text for text in told)


async def test_people_ruled_on_warnings(store):
    """One warning was no harm and kept nothing from passing, another was harm and rolled back."""
    let_go, _ = await only(store, "cart", "74c8f9d6b5")
    stopped, _ = await only(store, "cart", "86d9b7c5f4")

    assert [one.word for one in await store.rulings(let_go.id)] == [Ruled.FALSE_ALARM]
    assert (let_go.verdict, let_go.outcome) == (Outcome.PASS, "promoted")
    assert stopped.sentence.startswith("ruled real by anna: memory:")
    assert stopped.outcome == "rolled back"


async def test_labels_of_all_four_kinds_are_given(store):
    """A record of a check has hits, misses and false alarms to tell of."""
    labels = await store.labels([one.id for one in await store.releases()])

    assert {one.word for one in labels.values()} == set(Judged) - {Judged.WITHDRAWN}


async def test_a_person_holds_the_release_that_runs(store):
    """It would pass; the hold says why it does not go on."""
    release, _ = await only(store, "payments", "9d8f6b7c54")
    switches = await store.switches(since=UNTIL)

    assert release.ended is None
    assert release.verdict is Outcome.PASS
    assert [(one.service, one.hook, one.note) for one in switches] == [
        ("payments", "hold", "the sale runs until noon; nothing new before")
    ]


async def test_all_that_happened_is_in_the_trail(store):
    """Rulings, labels, ends and the hold were written down by the product, each with who did it."""
    kinds = {one.event.kind for one in await store.trail(Sifted(), limit=200)}

    assert {"ruling", "label", "outcome", "gate"} <= kinds


async def test_the_same_days_come_again(tmp_path, store):
    """Seeds and a clock of their own: two demos find the same, to the last digit, within seconds."""
    source = {"name": "shop", "kind": "replay", "path": str(recording.PATH), "begin": UNTIL - 2700}
    settings = parse(written(tmp_path, 0, source), "again")
    began = time.process_time()
    async with living(settings) as alive:
        await looking_back.judged(settings, alive.store, UNTIL)
        again = [(one.verdict, one.sentence) for one in await alive.store.releases()]

    assert again == [(one.verdict, one.sentence) for one in await store.releases()]
    assert time.process_time() - began < 30
