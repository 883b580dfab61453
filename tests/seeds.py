"""A store to look at: a dozen releases in every state that a page has to show, names that hurt among them."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from findings import ERRORS
from firedamp.model import (
    Arm,
    Block,
    Controller,
    Evidence,
    Finding,
    Judged,
    Label,
    Look,
    Outcome,
    Release,
    ReleaseKey,
    Slice,
    Standing,
    Tier,
    Trouble,
    TroubleKind,
)
from firedamp.ports import Event, Store

HOSTILE = "<script>alert(1)</script>\"'&"
LONGEST = "a-service-with-the-longest-name-that-a-label-may-have-" * 5
LONGEST = LONGEST[:253]
RIGHT_TO_LEFT = "تحديث-الدفع"
_BLOCK_SECONDS = 30.0
_ERRORS = replace(
    ERRORS,
    outcome=Outcome.PASS,
    sentence="errors: 0.32 % against 0.30 % in main; a rise beyond 1.25× is excluded",
    baseline=0.0030,
    canary=0.0032,
    baseline_n=48_210.0,
    canary_n=12_034.0,
    effect=1.07,
    interval=(0.71, 1.21),
    p_value=0.41,
)
_LATENCY = replace(
    _ERRORS,
    check="latency",
    kind="distribution",
    unit="seconds",
    sentence="latency: the slowest tenth takes 182 ms against 179 ms in main",
    baseline=0.179,
    canary=0.182,
    effect=1.02,
    interval=(0.97, 1.08),
    tolerance=1.2,
)
_MEMORY = replace(
    _ERRORS,
    check="memory",
    kind="relative",
    tier=Tier.WARN,
    unit="bytes",
    sentence="memory: 412 MiB against 405 MiB in main",
    baseline=405.0 * 2**20,
    canary=412.0 * 2**20,
    effect=1.02,
    interval=(0.99, 1.05),
)
_FAILING = replace(
    _ERRORS,
    outcome=Outcome.FAIL,
    sentence="errors: 5.1 % against 0.30 % in main, 17 times as many; the canary had 212 of the 246",
    canary=0.051,
    effect=17.0,
    interval=(13.1, 22.4),
    p_value=0.00002,
)
_WAITING = replace(
    _ERRORS,
    outcome=Outcome.INCONCLUSIVE,
    sentence="errors: 0.4 % against 0.30 % in main; about 3,400 more requests (≈ 4 min) will tell",
    interval=(0.4, 2.2),
    needs=3400,
)
_WARNING = replace(
    _MEMORY,
    outcome=Outcome.FAIL,
    sentence="memory: 640 MiB against 405 MiB in main, 1.58 times as much",
    canary=640.0 * 2**20,
    effect=1.58,
    interval=(1.49, 1.68),
    p_value=0.0004,
)


async def a_dozen(store: Store, *, now: float | None = None) -> list[Release]:
    """Put them into a store, oldest first."""
    at = time.time() if now is None else now
    made = []
    for number, (key, verdict, more) in enumerate(_DOZEN):
        began = at - 60.0 * (15 + 40 * (len(_DOZEN) - 1 - number))
        made.append(await _judged(store, key, verdict, began, **more))
    await store.label(Label(made[0].id, Judged.TRUE_POSITIVE, "anna", at, "a bad query plan"))
    await store.record(
        Event(at - 60, "gate", "shop", "checkout", "7d9f8b6c5d", HOSTILE, f"opened gate rollback: {HOSTILE}")
    )
    return made


async def _judged(
    store: Store,
    key: ReleaseKey,
    verdict: Outcome,
    began: float,
    *,
    looks: int = 12,
    down: bool = False,
    **more,
) -> Release:
    ended = more.pop("ended", None)
    usual = {"controller": Controller.ARGO, "started": began, "last_asked": began + 60, "weight": 0.2}
    release = await store.open(
        Release(
            id=0,
            key=key,
            arms={"canary": key.revision, "main": "5b8c7f6d4e"},
            experiment=False,
            parameters="{}",
            version="0.1.0",
            **{**usual, **more},
        )
    )
    findings = _FINDINGS[verdict]
    taken = [_look(index, began, findings, verdict, index == looks - 1, down) for index in range(looks)]
    worst = findings[0].sentence if looks else ""
    changed = replace(release, verdict=verdict if looks else Outcome.INCONCLUSIVE, sentence=worst)
    if ended is not None:
        changed = replace(changed, ended=began + _BLOCK_SECONDS * looks + 20, outcome=ended)
    else:
        changed = replace(changed, last_asked=time.time())
    await store.add_looks(changed, taken)
    return changed


def _look(
    index: int, began: float, findings: tuple[Finding, ...], verdict: Outcome, newest: bool, down: bool
) -> Look:
    start = began + _BLOCK_SECONDS * index
    rows: Mapping[Arm, Mapping[str, tuple[float, ...]]] = {
        Arm.MAIN: {f"main-{pod}": (3.0 + pod, 1000.0 + 10 * pod) for pod in range(3)},
        Arm.CANARY: {f"canary-{pod}": (1.0 + 9 * (pod == 1), 300.0) for pod in range(2)},
    }
    text = "source prometheus: no answer within 2 s from http://prometheus:9090"
    troubles = (Trouble(TroubleKind.SOURCE_DOWN, text, None),) if down else ()
    standing = Standing(
        failed_block=index if newest and verdict is Outcome.FAIL else None,
        passed_block=index if newest and verdict is Outcome.PASS else None,
    )
    early = tuple(replace(one, outcome=Outcome.INCONCLUSIVE) for one in findings)
    block = Block(index, start, start + _BLOCK_SECONDS)
    evidence = Evidence(block, {"errors": Slice(rows, troubles=troubles)}, weight=0.2)
    return Look(evidence, findings if newest else early, standing, "0.1.0")


_FINDINGS = {
    Outcome.FAIL: (_FAILING, _WARNING, _LATENCY),
    Outcome.INCONCLUSIVE: (_WAITING, _LATENCY, _WARNING),
    Outcome.PASS: (_ERRORS, _LATENCY, _MEMORY),
}


def _key(service: str, revision: str, attempt: int = 1, namespace: str = "shop") -> ReleaseKey:
    return ReleaseKey(namespace, service, revision, attempt)


_BY_FLAGGER = {"controller": Controller.FLAGGER}
_DOZEN: list[tuple[ReleaseKey, Outcome, dict[str, Any]]] = [
    (
        _key("checkout", "5b8c7f6d4e"),
        Outcome.FAIL,
        {"ended": "rolled back", "controller": Controller.FLAGGER},
    ),
    (_key("cart", "v1.8.2"), Outcome.PASS, {"ended": "promoted"}),
    (_key("ledger", "2026-11-20.1", namespace="pay"), Outcome.PASS, {"ended": "promoted", "weight": 1.0}),
    (_key("search", "a1b2c3", 2), Outcome.INCONCLUSIVE, {"ended": "aborted", "controller": Controller.CI}),
    (_key("cart", "v1.8.3"), Outcome.PASS, {"ended": "promoted"}),
    (_key(LONGEST, "r" * 253), Outcome.INCONCLUSIVE, {}),
    (_key("دفع", RIGHT_TO_LEFT), Outcome.PASS, {"ended": "promoted"}),
    (_key("checkout", HOSTILE), Outcome.PASS, {"ended": HOSTILE, "step_label": HOSTILE}),
    (_key("ledger", "2026-11-21.4", namespace="pay"), Outcome.INCONCLUSIVE, {"down": True}),
    (_key("search", "f00dbead"), Outcome.INCONCLUSIVE, {"looks": 0, "weight": None}),
    (_key("cart", "v1.9.0"), Outcome.INCONCLUSIVE, {"weight": 0.05}),
    (_key("checkout", "7d9f8b6c5d"), Outcome.FAIL, {}),
]
