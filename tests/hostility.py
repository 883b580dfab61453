"""A store in which every text is from somebody who wishes ill: nothing of it may become more than text."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from findings import ERRORS
from firedamp.decision.parameters import Parameters, to_json
from firedamp.model import (
    Arm,
    Judged,
    Label,
    Look,
    ReleaseKey,
    Ruled,
    Ruling,
    Slice,
    Standing,
    Tier,
    Trouble,
    TroubleKind,
)
from firedamp.ports import Event, Gate, Override, Store, Token
from seeds import HOSTILE
from store.examples import a_look, a_release

#: A formula for spreadsheets, and a line that would be a header of its own.
FORMULA = '=HYPERLINK("https://evil.example","x")'
SPLIT = "x\r\nSet-Cookie: admin=yes"
SERVICES: list[dict[str, Any]] = [
    {
        "name": "checkout",
        "namespace": "shop",
        "checks": [
            {
                "name": "errors",
                "kind": "proportion",
                "events": 'r{code="<script>alert(1)</script>"}',
                "total": "r",
            }
        ],
    }
]
_HELD = {Arm.MAIN: {HOSTILE: (3.0, 1000.0)}, Arm.CANARY: {HOSTILE: (9.0, 200.0), FORMULA: (1.0, 200.0)}}


def a_hostile_look(index: int) -> Look:
    """A look at which all that can be text is hostile; so is a check that only warns."""
    failing = replace(
        ERRORS,
        sentence=HOSTILE,
        unit=HOSTILE,
        traces=(HOSTILE, "javascript:alert(1)"),
    )
    findings = (
        failing,
        replace(failing, check=HOSTILE, tier=Tier.WARN),
        replace(failing, check=FORMULA, sentence=FORMULA, set_aside=HOSTILE),
    )
    troubles = (Trouble(TroubleKind.SOURCE_DOWN, HOSTILE, Arm.CANARY),)
    slices = {one.check: Slice(_HELD, troubles=troubles, examples=(HOSTILE,)) for one in findings}
    look = a_look(index)
    standing = Standing(failed_block=0, harm=HOSTILE)
    evidence = replace(look.evidence, slices=slices)
    return replace(look, evidence=evidence, findings=findings, standing=standing, version=HOSTILE)


async def hostile(store: Store, service: str = "checkout", check: str = "errors") -> Mapping[str, object]:
    """Fill the store, and name what the addresses of its pages are made of."""
    at = time.time()
    key = ReleaseKey("shop", service, HOSTILE, 1)
    release = await store.open(
        a_release(
            key,
            arms={"canary": HOSTILE, "main": HOSTILE},
            step_label=HOSTILE,
            version=HOSTILE,
            parameters=to_json(Parameters.model_validate({"checks": SERVICES[0]["checks"]})),
        )
    )
    await store.add_looks(replace(release, sentence=HOSTILE), [a_hostile_look(0), a_hostile_look(1)])
    await store.update(replace(release, sentence=HOSTILE, outcome=HOSTILE, ended=at))
    await store.rule(Ruling(release.id, HOSTILE, Ruled.REAL, HOSTILE, at, HOSTILE, 0, HOSTILE))
    await store.label(Label(release.id, Judged.TRUE_POSITIVE, HOSTILE, at, HOSTILE))
    await store.tune(Override("shop", service, 1, HOSTILE, at, HOSTILE, "{}"))
    await store.set_gate(Gate("shop", service, "hold", HOSTILE, True, at + 600, HOSTILE, at, HOSTILE))
    told = {HOSTILE: HOSTILE}
    await store.record(Event(at, HOSTILE, "shop", service, HOSTILE, HOSTILE, HOSTILE, told))
    await store.add_token(Token(HOSTILE, "0" * 64, "viewer", (HOSTILE,), created=at))
    return {"id": release.id, "namespace": "shop", "service": service, "check": check}
