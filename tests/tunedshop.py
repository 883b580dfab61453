"""A shop to tune: a service in the settings, and past releases of it that the judge's own path has judged."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from firedamp.access import digest
from firedamp.decision import recorded
from firedamp.judge.previews import MOMENT
from firedamp.model import Judged, Label, Look, Release, ReleaseKey
from firedamp.ports import Store, Token
from pasts import COHORTS, errors, looked, parameters, release
from rehearsal import Shop, blocks

PATH = "/services/shop/checkout/tuning"
TUNER = "fd_a-tuner-of-shop-only"
VIEWER = "fd_a-viewer-of-shop-only"
LATENCY = {"name": "latency", "kind": "distribution", "histogram": "h", "tier": "warn"}
CHECKS = (errors(), LATENCY)
PARAMETERS = parameters(*CHECKS)
SETTINGS: dict[str, Any] = {
    "services": [
        {
            "name": "checkout",
            "namespace": "shop",
            "cohorts": COHORTS,
            "window": {"promote_after": "10m", "decide_by": "20m"},
            "checks": list(CHECKS),
        }
    ]
}
_GOOD = Shop(requests=2000)
#: Three times the errors: a tolerance of 500 % lets them go.
_BAD = Shop(requests=2000, canary_errors=0.03)


class SlowStore:
    """A store that takes its time to read a release's looks, and counts how often it was asked to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def looks(self, release_id: int, *, after: int = -1, limit: int | None = None) -> Sequence[Look]:
        if limit is not None:
            self.read += after == -1
            await asyncio.sleep(MOMENT * 0.45)
        return await self._store.looks(release_id, after=after, limit=limit)


async def people(store: Store) -> None:
    """A tuner and a viewer of the shop."""
    await store.add_token(Token("sue", digest(TUNER), "tuner", ("shop",)))
    await store.add_token(Token("vera", digest(VIEWER), "viewer", ("shop",)))


async def releases(store: Store) -> list[Release]:
    """Two that failed and three that passed, the bad ones second and fourth; one was labelled."""
    shops = (_GOOD, _BAD, _GOOD, _BAD, _GOOD)
    now = time.time()
    found = [
        await judged(store, f"v{number}", shop, now - 7200 * (len(shops) - number))
        for number, shop in enumerate(shops)
    ]
    await store.label(Label(found[1].id, Judged.FALSE_POSITIVE, "anna", now, "bursts at noon"))
    return found


async def seed(store: Store) -> None:
    """People, and releases of the past hours."""
    await people(store)
    await releases(store)


async def judged(store: Store, revision: str, shop: Shop, began: float, count: int = 25) -> Release:
    """A release that began then, with as many looks as it took, and the verdict of the last one."""
    looks = [_at(look, began) for look in looked(PARAMETERS, blocks(PARAMETERS, shop, count))]
    failed = next((at for at, look in enumerate(looks) if look.standing.failed_block is not None), None)
    taken = looks if failed is None else looks[: failed + 1]
    ended = began + 30 * len(taken)
    fresh = release(revision, PARAMETERS, started=began, last_asked=ended)
    opened = await store.open(replace(fresh, key=ReleaseKey("shop", "checkout", revision, 1)))
    verdict, sentence = recorded.verdict(opened, PARAMETERS, taken[-1])
    outcome = "promoted" if failed is None else "rolled back"
    told = replace(opened, verdict=verdict, sentence=sentence, ended=ended, outcome=outcome)
    await store.add_looks(told, taken)
    return told


def _at(look: Look, began: float) -> Look:
    """The look, moved so that its release began then."""
    block = replace(look.evidence.block, start=look.evidence.block.start + began)
    block = replace(block, end=block.start + 30)
    return replace(look, evidence=replace(look.evidence, block=block))
