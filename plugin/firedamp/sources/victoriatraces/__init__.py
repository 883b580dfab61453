"""
VictoriaTraces as a source of traces, by its likeness of Jaeger's API v1: one search brings whole traces.

It is asked as a Jaeger is (`firedamp.sources.jaeger`), with what differs in `dialect`. Its other doors were
left closed: LogsQL would be a second language for the same traces, its likeness of Tempo answers no more than
this one, and API v3 is there in the newest versions alone.

What to know of it:
- a span is found by when it ended, so searches go on until `reach` after the time asked for; longer traces
  are not found by their roots;
- a trace's spans that are further than its -search.traceMaxDurationWindow (45 s, later 1 min) from the
  search are left out;
- what was received is shown after its -search.latencyOffset (30 s): `latency_offset`, and traces have to
  settle for longer;
- a search brings -search.maxTraces (1000) traces at most, and is refused where more are asked for;
- all values of attributes are text, which is all that is judged.

It was written after VictoriaTraces' source and answers recorded of it, and has met no running one.

Source: VictoriaTraces 0.11, app/vtselect/traces/jaeger (jaeger.go, model.go, jaeger.qtpl), query/query.go.
"""

from collections.abc import Callable

from firedamp.ports import TraceSource
from firedamp.sources.victoriatraces.settings import VictoriaTracesSettings

__all__ = ["VictoriaTracesSettings", "open_victoriatraces"]


def open_victoriatraces(settings: VictoriaTracesSettings, clock: Callable[[], float]) -> TraceSource:
    """Make the source that the settings describe; nothing is asked yet. The clock gives Unix seconds."""
    # The HTTP client is heavy, and a command line that only reads settings needs none.
    from firedamp.sources.victoriatraces.source import VictoriaTracesSource

    return VictoriaTracesSource(settings, clock)
