"""The page of tokens and its twin: who has one, a new secret once, and an end to it."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from firedamp.access import digest
from firedamp.ports import Token
from service import ADMIN, GATEKEEPER, Reply, Service, running

BOUND = "fd_an-admin-of-shop-alone"
TUNER = "fd_a-tuner-of-everything"
MORE = (
    Token("sally", digest(BOUND), "admin", ("shop",)),
    Token("tom", digest(TUNER), "tuner"),
    Token("gone", digest("fd_somebody-who-has-left"), "viewer", created=5.0, revoked=6.0),
)
SECRET = re.compile(r'<code class="secret">([^<]+)</code>')


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running(also=MORE) as found:
        yield found


async def made(service: Service, token: str = ADMIN, **changes: str) -> Reply:
    fields = {"name": "alex", "role": "ruler", "namespaces": "shop, web", "path": "no", **changes}
    return await service.ask("POST", "/tokens", token, data=fields)


async def test_tokens_are_listed_without_their_secrets(service):
    """Name, state, role, kind and namespaces; neither secret nor digest."""
    text = (await service.ask("GET", "/tokens")).text

    assert "gatekeeper" in text
    assert "all namespaces" in text
    assert "revoked" in text
    assert GATEKEEPER not in text
    assert digest(GATEKEEPER) not in text


async def test_a_new_secret_is_shown_once_and_works(service):
    """Whoever gets it may do what was said, where it was said, at once; the trail says who made it."""
    [secret] = SECRET.findall((await made(service)).text)
    again = (await service.ask("GET", "/tokens")).text
    opened = await service.ask("GET", "/gates", secret)
    elsewhere = await service.ask("GET", "/gates?namespace=pay", secret)
    [event] = await service.store.events()

    assert secret.startswith("fd_")
    assert secret not in again
    assert (opened.status, elsewhere.status) == (200, 403)
    assert (event.kind, event.by, event.text) == ("token", "root", "made token alex: ruler for shop, web")


async def test_a_path_secret_looks_like_one(service):
    """It says where it belongs."""
    reply = await made(service, name="hooks-2", role="gatekeeper", path="yes")

    assert SECRET.findall(reply.text)[0].startswith("fdp_")
    assert "/flagger/v1/SECRET/rollout" in reply.text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "1 to 100 printable characters"),
        ({"name": "a\r\nb"}, "1 to 100 printable characters"),
        ({"name": "x" * 101}, "1 to 100 printable characters"),
        ({"role": "king"}, "choose one"),
        ({"namespaces": "shop, <b>"}, "like shop, web"),
        ({"namespaces": "a " * 51}, "at most 50"),
        ({"path": "yes"}, "a role of people"),
        ({"name": "gates"}, "exists already"),
        ({"name": "gone"}, "revoked names are not used again"),
    ],
)
async def test_a_token_that_cannot_be_made_says_why(service, changes, says):
    """And the form comes back as it was typed; nothing is made."""
    before = await service.store.tokens()

    reply = await made(service, **changes)

    assert reply.status == 422
    assert says in reply.text
    assert 'value="' in reply.text
    assert await service.store.tokens() == before


async def test_revoking_says_first_what_it_means(service):
    """One look, one yes; then whoever uses it is refused."""
    asked = await service.ask("POST", "/tokens/revoke", data={"name": "gates"})
    still = await service.ask("GET", "/gates", GATEKEEPER)
    done = await service.ask("POST", "/tokens/revoke", data={"name": "gates", "sure": "yes"})
    over = await service.ask("GET", "/api/v1/gates", GATEKEEPER)

    assert "Whoever uses gates (gatekeeper) is refused within 10 seconds" in asked.text
    assert (still.status, done.status, over.status) == (200, 303, 401)
    assert [event.text for event in await service.store.events()] == ["revoked token gates"]


async def test_revoking_what_is_not_in_force_is_refused(service):
    """Twice, or by a name that nobody has."""
    for name in ("gone", "nobody"):
        reply = await service.ask("POST", "/tokens/revoke", data={"name": name, "sure": "yes"})

        assert reply.status == 404


async def test_ones_own_token_is_called_that(service):
    """Nobody locks themselves out without having read it."""
    reply = await service.ask("POST", "/tokens/revoke", data={"name": "root"})

    assert "the one that you are logged in with" in reply.text


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (GATEKEEPER, "&#39;admin&#39; is needed"),
        (TUNER, "&#39;admin&#39; is needed"),
        (BOUND, "administrators of all"),
    ],
)
async def test_tokens_are_the_affair_of_administrators_of_everything(service, token, says):
    """An administrator of one namespace could make a token for all of them otherwise."""
    shown = await service.ask("GET", "/tokens", token)
    posted = await made(service, token)
    revoked = await service.ask("POST", "/tokens/revoke", token, data={"name": "ci", "sure": "yes"})

    assert (shown.status, posted.status, revoked.status) == (403, 403, 403)
    assert says in posted.text


async def test_the_way_to_tokens_is_drawn_for_administrators_only(service):
    """Nobody is led to a closed door."""
    assert 'href="/tokens"' in (await service.ask("GET", "/gates")).text
    assert 'href="/tokens"' not in (await service.ask("GET", "/gates", TUNER)).text


# ── the twin ─────────────────────────────────────────────────────────────────────────────────────────


async def called(
    service: Service, method: str, path: str, token: str = ADMIN, **more: Any
) -> tuple[int, Any]:
    reply = await service.ask(method, f"/api/v1{path}", token, **more)
    return reply.status, json.loads(reply.text)


async def test_a_program_makes_lists_and_revokes_tokens(service):
    """The same as on the page, with the same words in the trail."""
    body = {"name": "pipeline", "role": "asker", "namespaces": ["shop"]}
    status, answer = await called(service, "POST", "/tokens", json=body)
    _, listed = await called(service, "GET", "/tokens")
    ended, gone = await called(service, "DELETE", "/tokens?name=pipeline")

    assert (status, ended, gone) == (200, 200, {"name": "pipeline"})
    assert answer["secret"].startswith("fd_")
    assert {one["name"]: one["role"] for one in listed["tokens"]}["pipeline"] == "asker"
    assert "secret" not in listed["tokens"][0]
    assert "digest" not in listed["tokens"][0]
    assert [event.text for event in await service.store.events()] == [
        "revoked token pipeline",
        "made token pipeline: asker for shop",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "status"),
    [
        ("POST", "/tokens", {"name": "x", "role": "king"}, ADMIN, 400),
        ("POST", "/tokens", {"name": "x", "role": "viewer", "path": True}, ADMIN, 400),
        ("POST", "/tokens", {"name": "gates", "role": "viewer"}, ADMIN, 409),
        ("POST", "/tokens", {"name": "x", "role": "admin"}, BOUND, 403),
        ("POST", "/tokens", {"name": "x", "role": "viewer"}, TUNER, 403),
        ("DELETE", "/tokens?name=nobody", None, ADMIN, 404),
        ("DELETE", "/tokens", None, ADMIN, 400),
        ("DELETE", "/tokens?name=root", None, BOUND, 403),
        ("GET", "/tokens", None, TUNER, 403),
        ("GET", "/tokens", None, BOUND, 403),
    ],
)
async def test_a_program_that_may_not_or_errs_is_refused(service, method, path, body, token, status):
    """With the remedy, and nothing is changed."""
    before = await service.store.tokens()
    more = {} if body is None else {"json": body}

    got, answer = await called(service, method, path, token, **more)

    assert got == status
    assert answer["error"]
    assert await service.store.tokens() == before


async def test_a_mounted_token_is_not_revoked_here(tmp_path):
    """It belongs to whoever mounts it, and the list says so."""
    file = tmp_path / "argo"
    file.write_text("fd_a-mounted-secret-of-argo role=asker\n")
    async with running({"auth": {"token_files": {"argo": str(file)}}}) as service:
        page = (await service.ask("GET", "/tokens")).text
        refused = await service.ask("POST", "/tokens/revoke", data={"name": "argo", "sure": "yes"})
        taken = await service.ask("POST", "/tokens", data={"name": "argo", "role": "asker"})

    assert "mounted file" in page
    assert refused.status == 404
    assert "auth.token_files" in refused.text
    assert "exists already" in taken.text


async def test_read_only_makes_no_tokens():
    """Neither form nor secret."""
    async with running({"read_only": True}) as service:
        page = await service.ask("GET", "/tokens")
        reply = await made(service)

    assert "<h2>Make a token</h2>" not in page.text
    assert reply.status == 403
