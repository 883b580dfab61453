"""The list of releases: what it says, what it is narrowed by, and its twin."""

import json
import time
from dataclasses import replace

import pytest

from firedamp.model import Controller, Judged, Label, Outcome, ReleaseKey
from pagereader import Reader
from service import ASKER, running
from store.examples import KEY, a_blind_look, a_gate
from visits import opened, shown


def links(page: Reader, rel: str) -> list[str]:
    return [each["href"] or "" for tag, each in page.tags if each.get("rel") == rel and tag == "a"]


async def test_an_empty_list_says_how_a_release_comes_about(service):
    """The commands are ready to be copied, with this service's address in them."""
    page = await shown(service, "/")

    assert "No release yet" in page.text
    assert "firedamp judge checkout" in page.text
    assert "https://firedamp.example/api/v1/judge" in page.text


async def test_a_release_is_listed_with_its_state_in_a_word(service):
    """State, service, revision, sentence and when; no state is told by colour alone."""
    await opened(service.store, verdict=Outcome.FAIL, sentence="errors: 5.1 % against 1.0 %")

    page = await shown(service, "/")

    assert "✗ fail" in page.text
    assert "checkout shop · argo 7d9f8b6c5d" in page.text
    assert "errors: 5.1 % against 1.0 %" in page.text
    assert "running" in page.text
    assert "ago" in page.text


async def test_an_ended_release_says_how_it_ended(service):
    """In the words of whoever reported it."""
    await opened(service.store, ended=1_790_000_900.0, outcome="rolled back")

    page = await shown(service, "/")

    assert "rolled back" in page.text
    assert "running" not in page.text.partition("Began")[2]


@pytest.mark.parametrize(
    ("hook", "revision", "word"),
    [
        ("hold", "", "‖ held"),
        ("hold", KEY.revision, "‖ held"),
        ("hold", "another", ""),
        ("off", "", "⊘ switched off"),
        ("rollback", "", "↩ ordered back"),
    ],
)
async def test_a_release_that_a_person_ordered_to_wait_is_listed_as_such(service, hook, revision, word):
    """A sign and a word beside the verdict, where the order means this service and this revision."""
    await opened(service.store, verdict=Outcome.PASS)
    now = time.time()
    await service.store.set_gate(a_gate(hook=hook, revision=revision, at=now, expires=now + 60))

    page = await shown(service, "/")

    assert " ".join(["✓ pass", *word.split(), "running"]) in page.text


async def test_an_order_to_roll_back_is_listed_with_what_it_was_given_for(service):
    """A release that began after it is judged by itself."""
    await opened(service.store, verdict=Outcome.PASS)
    await service.store.set_gate(a_gate(hook="rollback", revision="", at=1.0, expires=time.time() + 60))

    assert "ordered back" not in (await shown(service, "/")).text


async def test_what_has_ended_is_held_by_nothing(service):
    """The order stands for the next release of the service."""
    await opened(service.store, ended=1_790_000_900.0, outcome="promoted")
    await service.store.set_gate(a_gate(hook="hold", revision="", expires=time.time() + 60))

    page = await shown(service, "/")

    assert "held" not in page.text


async def test_a_long_list_is_paged_forth_and_back(service):
    """Fifty releases a page, and the filters go along."""
    for number in range(101):
        await opened(service.store, key=replace(KEY, revision=f"r{number}."))

    first = await shown(service, "/?namespace=shop")
    [older] = links(first, "next")
    second = await shown(service, older)
    third = await shown(service, links(second, "next")[0])
    again = await shown(service, links(third, "prev")[0])

    assert older.startswith("/?namespace=shop&before=")
    assert "r100." in first.text
    assert "r0." in third.text
    assert (links(first, "prev"), links(third, "next")) == ([], [])
    assert "r50." in second.text
    assert "r50." in again.text


async def test_a_filter_that_matches_nothing_says_so(service):
    """Not the same as having no release at all."""
    await opened(service.store)

    page = await shown(service, "/?service=ledger")

    assert "No release matches" in page.text


async def test_a_bound_token_sees_its_own_releases_only(service):
    """Another team's release is neither listed nor shown."""
    await opened(service.store)
    hidden = await opened(service.store, key=ReleaseKey("pay", "ledger", "a", 1))

    page = await shown(service, "/", token=ASKER)
    refused = await service.ask("GET", f"/releases/{hidden.id}", ASKER)
    filtered = await service.ask("GET", "/?namespace=pay", ASKER)

    assert "ledger" not in page.text
    assert refused.status == 404
    assert filtered.status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?before=x", 404),
        (f"/?service={'x' * 300}", 400),
        ("/?service=%00", 400),
        ("/?verdict=lost", 400),
        ("/?state=gone", 400),
        ("/?since=yesterday", 400),
        ("/?until=9999-99-99", 400),
        ("/releases/x", 404),
        ("/releases/99", 404),
    ],
)
async def test_a_wrong_address_is_a_page_with_a_way_on(service, path, status):
    """People get words and a link, whatever they typed."""
    reply = await service.ask("GET", path)

    assert reply.status == status
    assert "This did not work" in Reader(reply.text).text


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        ("verdict=fail", "a"),
        ("state=running", "cb"),
        ("state=ended", "a"),
        ("controller=flagger", "b"),
        ("label=true-positive", "a"),
        ("since=2026-09-21T14:13&until=2026-09-21T14:15", "b"),
        ("service=checkout&verdict=pass&state=running", "c"),
    ],
)
async def test_filters_narrow_the_page_and_its_twin_alike(service, query, revisions):
    """What a person sees, a program gets from the same address below /api/v1."""
    begun = 1_790_000_000.0
    first = await opened(
        service.store, key=replace(KEY, revision="a"), verdict=Outcome.FAIL, started=begun - 60, ended=begun
    )
    await opened(service.store, key=replace(KEY, revision="b"), started=begun, controller=Controller.FLAGGER)
    await opened(service.store, key=replace(KEY, revision="c"), started=begun + 600, verdict=Outcome.PASS)
    await service.store.label(Label(first.id, Judged.TRUE_POSITIVE, "anna", begun))

    page = await service.ask("GET", f"/?{query}")
    twin = json.loads((await service.ask("GET", f"/api/v1/releases?{query}")).text)

    assert [one["revision"] for one in twin["releases"]] == list(revisions)
    assert [one for one in "cba" if f"<bdi>{one}</bdi>" in page.text] == list(revisions)


async def test_what_was_chosen_stands_in_the_form(service):
    """And in the addresses of the other pages and of the twin."""
    page = await shown(service, "/?service=cart&verdict=fail&label=false-positive&since=2026-09-21T14:13")

    chosen = [one["value"] for tag, one in page.tags if tag == "option" and "selected" in one]
    typed = {one.get("name"): one.get("value") for tag, one in page.tags if tag == "input"}
    [twin] = [one["href"] for tag, one in page.tags if tag == "link" and one.get("rel") == "alternate"]
    assert chosen == ["fail", "false-positive"]
    assert (typed["service"], typed["since"]) == ("cart", "2026-09-21T14:13")
    assert twin.startswith("/api/v1/releases?service=cart&verdict=fail&label=false-positive&since=")


async def test_labels_have_a_column_only_where_there_are_some(service):
    """An empty column tells nobody anything."""
    release = await opened(service.store)
    without = await shown(service, "/")
    await service.store.label(Label(release.id, Judged.FALSE_NEGATIVE, "anna", 1.0))
    with_one = await shown(service, "/")

    assert "Began" in without.text.partition("Why")[2][:8]
    assert "false negative" in with_one.text.partition("Why")[2]


async def test_a_source_that_is_down_is_said_above_the_list(service):
    """Once, however many releases wait for it."""
    blind = a_blind_look(0, "source prometheus: no answer within 2 s")
    await opened(service.store, blind, key=replace(KEY, revision="a"))
    await opened(service.store, blind, key=replace(KEY, revision="b"))

    page = await shown(service, "/")

    assert page.text.count("source prometheus: no answer within 2 s") == 1


async def test_a_release_nobody_asks_about_any_more_says_so(service):
    """It says running, but its controller may be gone."""
    await opened(service.store, last_asked=1_790_000_000.0)

    assert "last asked" in (await shown(service, "/")).text


async def test_configured_services_are_proposed_to_those_who_may_see_them(service):
    """Typing three letters is enough, and no name of another team is told."""
    checks = [{"kind": "proportion", "name": "errors", "events": "e", "total": "t"}]
    services = [
        {"name": name, "namespace": place, "checks": checks}
        for name, place in (("cart", "shop"), ("vault", "pay"))
    ]
    async with running({"services": services}) as one:
        page = await shown(one, "/", token=ASKER)

    proposed = {each["value"] for tag, each in page.tags if tag == "option"}
    assert proposed & {"cart", "vault"} == {"cart"}
