"""
Requests that carry no version label: how many there are beside those of the cohorts.

An exporter that is scraped without relabelling, a gateway that lost a header: such requests are in no arm,
and were they the failing ones, a comparison of the arms would never tell. One small query for each counter
of requests and look has the source add them up, over some blocks, for a single one may hold no two scrapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from firedamp import cohorts
from firedamp.checks import Check
from firedamp.cohorts import ArmMatchers, Matchers
from firedamp.counting import Count, Samples, levels
from firedamp.decision.parameters import Parameters
from firedamp.model import Block, Release
from firedamp.ports import Span
from firedamp.queries import Increase, named

#: Increases are taken over so many blocks, and over no less time.
_BLOCKS, _LEAST_SECONDS = 4, 120.0


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """One thing to fetch: requests of a counter without the labels by which cohorts are told apart."""

    need: Increase
    cohort: Matchers
    look_seconds: float

    def span(self, span: Span) -> Span:
        """The time that it is asked for."""
        return replace(span, window_seconds=self._seconds)

    def count(self, samples: Samples, blocks: Sequence[Block]) -> Count:
        """Requests of each block, as rows of no pod."""
        found = levels(samples, blocks, pod_label="")
        part = self.look_seconds / self._seconds
        rows = tuple({pod: (part * max(0.0, row[0]),) for pod, row in some.items()} for some in found.rows)
        return replace(found, rows=rows, troubles=tuple(() for _ in blocks))

    @property
    def _seconds(self) -> float:
        return max(_LEAST_SECONDS, _BLOCKS * self.look_seconds)


def wanted(
    check: Check, parameters: Parameters, release: Release, selected: ArmMatchers
) -> Unlabelled | None:
    """What to ask for a check whose cohorts are selected so; None where no request can be without a label."""
    counter = check.traffic()
    if counter is None or not check.compares or check.by_pod():
        return None
    key = release.key
    counter = named(counter, key.names)
    cohort = cohorts.unlabelled(parameters.cohorts, key.service, selected, counter)
    if cohort is None:
        return None
    return Unlabelled(Increase(counter, per_pod=False), cohort, parameters.window.look)
