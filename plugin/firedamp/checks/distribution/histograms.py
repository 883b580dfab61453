"""How long requests take, as a classic histogram tells it."""

from collections.abc import Mapping
from typing import Literal

from firedamp.checks._base import SelectorText
from firedamp.checks._run import Grant
from firedamp.checks.distribution.durations import Durations
from firedamp.checks.distribution.run import DistributionRun, begun
from firedamp.model import Row
from firedamp.queries import Counted, Matcher, Need, Op, Selector, selector


class Distribution(Durations):
    """A classic histogram, by its base name (without `_bucket`)."""

    kind: Literal["distribution"]
    #: Histogram's base name, with matchers where needed: http_request_duration_seconds{route!="/healthz"}.
    histogram: SelectorText

    def needs(self) -> Mapping[str, Need]:
        """The buckets of each cohort."""
        return {"buckets": Counted(self._buckets(), keep_le=True)}

    def _buckets(self) -> Selector:
        base = selector(self.histogram)
        return Selector(f"{base.metric}_bucket", base.matchers)

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Requests per bucket and pod."""
        return parts.get("buckets", {})

    def traffic(self) -> Selector:
        """The last bucket, which counts every request."""
        return self._buckets().where(Matcher("le", Op.EQUAL, "+Inf"))

    def begin(self, grant: Grant) -> DistributionRun:
        """An empty run."""
        return begun(self, grant)
