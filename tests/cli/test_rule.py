"""`firedamp rule`: a person's word from the command line, through the store or a server."""

import asyncio
import json

import pytest

from cli.test_commands import run
from firedamp.cli import options
from firedamp.cli.rule import Word, told
from firedamp.errors import AskError
from firedamp.model import Ruled
from firedamp.store import open_store
from service import GATEKEEPER, running
from warned import SAID, warned


@pytest.fixture
def ruled_on(shop):
    """Settings whose store holds a release with a warning."""
    asyncio.run(in_store(shop, warned))
    return shop


async def in_store(settings, work):
    async with await open_store(options.settings(settings).store.address()) as store:
        return await work(store)


async def rulings(store):
    return [(one.check, one.word, one.note, one.said) for one in await store.rulings(1)]


def test_a_warning_is_ruled_real(ruled_on, capsys):
    """The release fails at once, with the note in its sentence."""
    assert run("rule", 1, "retries", "real", "--note", "customers complain", "-c", ruled_on) == 0
    release = asyncio.run(in_store(ruled_on, lambda store: store.release(1)))

    assert capsys.readouterr().out.strip() == "release 1: retries real"
    assert asyncio.run(in_store(ruled_on, rulings)) == [("retries", Ruled.REAL, "customers complain", SAID)]
    assert release.sentence.endswith(f"{SAID}; note: customers complain")


def test_a_ruling_is_withdrawn(ruled_on):
    """The same command takes it back."""
    run("rule", 1, "retries", "false-alarm", "-c", ruled_on)

    assert run("rule", 1, "retries", "withdrawn", "-c", ruled_on) == 0
    assert [word for _, word, *_ in asyncio.run(in_store(ruled_on, rulings))] == ["false-alarm", "withdrawn"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((1, "errors", "real"), "only warn checks are ruled on"),
        ((1, "refusals", "real"), "only a failing check is ruled on"),
        ((9, "retries", "real"), "release 9 is not known"),
        ((1, "retries", "maybe"), "maybe"),
    ],
)
def test_what_cannot_be_said_is_usage(ruled_on, capsys, arguments, said):
    """Refused with the reason, and nothing is written."""
    assert run("rule", *arguments, "-c", ruled_on) == 3
    assert said in capsys.readouterr().err
    assert asyncio.run(in_store(ruled_on, rulings)) == []


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "token"
    path.write_text(GATEKEEPER)
    return path


async def test_a_server_is_told(secret):
    """In the name of the token; withdrawing included."""
    async with running() as service:
        await warned(service.store)
        await told(service.address.url, secret, 1, "retries", Word.FALSE_ALARM, "cold caches & co")
        await told(service.address.url, secret, 1, "retries", Word.WITHDRAWN, "50 % sure & no more")
        found = await service.store.rulings(1)

    assert [(one.word, one.by, one.note) for one in found] == [
        ("false-alarm", "gates", "cold caches & co"),
        ("withdrawn", "gates", "50 % sure & no more"),
    ]


async def test_a_server_s_refusal_is_passed_on(secret):
    """In its own words."""
    async with running() as service:
        await warned(service.store)
        with pytest.raises(AskError, match="only warn checks are ruled on"):
            await told(service.address.url, secret, 1, "errors", Word.REAL, "")


def test_a_replay_tells_who_ruled(ruled_on, capsys):
    """The stored looks stand as they were ruled on, and the words are listed."""
    run("rule", 1, "retries", "real", "--note", "customers complain", "-c", ruled_on)
    capsys.readouterr()
    run("replay", 1, "-c", ruled_on)
    printed = capsys.readouterr().out
    run("replay", 1, "-c", ruled_on, "--output", "json")
    report = json.loads(capsys.readouterr().out)

    assert "ruled retries real after look 2, " in printed
    assert printed.rstrip().endswith(": customers complain")
    assert [(one["check"], one["word"], one["at_look"]) for one in report["rulings"]] == [
        ("retries", "real", 2)
    ]
    assert report["again"]["sentence"].endswith(f"{SAID}; note: customers complain")
