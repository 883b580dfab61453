"""
The process: open everything, serve, and on SIGTERM leave in good order.

First the readiness goes, so that no new caller is sent here; what still comes is answered for a moment; then
the socket closes, what was begun is finished, and the exit code is 0. A second signal ends the waiting.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable

import structlog

from firedamp import __version__
from firedamp.access import first_token, loopback_only
from firedamp.config import Settings
from firedamp.ports import Store
from firedamp.server import logs
from firedamp.server.application import LIFECYCLE, create_app
from firedamp.server.clock import now
from firedamp.server.protocol import serving
from firedamp.wiring import closing, living

#: How long a Kubernetes endpoint may still send callers here after the readiness is gone.
_LEAVING_SECONDS = 2.0
_log = structlog.get_logger("firedamp.server")


def run(settings: Settings, *, anybody_anywhere: bool = False) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: the settings cannot be served: no tokens on an open address, a token's file is broken.
        StoreError: the store cannot be opened.
        OSError: the address cannot be listened on.
    """
    loopback_only(settings.listen.host, required=settings.auth.required, anybody_anywhere=anybody_anywhere)
    logs.configure(settings.log)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(until_stopped(settings))


async def until_stopped(settings: Settings) -> None:
    """Open, serve, wait for a signal, leave. Raises as `run`."""
    stop = _Stop()
    async with living(settings, in_cluster=True) as alive, closing(alive):
        if settings.auth.required and not settings.auth.token_files:
            await _told_once(alive.store)
        app = create_app(settings, alive.store, alive.judge, alive.intake)
        # What is there now stays: to walk through it would take each full collection a tenth of a second.
        gc.collect()
        gc.freeze()
        listen = settings.listen
        async with serving(app, settings.limits, host=listen.host, port=listen.port) as address:
            _log.info("listening", url=address.url, version=__version__)
            await stop.asked()
            app[LIFECYCLE].draining = True
            _log.info("leaving")
            await stop.again(_LEAVING_SECONDS)
    _log.info("left")


async def _told_once(store: Store) -> None:
    """Print the first token to a person, past the log: logs are kept, and a secret must not be."""
    secret = await first_token(store, now())
    if secret is not None:
        sys.stderr.write(
            "\nfiredamp made a first token and keeps only its hash; this is the one time it is shown:\n\n"
            f"    {secret}\n\n"
            "Callers send it as Authorization: Bearer; people log in with it. `firedamp token add NAME`\n"
            "makes others, with --path for the secret path segment of Flagger's hooks.\n\n"
        )
        sys.stderr.flush()


class _Stop:
    """SIGTERM and SIGINT; the second one ends the waiting."""

    def __init__(self) -> None:
        self._first = asyncio.Event()
        self._second = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._came, number)

    def _came(self, number: signal.Signals) -> None:
        if self._first.is_set() or number is signal.SIGINT:
            self._second.set()
        self._first.set()

    async def asked(self) -> None:
        await self._first.wait()

    async def again(self, seconds: float) -> None:
        """Wait so long, or until asked again; a person's Ctrl-C does not wait."""
        try:
            async with asyncio.timeout(seconds):
                await self._second.wait()
        except TimeoutError:
            return


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop's loop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
