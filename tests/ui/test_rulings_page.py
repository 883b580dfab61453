"""What people say of a release by the forms of its page: rulings on warnings, and a label of the verdict."""

from typing import Any

import pytest

from firedamp.decision.parameters import to_json
from firedamp.model import Judged, Outcome, Release, ReleaseKey, Ruled
from firedamp.server.clock import now
from lookbook import PARAMETERS, a_release_of
from pagereader import Reader
from rehearsal import Shop
from service import ADMIN, Reply, Service, running
from store.examples import a_release
from visits import RULER, VIEWER


async def warned(service: Service, namespace: str = "shop", **changed: Any) -> Release:
    """A running release whose latency, a warn check, fails."""
    looks = a_release_of(16, Shop(requests=2000, canary_median=0.2))
    fields = {"parameters": to_json(PARAMETERS), "started": 0.0, "last_asked": now(), **changed}
    release = await service.store.open(
        a_release(ReleaseKey(namespace, "checkout", "7d9f8b6c5d", 1), **fields)
    )
    await service.store.add_looks(release, looks)
    return release


async def said(service: Service, release: Release, what: str, token: str = RULER, **fields: str) -> Reply:
    return await service.ask("POST", f"/releases/{release.id}/{what}", token, data=fields)


async def page(service: Service, release: Release, token: str = RULER) -> Reader:
    return Reader((await service.ask("GET", f"/releases/{release.id}", token)).text)


async def test_a_failing_warning_can_be_ruled_on_with_its_consequence_before_it(service):
    """What each word does stands beside its button; critical and passing checks have none."""
    release = await warned(service)

    text = (await page(service, release)).text

    assert text.count("Is this warning real?") == 1
    assert "the next look fails and the rollback gate opens" in text
    assert "withholds this release's pass no longer" in text


async def test_a_warning_ruled_real_fails_the_release_at_once(service):
    """Under the person's name, with the note, and shown at the check."""
    release = await warned(service)

    reply = await said(service, release, "rulings", check="latency", word="real", note="I see it too")
    [ruling] = await service.store.rulings(release.id)
    text = (await page(service, release)).text

    assert (reply.status, reply.headers["Location"]) == (303, f"/releases/{release.id}#check-latency")
    assert (ruling.word, ruling.by, ruling.note) == (Ruled.REAL, "ruth", "I see it too")
    assert "✗ fail" in text
    assert "ruled real by ruth" in text
    assert "Withdraw the ruling" in text


async def test_a_false_alarm_is_remembered_and_can_be_withdrawn(service):
    """Things stand again as the evidence has them."""
    release = await warned(service)

    await said(service, release, "rulings", check="latency", word="false-alarm")
    alarmed = (await page(service, release)).text
    await said(service, release, "rulings", check="latency", word="withdrawn")
    after = (await page(service, release)).text

    assert "ruled false alarm by ruth" in alarmed
    assert "ruled false alarm" not in after.split("What happened")[0]
    assert "Rule it a false alarm" in after


async def test_an_ended_release_is_labelled(service):
    """In plain words; the label stands on the page, and can be withdrawn."""
    release = await warned(service, ended=now(), outcome="rolled back", verdict=Outcome.FAIL)

    before = (await page(service, release)).text
    reply = await said(service, release, "label", word="true-positive", note="a slow query")
    label = (await service.store.labels([release.id]))[release.id]
    after = (await page(service, release)).text

    assert "true positive: it was rightly failed" in before
    assert "Is this warning real?" not in before
    assert reply.status == 303
    assert (label.word, label.by, label.note) == (Judged.TRUE_POSITIVE, "ruth", "a slow query")
    assert "Labelled true positive, by ruth" in after
    assert "Withdraw the label" in after


@pytest.mark.parametrize(
    ("what", "fields", "status"),
    [
        ("rulings", {"check": "errors", "word": "real", "note": "kept"}, 409),
        ("rulings", {"check": "latency", "word": "withdrawn", "note": "kept"}, 409),
        ("rulings", {"check": "latency", "word": "perhaps", "note": "kept"}, 422),
        ("label", {"word": "true-positive", "note": "kept"}, 409),
        ("label", {"word": "true-positive", "note": "k" * 501}, 422),
    ],
)
async def test_what_is_not_taken_comes_back_with_why(service, what, fields, status):
    """Nothing is written, and nobody has to type again what was right."""
    release = await warned(service)

    reply = await said(service, release, what, **fields)

    assert reply.status == status
    assert "Not taken" in Reader(reply.text).text
    assert await service.store.rulings(release.id) == []
    assert await service.store.labels([release.id]) == {}


async def test_a_note_is_given_back(service):
    """In the form of the check that it was about."""
    release = await warned(service)

    reply = await said(service, release, "rulings", check="latency", word="perhaps", note='so-so "1"')

    assert 'value="so-so &#34;1&#34;"' in reply.text


async def test_who_may_not_rule_sees_no_form_and_is_refused(service):
    """A button that one may not press is not drawn, and refused all the same."""
    release = await warned(service)

    text = (await page(service, release, VIEWER)).text
    reply = await said(service, release, "rulings", VIEWER, check="latency", word="real")

    assert "Is this warning real?" not in text
    assert reply.status == 403
    assert await service.store.rulings(release.id) == []


async def test_another_teams_release_is_not_ruled_on(service):
    """It is not even known to be there."""
    release = await warned(service, "pay")

    reply = await said(service, release, "rulings", check="latency", word="real")
    allowed = await said(service, release, "rulings", ADMIN, check="latency", word="real")

    assert (reply.status, allowed.status) == (404, 303)


async def test_an_earlier_look_has_no_forms(service):
    """One rules on what is so now; what was ruled since is not known then."""
    release = await warned(service)
    await said(service, release, "rulings", check="latency", word="real")

    text = Reader((await service.ask("GET", f"/releases/{release.id}?look=14", RULER)).text).text

    assert "Is this warning real?" not in text
    assert "ruled real" not in text.split("What happened")[0]


async def test_a_hostile_note_is_text(service):
    """In the sentence, in the trail, in the form."""
    release = await warned(service)
    await said(service, release, "rulings", check="latency", word="real", note="<script>alert(1)</script>")

    found = await page(service, release)

    assert "<script>alert(1)</script>" in found.text
    assert all("src" in given for tag, given in found.tags if tag == "script")


async def test_in_a_read_only_house_nothing_is_said():
    """No form, and a post is refused."""
    async with running({"read_only": True}) as service:
        release = await warned(service)
        text = Reader((await service.ask("GET", f"/releases/{release.id}")).text).text
        reply = await said(service, release, "rulings", ADMIN, check="latency", word="real")

    assert "Is this warning real?" not in text
    assert reply.status == 403
