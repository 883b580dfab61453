"""Rulings and labels over the API: said by whom, about what, and refused in words."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from service import ADMIN, ASKER, GATEKEEPER, Service, running
from store.examples import a_look
from warned import SAID, warned, with_warning

RULINGS, LABEL = "/api/v1/releases/1/rulings", "/api/v1/releases/1/label"
REAL = {"check": "retries", "word": "real", "note": "customers complain"}


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    """With one running release, whose second look has a warning."""
    async with running() as found:
        await warned(found.store)
        yield found


async def ask(service: Service, method: str, path: str, **more: Any) -> tuple[int, Any]:
    reply = await service.ask(method, path, **more)
    return reply.status, json.loads(reply.text)


async def test_a_ruling_is_written_with_who_said_it_and_what_they_saw(service):
    """The answer is what was written: the token's name, the block, the check's sentence."""
    status, found = await ask(service, "POST", RULINGS, json=REAL, token=GATEKEEPER)

    assert status == 200
    assert found.pop("at") == pytest.approx(time.time(), abs=5)
    assert found == {
        "release": 1,
        "check": "retries",
        "word": "real",
        "by": "gates",
        "note": "customers complain",
        "block": 2,
        "said": SAID,
        "in_force": True,
    }


async def test_a_release_tells_its_rulings_and_stands_as_ruled(service):
    """Verdict and sentence of the release, the rulings beside its checks, and the looks as they stood."""
    _, spoken = await ask(service, "POST", RULINGS, json=REAL)
    release = await service.store.release(1)
    await service.store.add_looks(release, [with_warning(a_look(3))])
    _, found = await ask(service, "GET", "/api/v1/releases/1")

    assert (found["verdict"], found["sentence"]) == (
        "fail",
        f"ruled real by root: {SAID}; note: customers complain",
    )
    assert found["rulings"] == [spoken]
    assert [look["verdict"] for look in found["timeline"]] == [*["inconclusive"] * 3, "fail"]


async def test_the_look_says_who_ruled_on_it(service):
    """A look carries what was said of it, with the evidence it had."""
    _, spoken = await ask(service, "POST", RULINGS, json=REAL)
    _, found = await ask(service, "GET", "/api/v1/releases/1/looks")

    assert [look["rulings"] for look in found["looks"]] == [[], [], [spoken]]


async def test_a_ruling_is_withdrawn(service):
    """Undone, it is listed still, and no longer in force."""
    await ask(service, "POST", RULINGS, json=REAL)
    status, withdrawn = await ask(service, "DELETE", f"{RULINGS}?check=retries&note=a+mistake")
    _, found = await ask(service, "GET", RULINGS)
    _, release = await ask(service, "GET", "/api/v1/releases/1")

    assert (status, withdrawn["word"], withdrawn["note"]) == (200, "withdrawn", "a mistake")
    assert [(one["word"], one["in_force"]) for one in found["rulings"]] == [
        ("real", False),
        ("withdrawn", False),
    ]
    assert release["verdict"] == "inconclusive"


async def test_a_second_thought_takes_the_place_of_the_first(service):
    """The newest word on a check is in force."""
    await ask(service, "POST", RULINGS, json=REAL)
    await ask(service, "POST", RULINGS, json=REAL | {"word": "false-alarm"})
    _, found = await ask(service, "GET", RULINGS)

    assert [(one["word"], one["in_force"]) for one in found["rulings"]] == [
        ("real", False),
        ("false-alarm", True),
    ]


async def test_a_label_is_told_with_the_release(service):
    """The word in lists, who and why with the release itself; the newest one."""
    await ask(service, "PUT", LABEL, json={"word": "true-negative"})
    status, label = await ask(
        service, "PUT", LABEL, json={"word": "false-negative", "note": "refunds failed"}
    )
    _, found = await ask(service, "GET", "/api/v1/releases/1")
    _, listed = await ask(service, "GET", "/api/v1/releases")

    assert (status, label["by"], label["note"]) == (200, "root", "refunds failed")
    assert (found["label"], found["labelled"]) == ("false-negative", label)
    assert [one["label"] for one in listed["releases"]] == ["false-negative"]


async def test_a_label_is_withdrawn(service):
    """The release has none any more."""
    await ask(service, "PUT", LABEL, json={"word": "true-negative"})
    status, label = await ask(service, "DELETE", LABEL)
    _, found = await ask(service, "GET", "/api/v1/releases/1")

    assert (status, label["word"]) == (200, "withdrawn")
    assert "label" not in found
    assert "labelled" not in found


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", RULINGS, REAL),
        ("DELETE", f"{RULINGS}?check=retries", None),
        ("PUT", LABEL, {"word": "true-negative"}),
        ("DELETE", LABEL, None),
    ],
)
async def test_who_may_only_ask_says_nothing(service, method, path, body):
    """Rulings and labels are for rulers, within their namespaces; nothing is written otherwise."""
    await warned(service.store, namespace="pay")
    more = {} if body is None else {"json": body}
    asker, _ = await ask(service, method, path, token=ASKER, **more)
    stranger, _ = await ask(service, method, path.replace("/1/", "/2/"), token=GATEKEEPER, **more)
    nobody, _ = await ask(service, method, path, token=None, **more)

    assert (asker, stranger, nobody) == (403, 404, 401)
    assert await service.store.events() == []


async def test_rulings_of_another_namespace_are_not_told(service):
    """Reading is bound to the token's namespaces as well."""
    await warned(service.store, namespace="pay")

    assert (await ask(service, "GET", "/api/v1/releases/2/rulings", token=ASKER))[0] == 404


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"check": "retries"}, 400, "word"),
        ({"check": "retries", "word": "withdrawn"}, 400, "word"),
        ({"check": "retries", "word": "Real"}, 400, "word"),
        ({"check": "retries", "word": "real", "by": "sam"}, 400, "by"),
        ({"check": 7, "word": "real"}, 400, "check"),
        ({"check": "retries", "word": "real", "note": "x" * 501}, 400, "at most 500"),
        ({"check": "retries", "word": "real", "note": "two\nlines"}, 400, "on one line"),
        ({"check": "nobody", "word": "real"}, 409, "has no check 'nobody'"),
        ({"check": "errors", "word": "real"}, 409, "only warn checks are ruled on"),
        ({"check": "misses", "word": "false-alarm"}, 409, "only warn checks are ruled on"),
        ({"check": "refusals", "word": "real"}, 409, "only a failing check is ruled on"),
    ],
)
async def test_a_ruling_that_cannot_be_is_refused_in_words(service, body, status, says):
    """400 where it is not understood, 409 where the release does not allow it; and nothing is written."""
    refused, found = await ask(service, "POST", RULINGS, json=body)

    assert refused == status
    assert says in found["error"]
    assert await service.store.events() == []


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{RULINGS}?check=retries", 409, "there is none to withdraw"),
        (RULINGS, 400, "check"),
        ("/api/v1/releases/99/rulings?check=retries", 404, 'release "99" is not known'),
        ("/api/v1/releases/99/label", 404, 'release "99" is not known'),
    ],
)
async def test_what_is_not_there_is_not_withdrawn(service, path, status, says):
    """Neither a ruling that nobody made nor a release that nobody knows."""
    found, answer = await ask(service, "DELETE", path)

    assert found == status
    assert says in answer["error"]


@pytest.mark.parametrize(
    ("body", "refused", "says"),
    [
        ({"word": "true-positive"}, 409, "which did not fail: true-negative or false-negative is allowed"),
        ({"word": "true positive"}, 400, "word"),
        ({"word": "withdrawn"}, 400, "word"),
        ({}, 400, "word"),
    ],
)
async def test_a_label_that_does_not_fit_is_refused(service, body, refused, says):
    """Whoever mistakes a pass for a failure is told so."""
    status, found = await ask(service, "PUT", LABEL, json=body)

    assert status == refused
    assert says in found["error"]


async def test_an_ended_release_is_labelled_and_not_ruled_on(service):
    """What is over cannot be rolled back, only judged."""
    release = await service.store.release(1)
    await service.store.update(replace(release, ended=time.time(), outcome="promoted"))
    ruled, answer = await ask(service, "POST", RULINGS, json=REAL)
    labelled, _ = await ask(service, "PUT", LABEL, json={"word": "false-negative"})

    assert (ruled, labelled) == (409, 200)
    assert "has ended (promoted): only a running release is ruled on; label it instead" in answer["error"]


async def test_a_store_in_trouble_says_so(service):
    """Nobody is told that a ruling was written when it was not."""
    service.store.trouble = "the disk is full"
    reply = await service.ask("POST", RULINGS, json=REAL, token=ADMIN)

    assert reply.status >= 500
