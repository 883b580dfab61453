"""
A Jaeger as a source of traces: API v3, or v1 where an old one knows no other.

Jaeger answers a search with whole traces and knows no pages, so time is cut into slices that no search fills.
`naming` decides what to search for, `dialects` writes searches and reads answers, `client` asks within
limits, `slicing` cuts time, `reading` joins what came, and `source` runs it all.
"""

from firedamp.ports import TraceSource
from firedamp.sources.jaeger.settings import JaegerSettings

__all__ = ["JaegerSettings", "open_jaeger"]


def open_jaeger(settings: JaegerSettings) -> TraceSource:
    """Make the source that the settings describe; nothing is asked yet."""
    # The HTTP client is heavy, and a command line that only reads settings needs none.
    from firedamp.sources.jaeger.source import JaegerSource

    return JaegerSource(settings)
