"""Asking a running firedamp: the real application, and servers that answer nonsense."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cli.conftest import BEGAN
from cli.examples import FAILED, WAITING
from firedamp.cli import options
from firedamp.cli.exits import Exit
from firedamp.cli.judging import run
from firedamp.cli.order import Order
from firedamp.cli.outcome import body
from firedamp.cli.remote import Server, ServerDownError, question, token, verdict
from firedamp.cli.render import Format
from firedamp.contracts.api.rendering import verdict_answer
from firedamp.demo import story
from firedamp.demo.controller import Clock
from firedamp.errors import AskError, ConfigError, FiredampError, ForbiddenError, NotFoundError
from firedamp.model import Ask, Controller, Question
from firedamp.server import create_app, logs, serving
from firedamp.wiring import living

ASK = Ask("shop", "checkout", Question.PROMOTE, Controller.CI, "v2", {"canary": "v2", "main": "v1"}, 0.2)


@asynccontextmanager
async def answering(handler):
    """A server that answers everything with this handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    async with Server(str(server.make_url("/")), "secret") as client:
        yield client
    await server.close()


def says(status, body, kind="application/json", **headers):
    async def handler(request):
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    return handler


def test_a_verdict_survives_the_wire():
    """What the API writes is read back as it was, infinite bounds included."""
    answer = verdict_answer(FAILED, "https://firedamp.example")

    assert verdict(answer) == replace(FAILED, recorded=FAILED.outcome)


def test_a_question_leaves_out_what_is_not_known():
    """The API refuses null."""
    bare = replace(ASK, revision=None, weight=None)

    assert question(bare) == {
        "service": "checkout",
        "namespace": "shop",
        "question": "promote",
        "cohorts": {"canary": "v2", "main": "v1"},
    }
    assert question(ASK)["weight"] == 0.2


async def test_the_token_travels_in_its_header():
    """The server sees the bearer token and the question."""
    seen = []

    async def handler(request):
        seen.append((request.headers["Authorization"], request.path, await request.json()))
        answer = verdict_answer(WAITING, "https://firedamp.example")
        return web.json_response(answer.model_dump(mode="json", exclude_none=True))

    async with answering(handler) as server:
        found, link = await server.judge(ASK)

    assert seen == [("Bearer secret", "/api/v1/judge", question(ASK))]
    assert (found.sentence, link) == (WAITING.sentence, "https://firedamp.example/releases/7")


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (says(400, '{"error": "weight is too large"}'), AskError),
        (says(401, '{"error": "no token"}'), ForbiddenError),
        (says(403, '{"error": "not your namespace"}'), ForbiddenError),
        (says(404, '{"error": "nothing here"}'), NotFoundError),
        (says(408, '{"error": "too slow"}'), ServerDownError),
        (says(500, "{}"), ServerDownError),
        (says(503, "<html>", "text/html"), ServerDownError),
        (says(200, "<html>", "text/html"), ServerDownError),
        (says(200, "not JSON"), ServerDownError),
        (says(200, "[1]"), ServerDownError),
        (says(200, '{"verdict": "maybe"}'), ServerDownError),
        (says(302, "", Location="https://elsewhere.example/"), ServerDownError),
    ],
)
async def test_what_is_no_verdict_is_never_read_as_one(handler, error):
    """A refusal is the caller's fault, anything else the server's trouble."""
    async with answering(handler) as server:
        with pytest.raises(FiredampError) as raised:
            await server.judge(ASK)

    assert raised.type is error


async def test_a_refusal_says_what_to_do_about_the_token():
    """Who forgot the token reads where to put it."""
    async with answering(says(401, '{"error": "no token"}')) as server:
        with pytest.raises(ForbiddenError, match="FIREDAMP_TOKEN"):
            await server.judge(ASK)


async def test_nobody_there_is_trouble():
    """A refused connection is no verdict."""
    async with Server("http://127.0.0.1:9", None) as server:
        with pytest.raises(ServerDownError, match=r"127\.0\.0\.1:9"):
            await server.judge(ASK)


def test_a_token_file_goes_before_the_environment(tmp_path):
    """The first word of the file is the token."""
    path = tmp_path / "token"
    path.write_text("fd_secret role=asker\n")

    assert token(path) == "fd_secret"


def test_an_empty_token_file_is_named(tmp_path):
    """A file without a secret is a fault of the caller."""
    path = tmp_path / "token"
    path.write_text("\n")

    with pytest.raises(ConfigError, match="holds no token"):
        token(path)


async def test_an_address_without_a_scheme_is_refused():
    """`firedamp:8080` is no address."""
    with pytest.raises(ConfigError, match="http://"):
        Server("firedamp:8080", None)


def order(url, **changes):
    given = Order(ASK, None, url, None, Format.JSON, False, None, 0.01, None)
    return replace(given, **changes)


@pytest.fixture
async def served(shop):
    """The real application on the recorded shop, on a time that a test sets; its address and clock."""
    settings = options.settings(shop)
    logs.configure(settings.log)
    clock = Clock(BEGAN + story.BAD.starts)
    async with living(settings) as alive:
        app = create_app(settings, alive.store, alive.judge, clock=clock)
        async with serving(app, settings.limits, host="127.0.0.1", port=0) as address:
            yield address.url, clock


BAD = replace(ASK, revision=story.BAD.revision, arms={"canary": story.BAD.revision, "main": story.STABLE})


async def test_a_server_is_asked_once(served, capsys):
    """The answer is printed as it came, and the exit code is the verdict's."""
    url, _ = served

    assert await run(order(url, ask=BAD)) is Exit.UNDECIDED
    assert json.loads(capsys.readouterr().out)["release"]["revision"] == story.BAD.revision


async def test_a_server_is_watched_until_its_verdict(served, capsys):
    """While the server's time goes on, the watching ends with the failing canary."""
    url, clock = served
    running = asyncio.create_task(run(order(url, ask=BAD, watch=True, shape=Format.TEXT)))

    while not running.done():
        clock.now += 30
        await asyncio.sleep(0.05)

    assert running.result() is Exit.FAIL
    assert capsys.readouterr().out.startswith("fail: ")


async def test_a_server_is_not_watched_beyond_the_decision(served, capsys):
    """A release nobody can decide is given up when the server's decide-by is over."""
    url, clock = served
    nobody = replace(BAD, revision="v9", arms={"canary": "v9", "main": story.STABLE})
    running = asyncio.create_task(run(order(url, ask=nobody, watch=True, shape=Format.TEXT)))

    while not running.done() and clock.now < BEGAN + 7200:
        clock.now += 120
        await asyncio.sleep(0.05)

    assert await running is Exit.UNDECIDED
    assert "the metrics are missing" in capsys.readouterr().out


async def test_an_outcome_is_told_to_a_server(served):
    """The server closes the release that was reported."""
    url, _ = served
    async with Server(url, None) as server:
        await server.judge(BAD)
        report = body("checkout", "rolled back", "shop", story.BAD.revision)
        answer = await server.call("POST", "/api/v1/outcomes", report)

    assert answer["release"]["outcome"] == "rolled back"
