"""
The application: every address, and what stands around all of them.

    observed     an id, a line in the log, a span, headers
    packing      long answers, packed
    refusing     exceptions into answers
    admitting    methods, other sites, tokens
    contract     reads, asks, answers
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from firedamp.access import Issuer, Keyring, Proxies, Sessions, may, permitted
from firedamp.config import Settings
from firedamp.contracts import api, argo, flagger, gates, otlp, promql
from firedamp.contracts._wire import TOKEN, Desk, desk
from firedamp.decision.parameters import Parameters
from firedamp.judge.tuned import Tuning
from firedamp.ports import Judging, Office, Store, Token
from firedamp.server.admitting import Door
from firedamp.server.clock import now
from firedamp.server.health import Checkup
from firedamp.server.login import Login
from firedamp.server.observing import headed, observed
from firedamp.server.packing import packing
from firedamp.server.probes import Lifecycle, Probes
from firedamp.server.refusing import refusing
from firedamp.server.visiting import Callers
from firedamp.ui import Live, LiveViews, Site
from firedamp.ui import routes as pages

LIFECYCLE = web.AppKey("lifecycle", Lifecycle)


def create_app(
    settings: Settings,
    store: Store,
    judge: Judging,
    intake: otlp.Intake | None = None,
    *,
    clock: Callable[[], float] = now,
) -> web.Application:
    """
    Everything that answers, around a judge and a store; `run` serves it, a demo with its own clock.

    Spans are taken where there is an intake for them.
    """
    parts = _parts(settings, store, judge, clock)
    app = web.Application(
        middlewares=[observed, packing, refusing, parts.door.middleware()],
        client_max_size=settings.limits.body_bytes,
    )
    app[LIFECYCLE] = parts.life
    app.add_routes(_addresses(parts))
    if intake is not None:
        _listening(app, otlp.Receiver(intake, clock=clock))
    app.on_response_prepare.append(headed)
    app.on_shutdown.append(parts.live.close)
    app.cleanup_ctx.append(lambda _: _living(parts))
    return app


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the addresses share: one of each."""

    settings: Settings
    store: Store
    clock: Callable[[], float]
    keyring: Keyring
    door: Door
    asked: Desk
    tuning: Tuning
    office: Office
    live: Live
    life: Lifecycle


def _parts(settings: Settings, store: Store, judge: Judging, clock: Callable[[], float]) -> _Parts:
    keyring = Keyring(store, settings.auth.token_files)
    door = Door(settings, Callers(settings, keyring, Sessions(store, keyring), _proxies(settings)))
    tuning = Tuning(store, partial(_written, settings))
    return _Parts(
        settings=settings,
        store=store,
        clock=clock,
        keyring=keyring,
        door=door,
        asked=desk(judge, settings.limits),
        tuning=tuning,
        office=Office(Issuer(store, keyring), Checkup(store, settings, tuning, clock).health),
        live=Live(store, door.still),
        life=Lifecycle(),
    )


def _addresses(parts: _Parts) -> list[web.RouteDef]:
    return [*_of_people(parts), *_of_controllers(parts), *_of_programs(parts)]


def _of_people(parts: _Parts) -> list[web.RouteDef]:
    """Probes, the login, the pages, and what keeps them new."""
    site = Site(parts.store, parts.settings, _holder, may, parts.door.sealed, parts.clock)
    return [
        *Probes(parts.store, parts.life).routes(),
        *Login(parts.door).routes(),
        *pages(site, office=parts.office, tuning=parts.tuning),
        *LiveViews(parts.live, parts.store, _holder).routes(),
    ]


def _of_controllers(parts: _Parts) -> list[web.RouteDef]:
    """Argo Rollouts, Flagger and its gates, and whoever speaks Prometheus' language."""
    asked, store, settings, clock = parts.asked, parts.store, parts.settings, parts.clock
    return [
        *argo.routes(asked, settings, clock=clock),
        *gates.routes(store, settings, parts.door.grants, permitted=permitted, clock=clock),
        *flagger.routes(asked, store, settings, parts.door.grants, clock=clock),
        *promql.routes(asked, settings, clock=clock),
    ]


def _of_programs(parts: _Parts) -> list[web.RouteDef]:
    """The API, which says what the pages say."""
    return api.routes(
        parts.asked,
        parts.store,
        parts.settings,
        permitted=permitted,
        office=parts.office,
        tuning=parts.tuning,
        clock=parts.clock,
    )


def _listening(app: web.Application, receiver: otlp.Receiver) -> None:
    """Take spans, and leave in good order."""
    app.add_routes(receiver.routes())
    app.on_cleanup.append(lambda _: asyncio.to_thread(receiver.close))


def _holder(request: web.Request) -> Token:
    return request[TOKEN]


def _written(settings: Settings, namespace: str, service: str) -> Parameters | None:
    """How a service is judged by the settings alone."""
    found = settings.service(namespace, service)
    return None if found is None else found.parameters()


def _proxies(settings: Settings) -> Proxies | None:
    found = settings.auth.proxy
    if found is None:
        return None
    roles = {str(role): groups for role, groups in found.roles.items()}
    return Proxies(found.addresses, found.user_header, found.groups_header, roles)


async def _living(parts: _Parts) -> AsyncIterator[None]:
    await parts.keyring.start()
    parts.life.started = True
    yield
    await parts.asked.close()
