"""Posted forms: what is understood, and what comes back to whoever typed it."""

from collections.abc import AsyncIterator
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from firedamp.errors import AskError
from firedamp.ui import forms


class Order(forms.Form):
    """A form with a field of each sort."""

    service: forms.Name
    revision: forms.Label = ""
    hook: Literal["*", "rollback"] = "*"
    lasts: forms.Duration = 1800.0
    share: forms.Share = 0.5
    many: forms.Whole = 1
    sure: forms.Ticked = False
    note: forms.Note = ""
    why: forms.Said = "because"


@pytest_asyncio.fixture
async def read() -> AsyncIterator[Any]:
    """Posts a form to a page that reads it, and says what came of it: the form, or the trouble."""
    found: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        try:
            found.append(await forms.read(request, Order))
        except AskError as error:
            found.append(error)
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", handle)])
    async with TestClient(TestServer(app)) as client:

        async def post(data: Any, kind: str = "application/x-www-form-urlencoded") -> Any:
            body = data if isinstance(data, bytes) else urlencode(data).encode()
            await client.post("/", data=body, headers={"Content-Type": kind})
            return found.pop()

        yield post


async def test_a_form_is_read_into_its_model(read):
    """Durations, shares, numbers and ticks are typed; the seal is the door's affair."""
    found = await read(
        {
            "csrf": "1.2",
            "service": "checkout",
            "hook": "rollback",
            "lasts": "1h30m",
            "share": "20%",
            "many": "50",
            "sure": "on",
            "note": " looks fine ",
        }
    )

    assert (found.service, found.hook, found.lasts, found.share) == ("checkout", "rollback", 5400.0, 0.2)
    assert (found.many, found.sure, found.note, found.revision) == (50, True, "looks fine", "")


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("service", "", "as in Kubernetes"),
        ("service", "a b", "as in Kubernetes"),
        ("service", "x" * 254, "as in Kubernetes"),
        ("revision", "x" * 254, "253 are allowed"),
        ("revision", "a\r\nSet-Cookie: b=c", "one line"),
        ("hook", "nonsense", "choose one"),
        ("lasts", "soon", "like 30m"),
        ("lasts", "31d", 'it is "31d": more than 0 s and at most 30 days are allowed'),
        ("lasts", "0s", "more than 0 s"),
        ("share", "much", '"much" is no share; write it like 20%'),
        ("many", "-1", "whole number"),
        ("many", "1e3", 'it is "1e3": a whole number is expected; write it like 50'),
        ("many", "9" * 400, "whole number"),
        ("sure", "perhaps", "yes or no"),
        ("note", "x" * 501, "500 are allowed"),
        ("note", "a\x00b", "printable"),
        ("why", "  ", "say in a few words"),
    ],
)
async def test_a_fault_comes_back_beside_its_field(read, field, typed, says):
    """With what was typed in all the others, so that nothing is lost."""
    mistake = await read({"service": "checkout", "note": "kept", field: typed})

    drawn = forms.entries(Order, mistake)
    assert says in drawn[field].fault
    assert drawn[field].value == typed
    assert [name for name, entry in drawn.items() if entry.fault] == [field]
    assert drawn["note"].value == "kept" or field == "note"


async def test_a_missing_field_is_named(read):
    """A form cut short is a mistake like any other."""
    mistake = await read({})

    assert str(mistake) == "service: it is missing; fill it in"


async def test_what_comes_back_is_short(read):
    """Whoever posts a megabyte does not get it back."""
    mistake = await read({"service": "checkout", "note": "x" * 50_000})

    assert len(mistake.typed["note"]) == forms.LONGEST


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        ({"service": "checkout", "role": "admin"}, "application/x-www-form-urlencoded", '"role" is unknown'),
        (b"service=a&service=b", "application/x-www-form-urlencoded", '"service" is given twice'),
        (b"service=%ff", "application/x-www-form-urlencoded", "no UTF-8"),
        (b"\xff\xfe", "application/x-www-form-urlencoded", "no UTF-8"),
        ("&".join(f"a{n}=1" for n in range(65)).encode(), "application/x-www-form-urlencoded", "64 fields"),
        (b"{}", "application/json", "only application/x-www-form-urlencoded"),
        (b"service=a", "multipart/form-data; boundary=x", "only application/x-www-form-urlencoded"),
        (b"service=a", "text/plain", "only application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(read, data, kind, says):
    """Strange fields, repeated ones, other media types: no page of ours sends them."""
    trouble = await read(data, kind)

    assert says in str(trouble)
    assert not isinstance(trouble, forms.MistakenError)


def test_a_fresh_form_has_the_values_given():
    """Nothing is wrong with what nobody has typed yet."""
    drawn = forms.entries(Order, service="checkout", lasts="30m")

    assert (drawn["service"].value, drawn["lasts"].value, drawn["note"].value) == ("checkout", "30m", "")
    assert not any(entry.fault for entry in drawn.values())
