"""
What was sent to us, as a source of traces: its answers are there before they are asked for.

Spans are taken in pieces and traces made in pieces, so that neither a large request nor a cold look keeps
the event loop from its other work.
"""

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from firedamp import telemetry
from firedamp.errors import SourceDownError
from firedamp.tracing import Sought, Traces
from firedamp.tracing.intake import Interest, Keeping, Memory, Row
from firedamp.units import Seconds

#: Taken or made within a millisecond or two.
_ROWS_AT_ONCE = 500
_TRACES_AT_ONCE = 100
_GLANCES_AT_ONCE = 2000
_USUAL = Keeping()


class IntakeSettings(BaseModel):
    """Spans that collectors send to firedamp itself, by OTLP over HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["otlp"] = "otlp"
    name: str = Field(min_length=1, max_length=63)
    #: Traces remembered at most; each takes about 250 bytes.
    traces: int = Field(default=200_000, ge=1000, le=10_000_000)
    #: How long a trace is remembered: longer than the longest look back, after the process has started.
    keep: Seconds = 1800.0

    @property
    def keeping(self) -> Keeping:
        return Keeping(traces=self.traces, seconds=self.keep)


class Intake:
    """
    Takes spans, and answers with traces.

    Args:
        interest: whose traces will be asked for.
        keeping: how much is remembered.
        clock: Unix seconds; what was sent before it was first read is not known.
    """

    def __init__(self, interest: Interest, keeping: Keeping = _USUAL, *, clock: Callable[[], float]) -> None:
        self.interest = interest
        self.keeping = keeping
        self._clock = clock
        self._memory = Memory(keeping, clock())
        self._taken = self._nameless = 0

    async def take(self, rows: Sequence[Row], elsewhen: int = 0, nameless: int = 0) -> None:
        """
        Remember spans; whoever is told that this is done may forget them.

        Args:
            rows: worth remembering.
            elsewhen: how many roots were refused because their clocks are wrong.
            nameless: how many spans were refused because their ids are none.
        """
        now = self._clock()
        self._taken += len(rows)
        self._nameless += nameless
        self._memory.expire(now)
        if elsewhen:
            self._memory.elsewhen.add(now, elsewhen)
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            self._memory.add(rows[begin : begin + _ROWS_AT_ONCE], now)
            await asyncio.sleep(0)

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Every trace sought whose root began in [begin, end), Unix seconds.

        Those whose root has not come are told by their first span, where they visit or call the service.

        Raises:
            SourceDownError: there were too many for the time.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._traces(sought, begin, end)
        except TimeoutError as error:
            raise SourceDownError(
                f"the intake made no traces of {len(self._memory)} within {timeout_seconds:g} s; "
                "ask for a shorter time"
            ) from error

    def unsettled(self) -> int:
        """Traces that no window asked for has covered yet: they are lost if the process ends now."""
        return self._memory.unsettled()

    def figures(self) -> telemetry.Intake:
        memory = self._memory
        return telemetry.Intake(
            len(memory),
            memory.spans,
            self._taken,
            self._nameless,
            memory.elsewhen.total,
            memory.forgotten.total,
            memory.cut.total,
        )

    async def close(self) -> None:
        """Nothing is held open."""

    async def _traces(self, sought: Sought, begin: float, end: float) -> Traces:
        memory, now = self._memory, self._clock()
        since = self.interest.learn(sought.services, now)
        memory.expire(now)
        found = []
        made = 0
        for seen, trace_id in enumerate(memory.ids(begin)):
            trace = memory.trace(trace_id, sought, begin, end)
            if trace is not None:
                found.append(trace)
            made += trace is not None
            if made >= _TRACES_AT_ONCE or seen % _GLANCES_AT_ONCE == 0:
                made = 0
                await asyncio.sleep(0)
        memory.asked(end)
        found.sort(key=attrgetter("start", "trace_id"))
        doubts = (_unheard(sought, since - begin), memory.doubt(begin, end, self._clock()))
        return Traces(found, "; ".join(filter(None, doubts)))


def _unheard(sought: Sought, seconds: float) -> str:
    """What is said of a window of which so many seconds had passed before the service was known."""
    if seconds <= 0:
        return ""
    return (
        f"spans of {sought.services[0]} are kept since somebody asked about it, {seconds:.0f} s after the "
        "window began; add it to services in the settings"
    )
