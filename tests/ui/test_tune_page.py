"""The page of tuning through the whole application: previews, saving, reverting, and who may."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fakes import MemoryStore
from firedamp.ports import Override
from pagereader import Reader
from service import ADMIN, ASKER, GATEKEEPER, Reply, Service, running
from tunedshop import PATH, SETTINGS, TUNER, VIEWER, SlowStore, people, releases, seed

PREVIEW = f"{PATH}/preview"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
WIDER = {"based_on": "0", "draft": "{}", "check": "errors", "tolerance": "500%"}


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    store = MemoryStore()
    await people(store)
    async with running(SETTINGS, store=store) as found:
        yield found


async def post(service: Service, path: str, fields: dict[str, str], token: str = TUNER) -> Reply:
    return await service.ask("POST", path, token, data=fields)


def form(reply: Reply, beginning: str) -> dict[str, str]:
    """What the form that begins so sends without being filled in."""
    text = reply.text.split(beginning)[1].split("</form>")[0]
    return {name: html.unescape(value) for name, value in HIDDEN.findall(text)}


async def saved(service: Service, note: str = "bursts at noon", **changes: str) -> Reply:
    """Preview and save."""
    looked = await post(service, PREVIEW, {**WIDER, **changes})
    return await post(service, PATH, {**form(looked, '<form class="save"'), "note": note})


async def shown(service: Service, path: str = PATH, token: str = TUNER) -> Reader:
    reply = await service.ask("GET", path, token)
    assert reply.status == 200, reply.text
    return Reader(reply.text)


async def test_the_page_shows_what_is_in_force_in_its_form(service):
    """The first check's values with the window's and alpha, and its twin."""
    reply = await service.ask("GET", PATH, TUNER)

    assert reply.status == 200
    for name, value in (("tolerance", "25%"), ("promote_after", "10m"), ("alpha", "2%")):
        assert f'name="{name}" value="{value}"' in reply.text
    assert f'href="/api/v1{PATH}"' in reply.text


async def test_another_check_is_one_link_away(service):
    """Its own fields stand in the form then, and no others."""
    text = (await service.ask("GET", f"{PATH}?check=latency", TUNER)).text

    assert 'name="tolerance" value="20%"' in text
    assert 'name="pass_ratio"' not in text


async def test_a_preview_says_what_would_have_been_and_saves_nothing(service):
    """Each release that differs with its look, the labels of people, and the form as it was typed."""
    made = await releases(service.store)
    reply = await post(service, PREVIEW, WIDER)
    text = Reader(reply.text).text

    assert reply.status == 200
    assert "2 of 5 verdicts differ: 1 labelled false positive." in text
    assert "errors: tolerance 25 % → 500 %" in text
    assert f'href="/releases/{made[1].id}?look=' in reply.text
    assert 'name="tolerance" value="500%"' in reply.text
    assert await service.store.overrides("shop", "checkout") == []


async def test_a_long_preview_is_answered_bit_by_bit():
    """What was judged in a moment, and a button that goes on from there until nothing is left."""
    store = SlowStore(MemoryStore())
    await seed(store)
    said = []
    async with running(SETTINGS, store=store) as service:
        reply = await post(service, PREVIEW, {**WIDER, "note": "noon"})
        while "Judge more of them" in reply.text:
            said.append(re.search(r"Judged (\d) of 5 so far, the newest first", reply.text)[1])
            going_on = form(reply, '<form id="after-')
            reply = await post(service, PREVIEW, going_on)

    assert said == sorted(set(said)) != []
    assert "2 of 5 verdicts differ" in reply.text
    assert 'name="note" value="noon"' in reply.text
    assert store.read == 5


async def test_questions_are_answered_while_a_preview_is_made(service):
    """It is made in a thread, some looks at a time."""
    await releases(service.store)

    preview = asyncio.create_task(post(service, PREVIEW, WIDER))
    alive = [(await service.ask("GET", "/livez", None)).status for _ in range(3)]
    reply = await preview

    assert alive == [200, 200, 200]
    assert reply.status == 200


async def test_what_was_previewed_is_what_is_saved(service):
    """The next version, with who, why and what; the page says that it is in force, and for whom."""
    reply = await saved(service)
    [version] = await service.store.overrides("shop", "checkout")
    page = await shown(service, reply.headers["Location"])

    assert (reply.status, reply.headers["Location"]) == (303, f"{PATH}?done=1")
    assert (version.by, version.note) == ("sue", "errors: tolerance 25 % → 500 % (bursts at noon)")
    assert "Version 1 is in force for releases that begin from now on" in page.text
    assert "tuned by sue, version 1," in page.text
    [event] = await service.store.events()
    assert (event.kind, event.by) == ("override", "sue")


async def test_several_checks_are_changed_along_with_one_another(service):
    """The draft goes along in the address, and one version has both."""
    looked = await post(service, PREVIEW, WIDER)
    draft = form(looked, '<form class="save"')["draft"]
    fields = {"based_on": "0", "draft": draft, "check": "latency", "tier": "debug"}

    reply = await post(service, PREVIEW, fields)
    await post(service, PATH, {**form(reply, '<form class="save"'), "note": "both"})

    [version] = await service.store.overrides("shop", "checkout")
    assert json.loads(version.body)["checks"] == {"errors": {"tolerance": 5.0}, "latency": {"tier": "debug"}}


async def test_a_version_is_reverted_by_the_same_two_steps(service):
    """The button beside it shows what going back would change; saving it is a new version."""
    await saved(service)
    await saved(service, based_on="1", tolerance="100%")
    page = await service.ask("GET", PATH, TUNER)
    back = form(page, f'action="{PREVIEW}#outcome"')

    looked = await post(service, PREVIEW, back)
    note = re.search(r'name="note" value="(back to version 1)"', looked.text)
    await post(service, PATH, {**form(looked, '<form class="save"'), "note": note[1]})

    newest = (await service.store.overrides("shop", "checkout"))[0]
    assert (newest.version, newest.note) == (3, "errors: tolerance 100 % → 500 % (back to version 1)")


async def test_going_back_to_the_settings_is_one_of_them(service):
    """An empty change."""
    await saved(service)
    page = await service.ask("GET", PATH, TUNER)
    back = form(page, f'<form class="row" method="post" action="{PREVIEW}#outcome"')

    looked = await post(service, PREVIEW, back)
    await post(service, PATH, {**form(looked, '<form class="save"'), "note": "enough"})

    assert (await service.store.override("shop", "checkout")).body == ""


async def test_a_form_without_a_change_says_so(service):
    """Nothing is judged, and there is nothing to save."""
    reply = await post(service, PREVIEW, {**WIDER, "tolerance": "25%"})

    assert "Nothing would change" in reply.text
    assert '<form class="save"' not in reply.text


async def test_a_mistake_comes_back_with_what_was_typed(service):
    """The fault stands beside its field, with what is allowed."""
    reply = await post(service, PREVIEW, {**WIDER, "tolerance": "lots", "warm_up": "1m"})

    assert reply.status == 422
    assert "is no share; write it like 20% or 0.2" in reply.text
    assert 'name="tolerance" value="lots"' in reply.text
    assert 'name="warm_up" value="1m"' in reply.text


async def test_values_that_do_not_go_together_come_back_too(service):
    """With the reason above the form's end."""
    reply = await post(service, PREVIEW, {**WIDER, "warm_up": "15m"})

    assert reply.status == 422
    assert "needs warm_up &lt; promote_after" in reply.text
    assert 'name="warm_up" value="15m"' in reply.text


@pytest.mark.parametrize(
    ("note", "says"), [(" ", "say in a few words why"), ("x" * 501, "it has 501 characters, 500 are allowed")]
)
async def test_a_reason_is_asked_for(service, note, says):
    """Nothing is saved without; what was typed and previewed stays."""
    reply = await saved(service, note)

    assert reply.status == 409
    assert says in reply.text
    assert "errors: tolerance 25 % → 500 %" in reply.text
    assert f'name="note" value="{note}"' in reply.text
    assert await service.store.overrides("shop", "checkout") == []


async def test_who_saves_second_is_told_what_the_first_one_did(service):
    """Nothing is lost: the change stands there, now on top of the other one."""
    looked = await post(service, PREVIEW, WIDER)
    await saved(service, tolerance="100%")

    reply = await post(service, PATH, {**form(looked, '<form class="save"'), "note": "mine"})

    assert reply.status == 409
    assert "sue saved version 1 at " in reply.text
    assert "errors: tolerance 100 % → 500 %" in reply.text
    assert form(reply, '<form class="save"')["based_on"] == "1"
    assert 'name="note" value="mine"' in reply.text


async def test_a_form_sent_twice_saves_once(service):
    """The second one finds that it would change nothing, or that somebody was faster."""
    looked = await post(service, PREVIEW, WIDER)
    sent = {**form(looked, '<form class="save"'), "note": "twice"}

    replies = [(await post(service, PATH, sent)).status for _ in range(2)]

    assert replies == [303, 409]
    assert len(await service.store.overrides("shop", "checkout")) == 1


async def test_what_fits_no_more_is_told_here_and_among_what_is_wrong(service):
    """On the page, on the page of health and in its twin, with where to mend it."""
    body = '{"checks":{"gone":{"weight":2.0}}}'
    await service.store.tune(Override("shop", "checkout", 1, "sue", 1.0, body=body))

    page = await shown(service)
    health = Reader((await service.ask("GET", "/health")).text)
    told = json.loads((await service.ask("GET", "/api/v1/health")).text)

    assert "Version 1 does not fit the settings any more and is not followed" in page.text
    assert "Version 1 of shop/checkout's tuned settings is not followed" in health.text
    assert any("there is no check 'gone'" in one["what"] for one in told["wrong"])
    assert any(PATH in one["remedy"] for one in told["wrong"])


async def test_what_fits_no_more_is_taken_back(service):
    """Though nothing that is judged changes by it."""
    await service.store.tune(
        Override("shop", "checkout", 1, "sue", 1.0, body='{"checks":{"gone":{"weight":2.0}}}')
    )
    looked = await post(service, PREVIEW, {"draft": "{}", "based_on": "1"})

    reply = await post(service, PATH, {**form(looked, '<form class="save"'), "note": "gone for good"})

    assert reply.status == 303
    assert (await service.store.override("shop", "checkout")).body == ""


async def test_the_settings_file_is_shown_and_loaded_down(service):
    """As `firedamp config export --service` prints it, with who tuned what since when."""
    await saved(service)

    page = await service.ask("GET", PATH, VIEWER)
    file = await service.ask("GET", f"{PATH}.yaml", VIEWER)

    assert "tolerance: 5.0" in file.text
    assert "#   errors: tolerance 25 % → 500 % (since version 1)" in file.text
    assert html.escape(file.text, quote=False).splitlines()[2] in page.text
    assert file.headers["Content-Disposition"] == 'attachment; filename="shop-checkout.yaml"'


async def test_a_check_of_a_release_leads_to_where_it_is_tuned(service):
    """With its own values in the form."""
    made = await releases(service.store)

    links = (await shown(service, f"/releases/{made[0].id}")).attributes("a", "href")

    assert f"{PATH}?check=errors" in links
    assert f"{PATH}?check=latency" in links


# ── who may ──


@pytest.mark.parametrize("token", [VIEWER, ASKER, GATEKEEPER])
async def test_whoever_may_not_tune_sees_it_without_forms_and_is_refused(service, token):
    """Values, versions and file are there to be read."""
    page = await service.ask("GET", PATH, token)
    replies = [await post(service, path, {**WIDER, "note": "no"}, token) for path in (PREVIEW, PATH)]

    assert page.status == 200
    assert 'name="tolerance"' not in page.text
    assert "takes one that includes &#39;tuner&#39;" in page.text
    assert [reply.status for reply in replies] == [403, 403]
    assert await service.store.overrides("shop", "checkout") == []


async def test_a_token_tunes_in_its_namespaces_only():
    """Elsewhere nothing is even shown."""
    store = MemoryStore()
    await people(store)
    others = {"services": [{**SETTINGS["services"][0], "namespace": "pay"}]}
    async with running(others, store=store) as service:
        path = PATH.replace("shop", "pay")
        statuses = [
            (await service.ask("GET", path, TUNER)).status,
            (await service.ask("GET", f"{path}.yaml", TUNER)).status,
            (await post(service, f"{path}/preview", WIDER)).status,
            (await post(service, path, WIDER)).status,
        ]

    assert statuses == [403] * 4


async def test_read_only_draws_no_form_and_refuses():
    """Also an administrator."""
    async with running({**SETTINGS, "read_only": True}) as service:
        page = await service.ask("GET", PATH, ADMIN)
        reply = await post(service, PREVIEW, WIDER, ADMIN)

    assert 'name="tolerance"' not in page.text
    assert "Read-only" in page.text
    assert reply.status == 403


@pytest.mark.parametrize("path", ["/services/shop/cart/tuning", "/services/shop/cart/tuning.yaml"])
async def test_a_service_that_is_not_set_up_has_no_page(service, path):
    """Tuning is on top of settings."""
    assert (await service.ask("GET", path, TUNER)).status == 404


@pytest.mark.parametrize("name", ["%22x", "a%0d%0aSet-Cookie:%20b", "%00", "a" * 254, "%D9%81", "%ED%A0%80"])
async def test_what_is_no_name_has_no_page_either(name):
    """Though with defaults every service is set up."""
    async with running({"defaults": {"checks": SETTINGS["services"][0]["checks"]}}) as service:
        found = {
            (await service.ask("GET", f"/services/shop/{name}/tuning{end}")).status for end in ("", ".yaml")
        }

        assert found <= {400, 404}
        assert (await service.ask("GET", "/services/shop/any/tuning.yaml")).status == 200


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({**WIDER, "draft": "of another page"}, 400, "no change that this version knows"),
        ({**WIDER, "draft": '{"window":{"look":10}}'}, 400, "no change that this version knows"),
        ({**WIDER, "draft": '{"checks":{"gone":{"weight":2}}}'}, 422, "there is no check"),
        ({**WIDER, "based_on": "newest"}, 400, "a whole number is expected"),
        ({**WIDER, "noun": "e"}, 400, "is unknown"),
    ],
)
async def test_a_form_that_no_page_of_ours_wrote_is_refused(service, fields, status, says):
    """In words, and nothing is done."""
    reply = await post(service, PREVIEW, fields)

    assert reply.status == status
    assert says in html.unescape(reply.text)


async def test_an_address_with_a_draft_that_fits_no_more_shows_what_is_in_force(service):
    """A bookmark may be old."""
    reply = await service.ask(
        "GET", PATH + "?draft=%7B%22checks%22:%7B%22gone%22:%7B%22weight%22:2%7D%7D%7D", TUNER
    )

    assert reply.status == 200
    assert "there is no check" in reply.text
    assert 'name="tolerance" value="25%"' in reply.text
