"""
The application: every address, and what stands around all of them.

    observed     an id, a line in the log, a span, headers
    refusing     exceptions into answers
    admitting    methods, other sites, tokens
    contract     reads, asks, answers
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from firedamp.access import Issuer, Keyring, Proxies, Sessions, may, permitted
from firedamp.config import Settings
from firedamp.contracts import api, argo, flagger, gates, otlp, promql
from firedamp.contracts._wire import TOKEN, Desk, desk
from firedamp.ports import Judging, Office, Store
from firedamp.server.admitting import Door
from firedamp.server.clock import now
from firedamp.server.health import Checkup
from firedamp.server.login import Login
from firedamp.server.observing import headed, observed
from firedamp.server.probes import Lifecycle, Probes
from firedamp.server.refusing import refusing
from firedamp.server.visiting import Callers
from firedamp.ui import Live, LiveViews
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
    keyring = Keyring(store, settings.auth.token_files)
    door = Door(settings, Callers(settings, keyring, Sessions(store, keyring), _proxies(settings)))
    asked = desk(judge, settings.limits)
    life, live = Lifecycle(), Live(store)
    office = Office(Issuer(store, keyring), Checkup(store, settings, clock).health)
    app = web.Application(
        middlewares=[observed, refusing, door.middleware()], client_max_size=settings.limits.body_bytes
    )
    app[LIFECYCLE] = life
    app.add_routes(
        [
            *Probes(store, life).routes(),
            *Login(door).routes(),
            *pages(
                store,
                settings,
                lambda request: request[TOKEN],
                may=may,
                sealed=door.sealed,
                office=office,
                clock=clock,
            ),
            *LiveViews(live, store, lambda request: request[TOKEN]).routes(),
            *argo.routes(asked, settings, clock=clock),
            *gates.routes(store, settings, door.grants, permitted=permitted, clock=clock),
            *flagger.routes(asked, store, settings, door.grants, clock=clock),
            *promql.routes(asked, settings, clock=clock),
            *api.routes(asked, store, settings, permitted=permitted, office=office, clock=clock),
        ]
    )
    if intake is not None:
        receiver = otlp.Receiver(intake, clock=clock)
        app.add_routes(receiver.routes())
        app.on_cleanup.append(lambda _: asyncio.to_thread(receiver.close))
    app.on_response_prepare.append(headed)
    app.on_shutdown.append(live.close)
    app.cleanup_ctx.append(lambda _: _living(keyring, asked, life))
    return app


def _proxies(settings: Settings) -> Proxies | None:
    found = settings.auth.proxy
    if found is None:
        return None
    roles = {str(role): groups for role, groups in found.roles.items()}
    return Proxies(found.addresses, found.user_header, found.groups_header, roles)


async def _living(keyring: Keyring, asked: Desk, life: Lifecycle) -> AsyncIterator[None]:
    await keyring.start()
    life.started = True
    yield
    await asked.close()
