"""
A Tempo as a source of traces, by TraceQL searches over HTTP: 2.8 and later, and 3.x.

Tempo answers a search with the spans that match, and evaluates it piece by piece of a trace: whatever relates
two spans may miss those that were stored apart. So each search asks for spans of one kind (`traceql`), and
what belongs together is joined here (`weaving`), by the ids of traces and parents. `reading` reads answers,
and `source` runs it all.

What it can and cannot see:
- where a flow begins, and every entry into the service under release;
- calls that nobody answered, where the caller's span tells whom it called (`peers`); the time a caller waited
  likewise;
- failures below the service, by the one search that relates spans: those that were stored in one piece with
  the service's own. A trace that was stored in several pieces may look well below, in either cohort alike;
- neither links nor trace states, which TraceQL does not give: so no weights of sampled traces.

It was written after Tempo's source and answers recorded of it, and has met no running one.

Source: Tempo 2.8 and 3.0, pkg/traceql and pkg/tempopb; docs/sources/tempo/api_docs.
"""

from firedamp.ports import TraceSource
from firedamp.sources.tempo.settings import TempoSettings

__all__ = ["TempoSettings", "open_tempo"]


def open_tempo(settings: TempoSettings) -> TraceSource:
    """Make the source that the settings describe; nothing is asked yet."""
    # The HTTP client is heavy, and a command line that only reads settings needs none.
    from firedamp.sources.tempo.source import TempoSource

    return TempoSource(settings)
