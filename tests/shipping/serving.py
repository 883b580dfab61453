"""The application for the tests of what we ship: the real one, tokens included, with a judge that obeys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fakes import FakeJudge, MemoryStore
from firedamp.access import digest
from firedamp.config.load import load
from firedamp.ports import Token
from firedamp.server import create_app
from shipping.manifests import TEMPLATES

BEARER, PATH_SECRET = "fd_a-bearer-token-for-tests", "fdp_a-path-secret-for-tests"
GATEKEEPER = "fd_a-gatekeeper's-token-for-tests"
SETTINGS = load(TEMPLATES / "settings.yaml", {})


@asynccontextmanager
async def serving(judge: FakeJudge) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A client of the application under the settings of our own examples."""
    store = MemoryStore()
    await store.add_token(Token(name="argo", digest=digest(BEARER), role="asker"))
    await store.add_token(Token(name="argo-notifications", digest=digest(GATEKEEPER), role="gatekeeper"))
    await store.add_token(Token(name="flagger", digest=digest(PATH_SECRET), role="gatekeeper", path=True))
    async with TestClient(TestServer(create_app(SETTINGS, store, judge))) as client:
        yield client
