"""
Answers out of a recording, as a Prometheus and a backend of traces would give them.

Selectors match as in PromQL; beyond a plain selector no expression is evaluated.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import numpy as np

from firedamp.cohorts import Matchers
from firedamp.counting import LOOK_BACK_SECONDS, Samples, Series
from firedamp.errors import SourceRefusedError
from firedamp.ports import Span
from firedamp.queries import Counted, Increase, Level, Matcher, Need, Op, Selector, selector
from firedamp.sources._closing import Closing
from firedamp.sources.replay.lines import Recorded
from firedamp.sources.replay.recording import PROCESS_START, Recording, begun_at, read_recording
from firedamp.sources.replay.settings import ReplaySettings
from firedamp.tracing import Sought, Trace, Traces

#: PromQL takes a series' last sample for its present value for so long.
_STALE_SECONDS = LOOK_BACK_SECONDS
_START = attrgetter("start")


class ReplaySource(Closing):
    """A `firedamp.ports.Source` and a `firedamp.ports.TraceSource` over a recording."""

    def __init__(self, recording: Recording, *, pod_label: str = "pod", lag: float = 0.0) -> None:
        self._pod_label = pod_label
        self.lag_seconds = lag
        self._by_name: dict[str, list[Recorded]] = {}
        for one in recording.series:
            self._by_name.setdefault(one.name, []).append(one)
        self._traces = sorted(recording.traces, key=_START)

    @classmethod
    def of(cls, settings: ReplaySettings) -> "ReplaySource":
        """
        Read the recording that the settings name.

        Raises:
            SourceRefusedError: it cannot be read.
        """
        recording = read_recording(settings.path)
        if settings.begin is not None:
            recording = begun_at(recording, settings.begin)
        return cls(recording, pod_label=settings.pod_label, lag=settings.lag)

    async def close(self) -> None:
        """Nothing is held open."""

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        """
        Serve what one need of one cohort brought; no sample is later than `span.end`.

        Raises:
            SourceRefusedError: an expression that is no plain selector, or no regular expression.
        """
        match need:
            case Counted():
                inside = self._between(need.selector.where(*cohort), span.begin, span.end)
                births = self._between(Selector(PROCESS_START).where(*cohort), span.begin, span.end)
                return Samples(tuple(inside), starts=self._starts(births), beside=tuple(births))
            case Level():
                text = need.expression.promql(cohort, span.window_seconds)
                return Samples(tuple(self._at(_plain(text), span.ends)))
            case Increase():
                return Samples(tuple(self._increases(need, cohort, span)))

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Serve every trace recorded for the services sought whose root began in [begin, end).

        Raises:
            SourceRefusedError: no traces were recorded at all, which is not the same as no traffic.
        """
        if not self._traces:
            raise SourceRefusedError("the recording holds no traces; name another source under traces.source")
        first, last = (bisect_left(self._traces, at, key=_START) for at in (begin, end))
        return Traces([trace for trace in self._traces[first:last] if _is_told(trace, sought)])

    async def start_times(self, cohort: Matchers, span: Span) -> Mapping[str, float]:
        """Unix time at which each pod's oldest process began, where that was recorded."""
        return self._starts(self._between(Selector(PROCESS_START).where(*cohort), span.begin, span.end))

    def _matching(self, wanted: Selector) -> list[Recorded]:
        accepts = [(one.label, _accepting(one)) for one in wanted.matchers]
        return [
            one
            for one in self._by_name.get(wanted.metric, [])
            if all(accept(one.labels.get(label, "")) for label, accept in accepts)
        ]

    def _between(self, wanted: Selector, begin: float, end: float) -> list[Series]:
        found = []
        for one in self._matching(wanted):
            first, last = np.searchsorted(one.times, [begin, end], side="right")
            if last > first:
                found.append(Series(one.labels, one.times[first:last], one.values[first:last]))
        return found

    def _at(self, wanted: Selector, ends: Sequence[float]) -> Iterator[Series]:
        for one in self._matching(wanted):
            found = [(end, value) for end in ends if (value := _value_at(one, end)) is not None]
            if found:
                times, values = zip(*found, strict=True)
                yield Series(one.labels, np.array(times), np.array(values))

    def _increases(self, need: Increase, cohort: Matchers, span: Span) -> Iterator[Series]:
        pods: dict[str, dict[float, float]] = {}
        for one in self._matching(need.selector.where(*cohort)):
            known = pods.setdefault(one.labels.get(self._pod_label, "") if need.per_pod else "", {})
            for end, increase in _increases(one, span.ends, span.window_seconds):
                known[end] = known.get(end, 0.0) + increase
        for pod, known in pods.items():
            times = np.array(sorted(known))
            labels = {self._pod_label: pod} if need.per_pod else {}
            yield Series(labels, times, np.array([known[end] for end in times.tolist()]))

    def _starts(self, births: Iterable[Series]) -> dict[str, float]:
        found: dict[str, float] = {}
        for one in births:
            pod = one.labels.get(self._pod_label, "")
            found[pod] = min(found.get(pod, math.inf), float(one.values[-1]))
        return found


def _is_told(trace: Trace, sought: Sought) -> bool:
    """Traces are recorded as one service saw them; of another they tell nothing."""
    reported = {visit.resource.get("service.name", "") for visit in trace.visits}
    return not reported or not reported.isdisjoint(sought.services)


def _plain(text: str) -> Selector:
    try:
        return selector(text)
    except ValueError as error:
        raise SourceRefusedError(f"a recording can only be asked for a plain selector: {error}") from error


def _accepting(matcher: Matcher) -> Callable[[str], bool]:
    if matcher.op is Op.EQUAL:
        return lambda value: value == matcher.value
    if matcher.op is Op.NOT_EQUAL:
        return lambda value: value != matcher.value
    try:
        pattern = re.compile(matcher.value)
    except re.error as error:
        raise SourceRefusedError(f"{matcher.value!r} is no regular expression: {error}") from error
    wanted = matcher.op is Op.MATCH
    return lambda value: (pattern.fullmatch(value) is not None) is wanted


def _increases(one: Recorded, ends: Sequence[float], length: float) -> Iterator[tuple[float, float]]:
    """What a counter increased by in each block in which it was seen, by the block's end."""
    seen = np.isfinite(one.values)
    times, values = one.times[seen], one.values[seen]
    steps = np.diff(values)
    # Below its predecessor it began again at zero.
    grown = np.concatenate([[0.0], np.cumsum(np.where(steps < 0, values[1:], steps))])
    for end in ends:
        first, last = np.searchsorted(times, [end - length, end], side="right")
        if last > first:
            yield end, float(grown[last - 1] - grown[max(first - 1, 0)])


def _value_at(one: Recorded, time: float) -> float | None:
    at = int(np.searchsorted(one.times, time, side="right")) - 1
    if at < 0 or one.times[at] <= time - _STALE_SECONDS or math.isnan(one.values[at]):
        return None
    return float(one.values[at])
