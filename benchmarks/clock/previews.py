"""
A preview: so many past releases of a service judged again under other parameters, out of a database.

Releases are healthy ones of `looks`, every one with errors of its own, with what their looks found; they are
read from SQLite as the product does, and nothing else runs.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from clock.looks import Course, course
from firedamp import __version__
from firedamp.decision import known, recorded, session
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change
from firedamp.judge.previews import Previews
from firedamp.model import Controller, Look, Release, ReleaseKey
from firedamp.ports import Store
from firedamp.store import open_store

#: A release of sixty looks of half a minute.
MINUTES, ERRORS = 30, 50
#: What people change most, what concerns every check, and what moves every look.
CHANGES: Mapping[str, Mapping[str, object]] = {
    "a tolerance": {"checks": {"errors-0": {"tolerance": 0.5}}},
    "alpha": {"alpha": 0.01},
    "the warm-up": {"window": {"warm_up": 240.0}},
}
_ARMS = {"canary": "canary", "main": "main"}


@dataclass(frozen=True, slots=True)
class Made:
    """A preview: how many releases it compared, in how many seconds of processor time, first and all."""

    change: str
    releases: int
    first: float
    seconds: float


async def made(releases: int, checks: int) -> list[Made]:
    """A preview of each change."""
    with tempfile.TemporaryDirectory() as folder:
        async with await open_store(f"sqlite:///{Path(folder)}/past.db") as store:
            parameters = [await _kept(store, number, checks) for number in range(releases)][-1]
            return [await _timed(store, parameters, name, said) for name, said in CHANGES.items()]


async def _timed(store: Store, parameters: Parameters, name: str, said: Mapping[str, object]) -> Made:
    previews, change = Previews(store, seconds=3600.0), Change.model_validate(said)
    began, moments, compared = time.process_time(), [], 0
    async for preview in previews.each("shop", "checkout", parameters, change):
        moments.append(time.process_time() - began)
        compared = len(preview.compared)
    return Made(name, compared, moments[1], moments[-1])


async def _kept(store: Store, number: int, checks: int) -> Parameters:
    taken = course(checks, MINUTES, ERRORS, seed=number)
    parameters = taken.begun.parameters
    looks = list(_looks(taken))
    opened = await store.open(_release(number, parameters))
    verdict, sentence = recorded.verdict(opened, parameters, looks[-1])
    noise = known.to_json({trust.check.name: trust.grant.known for trust in taken.begun.trusts})
    await store.add_looks(replace(opened, verdict=verdict, sentence=sentence, noise=noise), looks)
    return parameters


def _looks(taken: Course) -> Iterator[Look]:
    state = taken.begun
    for piece in taken.blocks:
        state, findings = session.advance(state, piece)
        yield Look(piece, findings, state.standing, __version__)


def _release(number: int, parameters: Parameters) -> Release:
    return Release(
        id=0,
        key=ReleaseKey("shop", "checkout", f"r{number}", 1),
        controller=Controller.ARGO,
        started=0.0,
        arms=_ARMS,
        experiment=False,
        parameters=stored.to_json(parameters),
        version=__version__,
        last_asked=0.0,
    )


def previewed(releases: int, checks: int) -> list[Made]:
    """The same, for who is not in an event loop."""
    return asyncio.run(made(releases, checks))
