"""Traces from a VictoriaTraces, once it shows them."""

from collections.abc import Callable

from firedamp.sources._closing import Closing
from firedamp.sources.jaeger.source import JaegerSource
from firedamp.sources.victoriatraces.dialect import VICTORIA
from firedamp.sources.victoriatraces.settings import VictoriaTracesSettings
from firedamp.tracing import Sought, Traces


class VictoriaTracesSource(Closing):
    """
    A `firedamp.ports.TraceSource` over one VictoriaTraces; also `async with`.

    Args:
        settings: where it is.
        clock: Unix seconds.
    """

    def __init__(self, settings: VictoriaTracesSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self._clock = clock
        self._jaeger = JaegerSource(settings.jaeger(), VICTORIA)

    async def close(self) -> None:
        """Close all connections."""
        await self._jaeger.close()

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Every trace sought whose root began in [begin, end), Unix seconds.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the search or the permission is wrong, or the answer too large.
        """
        offset = self.settings.latency_offset
        if self._clock() - end < offset:
            return Traces(
                (),
                f"source {self.settings.name}: VictoriaTraces shows traces after {offset:g} s; "
                "let them settle for longer, or set its -search.latencyOffset and latency_offset",
            )
        return await self._jaeger.traces(sought, begin, end, timeout_seconds)
