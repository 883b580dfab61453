"""Releases of the past as the judge would have left them in a store, made up from a seed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from firedamp import __version__
from firedamp.decision import parameters as stored
from firedamp.decision import recorded, session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Controller, Evidence, Look, Release, ReleaseKey
from firedamp.ports import Store
from rehearsal import Shop, blocks

#: Pods are told apart by a label that says nothing else.
COHORTS = {"preset": "labels", "canary": 'version="$canary"', "main": 'version="$main"'}
ARMS = {"canary": "v2", "main": "v1"}


def parameters(*checks: dict[str, object], **more: object) -> Parameters:
    """How a service of the past was judged: ten minutes, or twenty."""
    window = {"promote_after": "10m", "decide_by": "20m"}
    every = checks or (errors(),)
    return Parameters.model_validate({"cohorts": COHORTS, "window": window, "checks": every, **more})


def errors(name: str = "errors", **more: object) -> dict[str, object]:
    """A check of errors, as the settings have it."""
    return {"name": name, "kind": "proportion", "events": "e", "total": "t", **more}


def looked(judged_by: Parameters, evidence: Iterable[Evidence], version: str = __version__) -> list[Look]:
    """The looks that a judge takes of this evidence."""
    state, looks = session.begin(judged_by, 0.0, Arm.MAIN), []
    for piece in evidence:
        state, findings = session.advance(state, piece)
        looks.append(Look(piece, findings, state.standing, version))
    return looks


def release(revision: str, judged_by: Parameters, **more: object) -> Release:
    """A release of checkout in shop, not yet in a store."""
    plain = Release(
        id=0,
        key=ReleaseKey("shop", "checkout", revision, 1),
        controller=Controller.ARGO,
        started=0.0,
        arms=ARMS,
        experiment=False,
        parameters=stored.to_json(judged_by),
        version=__version__,
        last_asked=0.0,
    )
    return replace(plain, **more)


async def kept(store: Store, one: Release, looks: Sequence[Look], judged_by: Parameters) -> Release:
    """The release in the store, with its looks and the verdict of the last one."""
    opened = await store.open(one)
    if not looks:
        return opened
    verdict, sentence = recorded.verdict(opened, judged_by, looks[-1])
    told = replace(opened, verdict=verdict, sentence=sentence)
    await store.add_looks(told, looks)
    return told


async def past(store: Store, revision: str, judged_by: Parameters, shop: Shop, count: int) -> Release:
    """A release of so many blocks of this shop."""
    looks = looked(judged_by, blocks(judged_by, shop, count))
    return await kept(store, release(revision, judged_by), looks, judged_by)
