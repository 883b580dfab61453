"""
Where samples and traces come from. Each backend is one module: its settings and a source that answers to
`firedamp.ports.Source` or `TraceSource`. A new one adds its settings to `MetricSettings` or `TraceSettings`,
and a line to `open_source` or `open_tracer`.
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from firedamp.ports import Source, TraceSource
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.intake import Intake, IntakeSettings
from firedamp.sources.jaeger import JaegerSettings, open_jaeger
from firedamp.sources.replay import ReplaySettings, ReplaySource
from firedamp.sources.tempo import TempoSettings, open_tempo
from firedamp.sources.victoriatraces import VictoriaTracesSettings, open_victoriatraces
from firedamp.tracing.intake import Interest

__all__ = [
    "Intake",
    "IntakeSettings",
    "JaegerSettings",
    "MetricSettings",
    "PrometheusSettings",
    "ReplaySettings",
    "SourceSettings",
    "TempoSettings",
    "TraceSettings",
    "VictoriaTracesSettings",
    "open_source",
    "open_tracer",
]

MetricSettings = PrometheusSettings | ReplaySettings
TraceSettings = JaegerSettings | TempoSettings | VictoriaTracesSettings | IntakeSettings | ReplaySettings
SourceSettings = Annotated[MetricSettings | TraceSettings, Field(discriminator="kind")]


def open_source(settings: MetricSettings) -> Source:
    """
    Make the source that the settings describe; nothing is asked yet.

    Raises:
        SourceRefusedError: a recording cannot be read.
    """
    if isinstance(settings, ReplaySettings):
        return ReplaySource.of(settings)
    # The HTTP client is heavy, and a command line that only reads settings needs none.
    from firedamp.sources.prometheus import PrometheusSource

    return PrometheusSource(settings)


def open_tracer(settings: TraceSettings, interest: Interest, clock: Callable[[], float]) -> TraceSource:
    """
    Make the source of traces that the settings describe; nothing is asked yet.

    Args:
        settings: the source's own.
        interest: whose traces will be asked for, for a source that has to choose what it keeps.
        clock: Unix seconds.

    Raises:
        SourceRefusedError: a recording cannot be read.
    """
    if isinstance(settings, ReplaySettings):
        return ReplaySource.of(settings)
    if isinstance(settings, IntakeSettings):
        return Intake(interest, settings.keeping, clock=clock)
    if isinstance(settings, TempoSettings):
        return open_tempo(settings)
    if isinstance(settings, VictoriaTracesSettings):
        return open_victoriatraces(settings, clock)
    return open_jaeger(settings)
