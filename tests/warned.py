"""A running release whose second and third look have a warning, in any store."""

import time
from dataclasses import replace
from typing import Any

from firedamp.decision import parameters
from firedamp.model import Finding, Look, Outcome, Release, ReleaseKey, Tier
from firedamp.ports import Store
from judge.shop import WARNED
from store.examples import a_look, a_release

SAID = "retries: 20 % against 1 % in main"
FAILING = Finding("retries", "proportion", Tier.WARN, Outcome.FAIL, SAID)


async def warned(store: Store, namespace: str = "shop", **changed: Any) -> Release:
    """The release, opened a minute ago, with its looks."""
    now = time.time()
    key = ReleaseKey(namespace, "checkout", "7d9f8b6c5d", 1)
    told = {"started": now - 60, "last_asked": now, "parameters": parameters.to_json(WARNED)} | changed
    release = await store.open(a_release(key, **told))
    await store.add_looks(release, [a_look(0), with_warning(a_look(1)), with_warning(a_look(2))])
    return release


def with_warning(look: Look) -> Look:
    """The look with a failing warn check."""
    return replace(look, findings=(*look.findings, FAILING))
