"""
What forged, stale, oversized and mistaken forms get: a refusal in words, and nothing is changed.

Every case goes through the whole application over a real socket, with the session of somebody who may do the
thing, so that only the one fault stands between the form and the gate.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from firedamp.access import SEAL_SECONDS, digest, seal
from firedamp.model import ReleaseKey
from firedamp.ports import Token
from firedamp.server.clock import now
from pagereader import Reader
from seeds import HOSTILE
from service import ADMIN, ASKER, Reply, Service, running
from store.examples import a_gate, a_release
from tunedshop import PATH, SETTINGS, TUNER
from visits import PEOPLE, RULER, SESSION, VIEWER, entered

FORM = "application/x-www-form-urlencoded"
PROXY = {
    "addresses": ["127.0.0.0/8"],
    "roles": {"viewer": ["*"], "ruler": ["oncall"]},
}


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is logged in, and the seal of the page that it shows."""

    service: Service
    secret: str
    seal: str

    async def post(self, fields: Any, path: str = "/gates", **more: Any) -> Reply:
        """Send a form as the page would; `more` says what is different."""
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        headers = {
            "Content-Type": FORM,
            "Cookie": f"{SESSION}={self.secret}",
            "Sec-Fetch-Site": "same-origin",
        }
        headers |= more.pop("headers", {})
        sent = {name: value for name, value in headers.items() if value is not None}
        return await self.service.ask(more.pop("method", "POST"), path, None, data=body, headers=sent)

    def order(self, **changes: str) -> dict[str, str]:
        """A gate that may be opened, to the last field."""
        given = {"namespace": "shop", "service": "checkout", "hook": "hold", "open": "yes", "lasts": "30m"}
        return {"csrf": self.seal, **given, "note": "", "seen": "never", "sure": "yes", **changes}


async def logged_in(service: Service, token: str) -> Browser:
    secret = await entered(service, token)
    return Browser(service, secret, seal(secret, now()))


@pytest_asyncio.fixture
async def browser(service) -> Browser:
    return await logged_in(service, RULER)


async def test_the_form_that_all_cases_spoil_is_good(service, browser):
    """Without a fault it does what it says; so each refusal below is for its fault alone."""
    reply = await browser.post(browser.order())

    assert reply.status == 303
    assert [(gate.by, gate.is_open) for gate in await service.store.gates()] == [("ruth", True)]


@dataclass(frozen=True, slots=True)
class Case:
    """One fault: what is different from the good form, and what is said about it."""

    fault: str
    status: int
    says: str
    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str | None] = field(default_factory=dict)
    also: str = ""

    def is_answered_by(self, reply: Reply) -> bool:
        """A page that says what is wrong, logs nobody in, and has what was typed as text only."""
        is_page = reply.headers["Content-Type"].startswith("text/html")
        harmless = "Set-Cookie" not in reply.headers and "<script>alert" not in reply.text
        return reply.status == self.status and self.says in reply.text and is_page and harmless


MULTIPART = 'multipart/form-data; boundary="x"'
CASES = [
    # Forged by another site.
    Case("no seal", 403, "no seal of this page", {"csrf": ""}),
    Case("a made-up seal", 403, "another session", {"csrf": f"{int(now())}.{'0' * 64}"}),
    Case("a seal of nobody", 403, "another session", {"csrf": seal("fds_of-somebody-else", now())}),
    Case("a cross-site post", 403, "Sec-Fetch-Site is", headers={"Sec-Fetch-Site": "cross-site"}),
    Case("a same-site post", 403, "Sec-Fetch-Site is", headers={"Sec-Fetch-Site": "same-site"}),
    Case(
        "another origin", 403, "Origin is", headers={"Sec-Fetch-Site": None, "Origin": "https://evil.example"}
    ),
    Case("an origin of null", 403, "Origin is", headers={"Sec-Fetch-Site": None, "Origin": "null"}),
    # Who.
    Case("no session", 401, "nobody is logged in", headers={"Cookie": None}),
    Case("a made-up session", 401, "nobody is logged in", headers={"Cookie": f"{SESSION}=fds_made-up"}),
    Case("a token as session", 401, "nobody is logged in", headers={"Cookie": f"{SESSION}={RULER}"}),
    Case("a path's name", 401, "nobody is logged in", headers={"Cookie": None, "X-Forwarded-User": "root"}),
    Case("another namespace", 403, "bound to shop", {"namespace": "pay"}),
    # What kind of body.
    Case("JSON", 415, "only application/x-www-form-urlencoded", headers={"Content-Type": "application/json"}),
    Case("multipart", 415, "only application/x-www-form-urlencoded", headers={"Content-Type": MULTIPART}),
    Case("plain text", 415, "only application/x-www-form-urlencoded", headers={"Content-Type": "text/plain"}),
    Case("another charset", 415, "in UTF-8", headers={"Content-Type": f"{FORM}; charset=utf-16"}),
    # What stands in it.
    Case("a strange field", 400, "is unknown", {"role": "admin"}),
    Case("a field given twice", 400, "given twice", also="&namespace=pay"),
    Case("a seal given twice", 400, "given twice", also="&csrf=0"),
    Case("bytes that are no text", 400, "no UTF-8", also="&note=%ff%fe"),
    Case("fields without end", 400, "more than 64", also="".join(f"&a{n}=1" for n in range(70))),
    Case("a body without end", 413, "larger than the limit", {"note": "x" * 70_000}),
    Case("a note without end", 422, "shorten it", {"note": "x" * 501}),
    Case("a line feed", 422, "on one line", {"note": "fine\r\nSet-Cookie: admin=yes"}),
    Case("a name with markup", 422, "as in Kubernetes", {"service": HOSTILE}),
    Case("no such hook", 422, "choose one", {"hook": "everything"}),
    Case("for ever", 422, "at most 30 days", {"lasts": "3650d"}),
    Case("seen by somebody else", 409, "Nothing was changed", {"seen": "1.0", "service": "held"}),
]


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
async def test_a_form_with_one_fault_is_refused_in_words(service, browser, case):
    """A page says what is wrong, the gate stays as it was, and what was typed comes back as text only."""
    await service.store.set_gate(a_gate(service="held", hook="hold", revision="", expires=now() + 60))
    before = await service.store.gates()
    body = urlencode(browser.order(**case.fields)) + case.also

    reply = await browser.post(body.encode(), headers=case.headers)

    assert case.is_answered_by(reply), reply.text
    assert await service.store.gates() == before


@pytest.mark.parametrize("token", [VIEWER, ASKER])
async def test_a_role_that_may_not_is_refused(service, token):
    """With the role it has and the one it takes."""
    browser = await logged_in(service, token)

    reply = await browser.post(browser.order())

    assert reply.status == 403
    assert "&#39;ruler&#39; is needed" in reply.text
    assert await service.store.gates() == []


async def test_a_form_that_lay_open_too_long_is_refused(service, browser):
    """It says how long that was, and that nothing happened."""
    stale = seal(browser.secret, now() - SEAL_SECONDS - 60)

    reply = await browser.post(browser.order(csrf=stale))

    assert reply.status == 403
    assert "lay open for 4.0 hours" in reply.text
    assert await service.store.gates() == []


async def test_what_was_typed_comes_back_to_whoever_is_no_longer_logged_in(service, browser):
    """The note stands in the answer; sent from there in a new session it gets a seal, and is taken."""
    order = browser.order(note="errors since noon", csrf=seal("fds_of-a-session-that-ended", now()))

    ended = await browser.post(order, headers={"Cookie": None})
    again = await browser.post(_fields(ended))
    done = await browser.post(_fields(again))

    assert [ended.status, again.status, done.status] == [401, 403, 303]
    assert "Not done yet (403)" in Reader(again.text).text
    assert [gate.note for gate in await service.store.gates()] == ["errors since noon"]


def _fields(reply: Reply) -> dict[str, str]:
    """What the form of a page sends as it stands there."""
    inputs = [given for tag, given in Reader(reply.text).tags if tag == "input"]
    return {given["name"]: given["value"] for given in inputs}


async def test_the_seal_of_one_person_is_no_good_for_another(service, browser):
    """Not even for somebody who may do the same thing."""
    other = await logged_in(service, ADMIN)

    reply = await browser.post(browser.order(csrf=other.seal))

    assert reply.status == 403
    assert await service.store.gates() == []


async def test_a_form_replayed_acts_once(service, browser):
    """A double click, a reload, a recorded request: the gate is no longer as the form has seen it."""
    order = browser.order()
    first = await browser.post(order)
    second = await browser.post(order)

    assert (first.status, second.status) == (303, 409)
    assert "ruth opened it" in second.text
    assert len(await service.store.events()) == 1


async def test_a_session_that_was_left_is_over(service, browser):
    """Also for whoever copied its cookie."""
    await browser.post({}, "/logout")

    reply = await browser.post(browser.order())

    assert reply.status == 401
    assert await service.store.gates() == []


async def test_a_script_that_asks_anew_does_not_get_the_login_for_its_page(service):
    """A browser that goes to a page is led to the login; one that fetches it for a script is told no."""
    went = await service.ask("GET", "/", None, headers={"Sec-Fetch-Mode": "navigate"})
    fetched = await service.ask("GET", "/", None, headers={"Sec-Fetch-Mode": "cors"})

    assert (went.status, went.headers["Location"]) == (303, "/login?next=/")
    assert (fetched.status, "Location" in fetched.headers) == (401, False)


async def test_over_tls_a_cookie_without_its_prefix_is_none(service, browser):
    """A neighbour's page on the same domain can set a cookie, but none of this name."""
    headers = {"Cookie": f"firedamp_session={browser.secret}"}

    reply = await browser.post(browser.order(), headers=headers)

    assert reply.status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/api/v1/gates"), ("DELETE", "/api/v1/holds?service=checkout"), ("POST", "/api/v1/outcomes")],
)
async def test_a_browsers_session_changes_nothing_past_the_pages(service, browser, method, path):
    """The addresses of programs take no cookie for anything but reading."""
    body = b'{"service": "checkout", "namespace": "shop", "hook": "*", "open": true}'

    reply = await browser.post(body, path, method=method, headers={"Content-Type": "application/json"})

    assert reply.status == 403
    assert "good for reading here" in reply.text


@pytest.mark.parametrize(
    "path", ["/argo/v1/guard?service=checkout&namespace=shop", "/promql/api/v1/query?query=up"]
)
async def test_a_person_asks_for_no_verdict(service, path):
    """A look costs queries; asking is what programs are given a role for."""
    reply = await service.ask("GET", path, VIEWER)

    assert reply.status == 403
    assert "'asker'" in reply.text


async def test_a_release_of_another_namespace_is_not_there(service, browser):
    """Its number says nothing about whether it exists."""
    hidden = await service.store.open(a_release(ReleaseKey("pay", "ledger", "a", 1)))
    cookie = {"Cookie": f"{SESSION}={browser.secret}"}

    theirs = await service.ask("GET", f"/releases/{hidden.id}", None, headers=cookie)
    nobodys = await service.ask("GET", "/releases/4711", None, headers=cookie)

    assert theirs.status == nobodys.status == 404
    assert re.sub(r"\d+", "", theirs.text) == re.sub(r"\d+", "", nobodys.text)


@pytest.mark.parametrize("path", ["/gates", "/audit", "/releases/1"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_pages_take_forms_and_nothing_else(service, browser, method, path):
    """A method that no form has is none of ours."""
    reply = await browser.post(browser.order(), path, method=method)

    assert reply.status == 405


# ── a service that is tuned ──────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture
async def tuned() -> AsyncIterator[Browser]:
    """The browser of a tuner, whose service stands in the settings."""
    sue = Token("sue", digest(TUNER), "tuner", ("shop",))
    async with running(SETTINGS, also=(*PEOPLE, sue)) as service:
        yield await logged_in(service, TUNER)


def change(browser: Browser, **changes: str) -> dict[str, str]:
    """A change that may be saved, to the last field."""
    given = {"draft": '{"alpha":0.01}', "based_on": "0", "note": "fewer pages at night"}
    return {"csrf": browser.seal, **given, **changes}


async def test_the_change_that_all_cases_spoil_is_good(tuned):
    """Without a fault it is in force; so each refusal below is for its fault alone."""
    reply = await tuned.post(change(tuned), PATH)

    assert reply.status == 303
    assert [one.by for one in await tuned.service.store.overrides("shop", "checkout")] == ["sue"]


TUNING = [
    Case("no seal", 403, "no seal of this page", {"csrf": ""}),
    Case("a made-up seal", 403, "another session", {"csrf": f"{int(now())}.{'0' * 64}"}),
    Case("a seal of nobody", 403, "another session", {"csrf": seal("fds_of-somebody-else", now())}),
    Case("a cross-site post", 403, "Sec-Fetch-Site is", headers={"Sec-Fetch-Site": "cross-site"}),
    Case("a same-site post", 403, "Sec-Fetch-Site is", headers={"Sec-Fetch-Site": "same-site"}),
    Case("an origin of null", 403, "Origin is", headers={"Sec-Fetch-Site": None, "Origin": "null"}),
    Case("no session", 401, "nobody is logged in", headers={"Cookie": None}),
    Case("a token as session", 401, "nobody is logged in", headers={"Cookie": f"{SESSION}={TUNER}"}),
    Case("JSON", 415, "only application/x-www-form-urlencoded", headers={"Content-Type": "application/json"}),
    Case("a field given twice", 400, "given twice", also="&based_on=1"),
]


@pytest.mark.parametrize("case", TUNING, ids=[case.fault for case in TUNING])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/preview"])
async def test_a_change_with_one_fault_is_refused_in_words(tuned, path, case):
    """A page says what is wrong; nothing is saved, and no release is judged by it either."""
    body = urlencode(change(tuned, **case.fields)) + case.also

    reply = await tuned.post(body.encode(), path, headers=case.headers)

    assert case.is_answered_by(reply), reply.text
    assert "verdicts differ" not in reply.text
    assert await tuned.service.store.overrides("shop", "checkout") == []


@pytest.mark.parametrize("token", [VIEWER, ASKER, RULER])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/preview"])
async def test_a_role_that_does_not_tune_is_refused(tuned, path, token):
    """A person may rule on everything and still change no limit."""
    browser = await logged_in(tuned.service, token)

    reply = await browser.post(change(browser), path)

    assert reply.status == 403
    assert "&#39;tuner&#39; is needed" in reply.text
    assert await tuned.service.store.overrides("shop", "checkout") == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/preview"])
async def test_a_service_of_another_namespace_is_not_tuned(tuned, path):
    """Whether it is known there is not said."""
    known = await tuned.post(change(tuned), path.replace("/shop/", "/pay/"))
    unknown = await tuned.post(change(tuned), path.replace("/shop/checkout", "/pay/nothing"))

    assert known.status == unknown.status == 403
    assert "bound to shop" in known.text
    assert "bound to shop" in unknown.text
    assert await tuned.service.store.overrides("pay", "checkout") == []


async def test_a_change_replayed_is_saved_once(tuned):
    """What it was based on is no longer in force: the second one is told who was faster."""
    first = await tuned.post(change(tuned), PATH)
    second = await tuned.post(change(tuned), PATH)

    assert (first.status, second.status) == (303, 409)
    assert "version 1" in second.text
    assert len(await tuned.service.store.overrides("shop", "checkout")) == 1


# ── behind a proxy that signs people in ──────────────────────────────────────────────────────────────


async def proxied(
    service: Service, method: str, path: str, user: str = "alex@shop.example", **more: Any
) -> Reply:
    headers = {"X-Forwarded-User": user, "X-Forwarded-Groups": more.pop("groups", "oncall")}
    return await service.ask(method, path, None, headers=headers | more.pop("headers", {}), **more)


@pytest_asyncio.fixture
async def behind() -> AsyncIterator[Service]:
    async with running({"auth": {"proxy": PROXY}}) as found:
        yield found


async def form_of(service: Service, user: str) -> tuple[str, str]:
    """The cookie that a person's forms are bound to, and the seal of their page."""
    page = await proxied(service, "GET", "/gates", user)
    cookie = page.headers["Set-Cookie"].split(";")[0]
    [made] = set(re.findall(r'name="csrf" value="([^"]+)"', page.text))
    return cookie, made


ORDER = {
    "namespace": "shop",
    "service": "checkout",
    "hook": "hold",
    "lasts": "30m",
    "seen": "never",
    "sure": "yes",
}


async def test_a_person_behind_the_proxy_acts_under_their_own_name(behind):
    """The trail says who it was, not which token; the form is sealed for their browser."""
    cookie, made = await form_of(behind, "alex@shop.example")

    reply = await proxied(behind, "POST", "/gates", data={**ORDER, "csrf": made}, headers={"Cookie": cookie})

    assert reply.status == 303
    assert [event.by for event in await behind.store.events()] == ["alex@shop.example"]
    assert cookie.startswith("__Host-firedamp_form=")


@pytest.mark.parametrize(
    ("fault", "says"),
    [("no cookie", "another session"), ("no seal", "no seal"), ("another person", "another")],
)
async def test_a_form_of_a_proxied_person_is_bound_to_them(behind, fault, says):
    """A form needs the cookie, the seal, and the person for whom both were made."""
    cookie, made = await form_of(behind, "alex@shop.example")
    fields = ORDER if fault == "no seal" else {**ORDER, "csrf": made}
    headers = {} if fault == "no cookie" else {"Cookie": cookie}
    user = "sam@shop.example" if fault == "another person" else "alex@shop.example"

    reply = await proxied(behind, "POST", "/gates", user, data=fields, headers=headers)

    assert reply.status == 403
    assert says in reply.text
    assert await behind.store.gates() == []


async def test_a_proxied_person_has_the_role_of_their_groups(behind):
    """Without the group of rulers no form is drawn and none is taken."""
    page = await proxied(behind, "GET", "/gates", groups="developers")

    assert page.status == 200
    assert 'method="post" action="/gates"' not in page.text


@pytest.mark.parametrize("user", ["a,b", "x" * 200])
async def test_a_proxy_that_sends_no_name_is_told_so(behind, user):
    """Its settings are wrong, and nobody comes in on a guess."""
    reply = await proxied(behind, "GET", "/gates", user)

    assert reply.status == 400
    assert "X-Forwarded-User has" in reply.text


async def test_names_from_addresses_that_are_no_proxys_are_ignored():
    """A caller on the network who writes the header himself is led to the login like everybody."""
    elsewhere = {**PROXY, "addresses": ["192.0.2.0/24"]}
    async with running({"auth": {"proxy": elsewhere}}) as service:
        reply = await proxied(service, "GET", "/gates")
        metrics = (await service.ask("GET", "/metrics", None)).text

    assert reply.status == 303
    assert reply.headers["Location"].startswith("/login")
    assert re.search(r"^firedamp_untrusted_identities_total [1-9]", metrics, re.MULTILINE)
