"""The page of gates: what is in force, what throwing a switch would do, and how it is undone."""

import re
from dataclasses import replace
from typing import Any

import pytest

from firedamp.model import ReleaseKey
from firedamp.ports import Gate
from firedamp.server.clock import now
from service import ADMIN, ASKER, Reply, Service, running
from store.examples import a_release
from visits import RULER, VIEWER

WANTED = {"namespace": "shop", "service": "checkout", "hook": "hold", "lasts": "2h", "note": "looks odd"}
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def post(service: Service, fields: dict[str, str], token: str = ADMIN, **headers: str) -> Reply:
    return await service.ask("POST", "/gates", token, data=fields, headers=headers)


def plan(reply: Reply) -> dict[str, str]:
    """What the button under the plan sends."""
    form = reply.text.split('<section class="plan"')[1].split("</form>")[0]
    return dict(HIDDEN.findall(form))


async def thrown(service: Service, token: str = ADMIN, **changes: str) -> Reply:
    """Ask what it does, and say yes."""
    asked = await post(service, {**WANTED, **changes}, token)
    return await post(service, plan(asked), token)


def a_gate(**changes: Any) -> Gate:
    at = now() - 60
    made = Gate("shop", "checkout", "hold", "", True, at + 7200, "alex", at, "a note")
    return replace(made, **changes)


async def test_without_switches_the_page_says_what_decides(service):
    """An empty table would leave the reader wondering."""
    reply = await service.ask("GET", "/gates")

    assert reply.status == 200
    assert "verdicts decide alone" in reply.text


async def test_what_will_happen_is_said_before_it_does(service):
    """Nothing is switched by the first post; the plan names service, consequence and end."""
    reply = await post(service, WANTED)

    assert reply.status == 200
    assert "Nothing of shop/checkout advances or is promoted until" in reply.text
    assert "proven harm still rolls back" in reply.text
    assert await service.store.gates() == []


async def test_a_switch_is_thrown_by_whoever_said_yes(service):
    """It is in the store and in the trail, under the person's name, with note and end."""
    release = await service.store.open(a_release(key=ReleaseKey("shop", "checkout", "a", 1)))
    reply = await thrown(service, RULER)
    [gate] = await service.store.gates()
    [event] = await service.store.events()

    assert (reply.status, reply.headers["Location"]) == (
        303, f"/gates?done=on&release={release.id}",
    )  # fmt: skip
    assert (gate.service, gate.hook, gate.is_open, gate.by, gate.note) == (
        "checkout", "hold", True, "ruth", "looks odd",
    )  # fmt: skip
    assert 7190 < gate.expires - now() <= 7200
    assert (event.kind, event.by) == ("gate", "ruth")


async def test_what_was_done_leads_back_to_the_release(service):
    """The latest one of the service, or of the revision where the switch names one."""
    for revision in ("a", "b"):
        await service.store.open(a_release(key=ReleaseKey("shop", "checkout", revision, 1)))
    named = await service.ask("GET", (await thrown(service, revision="a")).headers["Location"])
    unnamed = await service.ask("GET", (await thrown(service)).headers["Location"])

    assert 'href="/releases/1">Go to <bdi class="name">shop/checkout@a#1</bdi></a>' in named.text
    assert 'href="/releases/2">Go to <bdi class="name">shop/checkout@b#1</bdi></a>' in unnamed.text


@pytest.mark.parametrize("number", ["1", "4711", "x", "", "9" * 200])
async def test_no_address_leads_to_a_release_that_is_not_one_s_own(service, number):
    """Neither whose it is nor whether it exists is told, and the page is there all the same."""
    await service.store.open(a_release(key=ReleaseKey("pay", "ledger", "a", 1)))

    page = await service.ask("GET", f"/gates?done=on&release={number}", RULER)

    assert page.status == 200
    assert "Done. It is in force" in page.text
    assert "Go to" not in page.text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("namespace=%00", "namespace is &#34;\\u0000&#34;: only printable characters are allowed"),
        ("service=a%0Ab", "service is &#34;a\\nb&#34;: only printable characters are allowed"),
        (f"revision={'x' * 254}", "revision has 254 characters: at most 253 are allowed; shorten it"),
    ],
)
async def test_an_address_that_means_nothing_is_refused_in_words(service, query, says):
    """With the value, the limit, and what to do."""
    reply = await service.ask("GET", f"/gates?{query}")

    assert (reply.status, says in reply.text) == (400, True), reply.text


async def test_a_switch_can_be_undone_and_redone(service):
    """Lifted and held again for what is left of its time, each by the button beside it."""
    await thrown(service)
    [held] = await service.store.gates()
    listed = await service.ask("GET", "/gates?done=on")
    button = dict(HIDDEN.findall(listed.text.split("In force")[1].split("</form>")[0]))

    await post(service, plan(await post(service, button)))
    [lifted] = await service.store.gates()
    ended = await service.ask("GET", "/gates")
    again = dict(HIDDEN.findall(ended.text.split("Just ended")[1].split("</form>")[0]))
    await post(service, plan(await post(service, again)))
    [redone] = await service.store.gates()

    assert "Done. It is in force" in listed.text
    assert (button["open"], lifted.is_open) == ("no", False)
    assert "Hold again" in ended.text
    assert redone.is_open
    assert abs(redone.expires - held.expires) <= 2


async def test_a_form_sent_twice_acts_once(service):
    """The second one finds the gate switched since its page was drawn, and asks again."""
    sure = plan(await post(service, WANTED))
    await post(service, sure)

    again = await post(service, sure)

    assert again.status == 409
    assert "Nothing was changed yet: root opened it" in again.text
    assert len(await service.store.events()) == 1


async def test_whoever_was_faster_is_named(service):
    """A person who looks at an old page learns what happened since."""
    await service.store.set_gate(a_gate())
    page = await service.ask("GET", "/gates")
    button = dict(HIDDEN.findall(page.text.split("In force")[1].split("</form>")[0]))
    await service.store.set_gate(a_gate(is_open=False, by="sam", at=now() - 5))

    reply = await post(service, button)

    assert reply.status == 409
    assert "sam closed it" in reply.text


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("service", "", "as in Kubernetes"),
        ("lasts", "soon", "&#34;soon&#34; is no duration; write it like 30m, 8h or 1d"),
        ("lasts", "31d", "it is &#34;31d&#34;: more than 0 s and at most 30 days are allowed; write it like"),
        ("hook", "nonsense", "choose one"),
        ("note", "x" * 501, "shorten it"),
    ],
)
async def test_a_mistake_comes_back_beside_its_field(service, field, typed, says):
    """With everything that was typed."""
    reply = await post(service, {**WANTED, "note": "kept <b>", field: typed})

    assert reply.status == 422
    assert says in reply.text
    assert f'id="fault-{field}"' in reply.text
    assert "kept &lt;b&gt;" in reply.text or field == "note"
    assert await service.store.gates() == []


async def test_a_viewer_sees_no_form_and_is_refused_all_the_same(service):
    """What one may not press is not drawn, and pressing it by hand helps nothing."""
    await service.store.set_gate(a_gate())
    page = await service.ask("GET", "/gates", VIEWER)
    posted = await post(service, WANTED, VIEWER)

    assert 'method="post" action="/gates"' not in page.text
    assert "takes one that includes &#39;ruler&#39;" in page.text
    assert posted.status == 403
    assert "&#39;ruler&#39; is needed" in posted.text


async def test_a_bound_token_sees_and_switches_its_own_namespace_only(service):
    """Another team's switches are neither shown nor thrown."""
    await service.store.set_gate(a_gate(namespace="pay", service="ledger"))
    page = await service.ask("GET", "/gates", RULER)
    filtered = await service.ask("GET", "/gates?namespace=pay", RULER)
    posted = await post(service, {**WANTED, "namespace": "pay"}, RULER)

    assert "ledger" not in page.text
    assert filtered.status == 403
    assert posted.status == 403
    assert "bound to shop" in posted.text


async def test_gates_that_are_over_are_gone(service):
    """The page shows what still means something."""
    await service.store.set_gate(a_gate(service="old", expires=now() - 1))

    assert "shop/old" not in (await service.ask("GET", "/gates")).text


async def test_the_page_can_be_narrowed(service):
    """By namespace and service, kept in the address."""
    await service.store.set_gate(a_gate())
    await service.store.set_gate(a_gate(service="cart"))

    page = await service.ask("GET", "/gates?namespace=shop&service=cart", ASKER)

    assert "shop/cart" in page.text
    assert "shop/checkout" not in page.text


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("hold", "advances or is promoted until"),
        ("off", "firedamp stands aside for shop/checkout until"),
        ("rollback", "Flagger and Argo Rollouts roll shop/checkout back with their next question"),
        ("rollback", "what begins later, a retry too, is judged by its own evidence"),
        ("*", "Every gate of shop/checkout lets Flagger through until"),
        ("confirm-promotion", "Gate confirm-promotion of shop/checkout lets Flagger through until"),
    ],
)
async def test_every_switch_says_what_it_does_and_what_its_end_does(service, hook, says):
    """Before it is thrown, and before it is thrown back."""
    thrown_on = await post(service, {**WANTED, "hook": hook})
    thrown_off = await post(service, {**WANTED, "hook": hook, "open": "no"})

    assert says in thrown_on.text
    assert says not in thrown_off.text
    assert "shop/checkout" in thrown_off.text.split('class="sentence"')[1]


async def test_read_only_means_for_everybody_who_is_a_person():
    """No form is drawn, and a posted one is refused with the reason; programs go on."""
    async with running({"read_only": True}) as service:
        page = await service.ask("GET", "/gates")
        posted = await post(service, WANTED)
        body = {"service": "checkout", "namespace": "shop", "hook": "*", "open": True}
        program = await service.ask("PUT", "/api/v1/gates", json=body)

    assert 'method="post" action="/gates"' not in page.text
    assert "Read-only" in page.text
    assert posted.status == 403
    assert "read_only is true" in posted.text
    assert program.status == 200
