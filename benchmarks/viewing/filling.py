"""
A store with ten thousand releases, without judging each of them.

Some courses are judged and written as a replica writes them, by the store's own encoding; every other release
is the same course in another service, its looks copied within the database, byte for byte. So every release
is a whole one, and what is read of it costs what it would cost anywhere.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import insert, literal, select

from firedamp.config import Settings
from firedamp.decision.parameters import Parameters
from firedamp.model import Judged, Label, Release
from firedamp.ports import Event, Gate
from firedamp.store import open_store, rows, schema
from firedamp.store.database import Database
from firedamp.store.sql import SqlStore
from viewing.courses import LOOK_SECONDS, checks, course

NAMESPACE = "shop"
#: Each course is a release of so many services.
SERVICES = 100
#: So many services are configured by hand; the others go by the defaults.
_BY_HAND = 20
#: So many of the newest releases still run.
_RUNNING = 20
#: A course begins so long after the one before.
_APART_SECONDS = 2700.0
_LABELLED, _EVENTS, _GATES = 30, 3, 200
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is put into a store."""

    releases: int = 10_000
    looks: int = 60

    @property
    def courses(self) -> int:
        return -(-self.releases // SERVICES)


def settings(url: str) -> dict[str, object]:
    """Of the service that the releases belong to; nobody answers at its source, and nothing asks it."""
    named = [{"name": service(at), "namespace": NAMESPACE, "checks": checks()} for at in range(_BY_HAND)]
    return {
        "store": {"url": url, "retention": None},
        "sources": [{"name": "prometheus", "kind": "prometheus", "url": "http://127.0.0.1:9"}],
        "links": {"prometheus": "http://prometheus.example/graph?g0.expr={query}"},
        "defaults": {"checks": checks()},
        "services": named,
    }


def service(at: int) -> str:
    """Its name."""
    return f"service-{at:02d}"


async def fill(url: str, plan: Plan, now: float) -> None:
    """
    Fill an empty store.

    Args:
        url: of a database that may be migrated.
        plan: how much.
        now: Unix time at which the newest releases had their last look.
    """
    parameters = Settings.model_validate(settings(url)).service(NAMESPACE, service(0))
    if parameters is None:
        raise ValueError("no service is configured")
    async with await open_store(url) as store:
        database = Database(url)
        try:
            for at in range(plan.courses):
                began = now - LOOK_SECONDS * plan.looks - _APART_SECONDS * (plan.courses - 1 - at)
                await _course(store, database, plan, parameters.parameters(), at, began)
                _told(at + 1, plan.courses)
            await _words(store, database, now)
        finally:
            await database.dispose()


async def _course(
    store: SqlStore, database: Database, plan: Plan, parameters: Parameters, at: int, began: float
) -> None:
    """One course, in every service that there is room for."""
    made = course(at + 1, parameters, plan.looks, began)
    many = min(SERVICES, plan.releases - at * SERVICES)
    runs = _RUNNING if at == plan.courses - 1 else 0
    first = await store.open(_of(made.release, 0, running=runs > 0))
    await store.add_looks(first, made.looks)
    for number in range(1, many):
        copied = await store.open(_of(made.release, number, running=number < runs))
        await _copy(database, first.id, copied.id)


def _of(release: Release, number: int, *, running: bool) -> Release:
    moved = replace(release, key=replace(release.key, namespace=NAMESPACE, service=service(number)))
    return replace(moved, ended=None, outcome=None) if running else moved


async def _copy(database: Database, template: int, release_id: int) -> None:
    table = schema.looks.c
    looks = select(literal(release_id), table.block, table.body).where(table.release_id == template)
    async with database.writing() as connection:
        await connection.execute(insert(schema.looks).from_select(["release_id", "block", "body"], looks))


async def _words(store: SqlStore, database: Database, now: float) -> None:
    """Labels, gates, and a long trail."""
    async with database.reading() as connection:
        known = (await connection.execute(select(schema.releases.c.id, schema.releases.c.service))).all()
    for release_id, _ in known[::_LABELLED]:
        await store.label(Label(release_id, tuple(Judged)[release_id % 4], "anna", now, "as the page says"))
    for at in range(_GATES):
        named = (NAMESPACE, service(at % SERVICES), "hold", f"r{at:04d}")
        await store.set_gate(Gate(*named, at % 2 == 0, now + 86400.0 * 365, "alex", now, "looks odd"))
    told = (
        rows.event_values(
            Event(now, "hook", NAMESPACE, name, "r0001", "flagger", f"hook {at} of {release_id}")
        )
        for release_id, name in known
        for at in range(_EVENTS)
    )
    for some in _pieces(told):
        async with database.writing() as connection:
            await connection.execute(insert(schema.events), some)


def _pieces(values: Iterator[dict[str, object]]) -> Iterator[Sequence[dict[str, object]]]:
    while some := list(islice(values, _AT_ONCE)):
        yield some


def _told(done: int, of: int) -> None:
    if done % 10 == 0 or done == of:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} filled {done} of {of} hundreds of releases\n")
