"""
A Prometheus as a source, over plain aiohttp.

`client` sends queries within a deadline, `wire` reads answers, `sums` adds wide services up at the
server, and `source` decides which of them a need takes.
"""

from firedamp.sources._http import PrometheusSettings
from firedamp.sources.prometheus.source import PrometheusSource

__all__ = ["PrometheusSettings", "PrometheusSource"]
