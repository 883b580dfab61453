"""Events out of totals, as counters tell them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from firedamp.checks._base import SelectorText
from firedamp.checks._noise import Noise
from firedamp.checks._run import Grant
from firedamp.checks.proportion.rates import Rates
from firedamp.checks.proportion.run import ProportionRun
from firedamp.model import Row
from firedamp.queries import Counted, Need, Selector, selector


class Proportion(Rates):
    """Events out of totals; both are selectors of counters."""

    kind: Literal["proportion"]
    #: Selector of the events counted, for example http_requests_total{code=~"5.."}.
    events: SelectorText
    #: Selector of everything that could have been an event.
    total: SelectorText
    #: Which is worse: more events (errors) or fewer (conversions, cache hits).
    harm: Literal["more", "fewer"] = "more"
    #: What an event is called in sentences.
    noun: Annotated[str, Field(min_length=1, max_length=40)] | None = None

    @property
    def misses(self) -> bool:
        """Fewer of them are worse."""
        return self.harm == "fewer"

    def needs(self) -> Mapping[str, Need]:
        """Two counters per cohort."""
        return {"events": Counted(selector(self.events)), "total": Counted(selector(self.total))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Rows of (bad events, requests) per pod; a pod with requests and no such event has none."""
        events, total = parts.get("events", {}), parts.get("total", {})
        return {pod: self._row(events.get(pod, (0.0,))[0], row[0]) for pod, row in total.items()}

    def _row(self, events: float, total: float) -> Row:
        bad = total - events if self.misses else events
        return (min(max(bad, 0.0), total), total)

    def traffic(self) -> Selector:
        """What events are a share of."""
        return selector(self.total)

    def counted(self, *, swapped: bool) -> str:
        """The noun, or what its absence is called."""
        if self.misses:
            return (self.noun or "event") if swapped else f"missed {self.noun or 'event'}"
        return "good request" if swapped else (self.noun or "error")

    def begin(self, grant: Grant) -> ProportionRun:
        """An empty run."""
        return ProportionRun(self, grant, Noise(grant.known))
