"""
Samples from a Prometheus: raw series where they are few, sums per pod where they are many.

Beside each counter the pods' process start times are fetched, once per cohort and look: they tell a pod
that has just begun from one that this Prometheus has just found, and show when each pod was scraped.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from firedamp.cohorts import Matchers
from firedamp.counting import Samples, one_replica
from firedamp.errors import SourceError
from firedamp.ports import Span
from firedamp.queries import Counted, Increase, Level, Need, Selector
from firedamp.sources._client import AnswerTooLargeError
from firedamp.sources._closing import Closing
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.prometheus import ask, wire
from firedamp.sources.prometheus.client import Client
from firedamp.sources.prometheus.deadline import Deadline, grids, milliseconds
from firedamp.sources.prometheus.sums import pod_of
from firedamp.sources.prometheus.wide import Wide, summed

PROCESS_START = "process_start_time_seconds"
#: The number of series is asked again after so long.
_WIDTH_SECONDS = 300.0
#: A selector once summed stays so until it was not asked for so long: raw series cannot go on after sums.
_FORGET_SECONDS = 3600.0
#: Looks whose process start times are kept, for the other needs of the same look.
_KEPT_LOOKS = 32


@dataclass(slots=True)
class _Width:
    """How many series a selector has, and so how it is asked; times are of the event loop."""

    series: int
    asked_at: float
    used_at: float
    wide: bool


class PrometheusSource(Closing):
    """A `firedamp.ports.Source` over one Prometheus; also `async with`."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self.settings = settings
        self._client = Client(settings)
        self._widths: dict[str, _Width] = {}
        self._births: OrderedDict[tuple[Matchers, float, float], asyncio.Task[wire.Answer]] = OrderedDict()

    @property
    def lag_seconds(self) -> float:
        """Samples are taken for complete so long after their time."""
        return self.settings.lag

    async def close(self) -> None:
        """Give up what is under way and close all connections."""
        for task in self._births.values():
            task.cancel()
        await asyncio.gather(*self._births.values(), return_exceptions=True)
        self._births.clear()
        await self._client.close()

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        """
        Fetch what one need of one cohort brought; no sample is later than `span.end`.

        Sums of a wide service reach back before `span.begin`; see `sums`.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the query or the permission is wrong, or the answer too large.
        """
        deadline = Deadline(span.timeout_seconds)
        match need:
            case Level(expression):
                text = expression.promql(cohort, span.window_seconds)
                return await self._at_ends(text, span, deadline)
            case Increase():
                return await self._at_ends(self._increase(need, cohort, span), span, deadline)
            case Counted(selector, keep_le):
                births = self._born(cohort, span)
                counted = await self._counted(selector.where(*cohort), span, deadline, keep_le=keep_le)
                return self._with_births(counted, await asyncio.shield(births))

    async def start_times(self, cohort: Matchers, span: Span) -> Mapping[str, float]:
        """Unix time at which each pod's oldest process began, where that is exported; never raises."""
        return self._with_births(Samples(), await asyncio.shield(self._born(cohort, span))).starts

    def _increase(self, need: Increase, cohort: Matchers, span: Span) -> str:
        pods = self.settings.pod_labels if need.per_pod else ()
        kept = ", ".join((*pods, *self.settings.replica_labels))
        series = need.selector.where(*cohort).promql()
        return f"sum by ({kept}) (increase({series}[{round(1000 * span.window_seconds)}ms]))"

    async def _at_ends(self, text: str, span: Span, deadline: Deadline) -> Samples:
        found = [
            await ask.at_steps(self._client, text, grid, deadline)
            for grid in grids([milliseconds(end) for end in span.ends])
        ]
        replicas = self.settings.replica_labels
        return Samples(
            tuple(one for answer in found for one in one_replica(answer.series, replicas)),
            tuple(dict.fromkeys(warning for answer in found for warning in answer.warnings)),
            bytes_read=sum(answer.bytes_read for answer in found),
        )

    async def _counted(self, selector: Selector, span: Span, deadline: Deadline, *, keep_le: bool) -> Samples:
        width = await self._width(selector, span, deadline)
        if not width.wide:
            try:
                return await self._raw(selector, span, deadline, width)
            except AnswerTooLargeError:
                width.wide = True
        wide = Wide(selector, width.series, keep_le)
        return await summed(self._client, self.settings, wide, span, deadline)

    async def _raw(self, selector: Selector, span: Span, deadline: Deadline, width: _Width) -> Samples:
        answer = await ask.raw(self._client, selector.promql(), span.begin, span.end, deadline)
        width.series, width.asked_at = len(answer.series), asyncio.get_running_loop().time()
        width.wide = width.series > self.settings.max_series  # from the next look on
        series = one_replica(answer.series, self.settings.replica_labels)
        return Samples(series, answer.warnings, bytes_read=answer.bytes_read)

    async def _width(self, selector: Selector, span: Span, deadline: Deadline) -> _Width:
        now, key = asyncio.get_running_loop().time(), selector.promql()
        for old in [one for one, width in self._widths.items() if now - width.used_at > _FORGET_SECONDS]:
            del self._widths[old]
        known = self._widths.get(key)
        if known is None or (not known.wide and now - known.asked_at > _WIDTH_SECONDS):
            answer = await ask.instant(self._client, f"count({key})", span.end, deadline)
            series = int(answer.series[0].values[-1]) if answer.series else 0
            known = self._widths[key] = _Width(series, now, now, series > self.settings.max_series)
        known.used_at = now
        return known

    def _born(self, cohort: Matchers, span: Span) -> asyncio.Task[wire.Answer]:
        key = (cohort, span.begin, span.end)
        if key not in self._births:
            self._births[key] = asyncio.create_task(self._births_of(cohort, span))
        self._births.move_to_end(key)
        while len(self._births) > _KEPT_LOOKS and next(iter(self._births.values())).done():
            self._births.popitem(last=False)
        return self._births[key]

    async def _births_of(self, cohort: Matchers, span: Span) -> wire.Answer:
        selector, deadline = Selector(PROCESS_START).where(*cohort), Deadline(span.timeout_seconds)
        try:
            return await ask.raw(self._client, selector.promql(), span.begin, span.end, deadline)
        except SourceError:
            return wire.Answer(())  # counting is more careful without, and no less right

    def _with_births(self, samples: Samples, births: wire.Answer) -> Samples:
        starts: dict[str, float] = {}
        for one in births.series:
            pod = pod_of(one.labels, self.settings.pod_labels)
            if pod is not None:
                starts[pod[1]] = min(starts.get(pod[1], float("inf")), float(one.values[-1]))
        return replace(
            samples,
            starts=starts,
            beside=one_replica(births.series, self.settings.replica_labels),
            bytes_read=samples.bytes_read + births.bytes_read,
        )
