"""
Where samples come from. Each backend is one module: its settings and a source that answers to
`firedamp.ports.Source`. A new one adds its settings to `SourceSettings` and a line to `open_source`.
"""

from typing import Annotated

from pydantic import Field

from firedamp.ports import Source
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.replay import ReplaySettings, ReplaySource

__all__ = ["PrometheusSettings", "ReplaySettings", "SourceSettings", "open_source"]

SourceSettings = Annotated[PrometheusSettings | ReplaySettings, Field(discriminator="kind")]


def open_source(settings: PrometheusSettings | ReplaySettings) -> Source:
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
