"""A shop whose counters grow by rule, as a `Source`: deterministic, any length, any rhythm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from firedamp.cohorts import Matchers
from firedamp.counting import Samples, Series
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError, SourceError
from firedamp.judge import Profile
from firedamp.model import Ask, Controller, Mode, Question
from firedamp.ports import Span
from firedamp.queries import Counted, Increase, Need

STEP = 10.0
#: A check of the shop's errors, a release that is judged by it for ten minutes, and a question about that.
ERRORS = {
    "name": "errors",
    "kind": "proportion",
    "events": 'http_requests_total{code=~"5.."}',
    "total": "http_requests_total",
}
PARAMETERS = Parameters.model_validate({"checks": [ERRORS], "window": {"promote_after": "10m"}})
#: The shop with two checks that warn, one that only records, and a window of ten to forty minutes.
WARNED = Parameters.model_validate(
    {
        "checks": [
            ERRORS,
            *(
                {**ERRORS, "name": name, "events": f'{name}_total{{code="1"}}', "tier": tier}
                for name, tier in [("retries", "warn"), ("refusals", "warn"), ("misses", "debug")]
            ),
        ],
        "window": {"promote_after": "10m", "decide_by": "40m"},
    }
)
#: Events per second and pod of what fails and of what does not.
SICK = {"stable": 0.6, "canary": 12.0}
WELL = {"stable": 0.6, "canary": 0.6}
ASK = Ask(
    "shop",
    "checkout",
    Question.GUARD,
    Controller.ARGO,
    revision="canary",
    arms={"canary": "canary", "main": "stable"},
)


@dataclass
class ShopSource:
    """
    Pods of two versions, scraped every 10 s since `since`, the canary's since `canary_since`.

    Requests and errors per second and pod; `trouble` is raised instead of an answer while set. History has
    bursts: every third half hour, pod after pod has `burst` errors more. Beside the pods, `unlabelled`
    requests per second carry no hash.
    """

    since: float = -3600.0
    canary_since: float = 0.0
    requests: Mapping[str, float] = field(default_factory=lambda: {"stable": 10.0, "canary": 10.0})
    errors: Mapping[str, float] = field(default_factory=lambda: {"stable": 0.1, "canary": 0.1})
    pods: int = 2
    trouble: SourceError | None = None
    burst: float = 0.0
    unlabelled: float = 0.0
    fetched: list[Span] = field(default_factory=list)
    recalled: list[Span] = field(default_factory=list)
    added_up: list[Span] = field(default_factory=list)

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        summed = isinstance(need, Increase) and not need.per_pod
        (self.added_up if summed else self.recalled if isinstance(need, Increase) else self.fetched).append(
            span
        )
        if self.trouble is not None:
            raise self.trouble
        assert isinstance(need, Counted | Increase)
        if summed:
            return Samples((self._stray(span),) if self.unlabelled else ())
        arm = next(matcher.value for matcher in cohort if matcher.label == "rollouts_pod_template_hash")
        failing = any(matcher.label == "code" for matcher in need.selector.matchers)
        rates = self.errors if failing else self.requests
        if arm not in rates:
            return Samples()
        rate = rates[arm]
        begun = self.canary_since if arm == "canary" else self.since
        tell = self._pod if isinstance(need, Counted) else self._past
        burst = self.burst if failing and isinstance(need, Increase) else 0.0
        return Samples(tuple(tell(arm, number, begun, rate, span, burst) for number in range(self.pods)))

    def _stray(self, span: Span) -> Series:
        return Series({}, np.array(span.ends), np.full(len(span.ends), self.unlabelled * span.window_seconds))

    def _past(self, arm: str, number: int, begun: float, rate: float, span: Span, burst: float) -> Series:
        ends = np.array([end for end in span.ends if end > begun])
        grown = np.floor(rate * np.minimum(span.window_seconds, ends - begun))
        hours = ends // span.window_seconds
        struck = (hours % 3 == 0) & (hours // 3 % self.pods == number)
        return Series({"pod": f"{arm}-{number}"}, ends, grown + burst * struck)

    def _pod(self, arm: str, number: int, begun: float, rate: float, span: Span, _: float) -> Series:
        first = max(begun, np.ceil(span.begin / STEP) * STEP)
        times = np.arange(first, span.end + 1e-9, STEP)
        values = np.floor((times - begun) * rate + number / 7)
        return Series({"pod": f"{arm}-{number}", "instance": f"{arm}-{number}:80"}, times, values)

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class WarningSource(ShopSource):
    """A busy shop whose critical check is well; of other events each metric has rates of its own."""

    requests: Mapping[str, float] = field(default_factory=lambda: {"stable": 60.0, "canary": 60.0})
    others: dict[str, Mapping[str, float]] = field(default_factory=dict)

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        metric = need.selector.metric.removesuffix("_total")
        told = ShopSource(requests=self.requests, errors=self.others.get(metric, WELL))
        return await told.samples(need, cohort, span)


DOWN = SourceDownError("prometheus at http://prometheus:9090 refused the connection")


@dataclass
class ShopBook:
    """One service, `shop/checkout`."""

    parameters: Parameters
    mode: Mode = Mode.JUDGE
    frozen: str = ""

    def profile(self, namespace: str, service: str) -> Profile | None:
        known = (namespace, service) == ("shop", "checkout")
        return Profile(self.parameters, "main", self.mode) if known else None

    def freeze(self, namespace: str, service: str, now: float) -> str:
        return self.frozen

    def remedy(self, namespace: str, service: str) -> str:
        return f"services: [{{name: {service}, namespace: {namespace}}}]"
