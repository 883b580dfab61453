"""What the tests of a distribution come to: a finding with its numbers and its one sentence."""

import math
from dataclasses import dataclass, replace

from firedamp import words
from firedamp.checks._base import say
from firedamp.checks._buckets import median
from firedamp.checks._pods import Pods
from firedamp.checks._run import Grant
from firedamp.checks.distribution import speech
from firedamp.checks.distribution.body import Alarm, Body
from firedamp.checks.distribution.sample import Sample
from firedamp.checks.distribution.tail import Tail
from firedamp.model import Finding, Outcome
from firedamp.stats.ranks import RankTest

#: A pod that has so much of the harm is the bad one.
_MOST = 2 / 3


@dataclass(frozen=True, slots=True)
class Account:
    """
    The tests, and what is needed to speak of them.

    Attributes:
        bare: the finding before anything is known, its unit that of the buckets.
        grant: the release's clock and comparison arm.
        each: what was timed.
    """

    body: Body
    tail: Tail
    bare: Finding
    grant: Grant
    each: str = "request"

    def harm(self) -> Finding | None:
        """Proven, and not that of single pods; nothing is said of a tail while there is no body."""
        if self.body.lasting:
            shown, pace = self._paced(self.body.whole)
            return say(shown, speech.slower(pace), Outcome.FAIL)
        if self.body.alarm is not None and self.body.alarm.proven:
            return self._lately_slower(self.body.alarm)
        if not self.body.whole.is_enough:
            return None
        if self.tail.lasting:
            return self._waiting()
        if self.tail.alarm is not None and self.tail.alarm.proven:
            return self._lately_waiting(self.tail.alarm.pods, self.tail.alarm.p_value)
        return None

    def single_pods(self) -> Finding | None:
        """Shown, but by the worst of the pods only."""
        if (sample := self.body.suspected) is not None:
            return self._slow_pods(sample)
        return self._waiting_pods(pods) if (pods := self.tail.suspected) is not None else None

    def unharmed(self, level: float, *, planning: bool) -> Finding:
        """
        No harm is proven: that there is none is, at this level in (0, 1), or is not.

        Without planning nobody reads by what factor the canary is slower, which takes longest to find.
        """
        if planning:
            found = self._ranked(self.body.whole)
            shown, faster_p = self._shown(self.body.whole, found), found.faster_p
            pace = self._pace(self.body.whole, found)
        else:
            shown, faster_p, pace = self.bare, self.body.whole.judged(self.body.yardstick).faster_p, None
        excluded = faster_p <= level
        outcome = Outcome.PASS if excluded else Outcome.INCONCLUSIVE
        return say(shown, speech.unharmed(1 + self.body.tolerance, pace, excluded=excluded), outcome)

    def _ranked(self, sample: Sample) -> RankTest:
        found = sample.ranked(self.body.yardstick)
        assert found is not None, "samples that are enough have requests in both arms"
        return found

    def _paced(self, sample: Sample) -> tuple[Finding, speech.Pace]:
        found = self._ranked(sample)
        return self._shown(sample, found), self._pace(sample, found)

    def _shown(self, sample: Sample, found: RankTest) -> Finding:
        return replace(
            self.bare,
            baseline=median(sample.baseline, self.body.bounds),
            canary=median(sample.canary, self.body.bounds),
            baseline_n=sample.worth,
            canary_n=sample.requests,
            effect=found.scale,
            interval=found.interval,
            p_value=found.p_value,
            one_look_p=found.plain_p,
        )

    def _pace(self, sample: Sample, found: RankTest) -> speech.Pace:
        return speech.Pace(
            against=self.grant.against,
            scale=found.scale,
            interval=found.interval,
            allowed=1 + self.body.tolerance,
            requests=sample.requests,
            pods=len(sample.pods.names),
            seconds=sample.blocks * self.grant.look_seconds,
            each=self.each,
        )

    def _lately_slower(self, alarm: Alarm) -> Finding:
        shown, pace = self._paced(alarm.sample)
        shown = replace(shown, p_value=alarm.p_value)
        return say(shown, speech.lately_slower(pace, alarm.p_value), Outcome.FAIL)

    def _slow_pods(self, sample: Sample) -> Finding:
        shown, pace = self._paced(sample)
        worst, lag = sample.worst(), sample.lag
        if lag[worst[0]] < _MOST * lag[lag > 0].sum():
            return say(shown, speech.few_slow_pods(len(worst), pace))
        pod = sample.only(worst[:1]).ranked(self.body.yardstick)
        scale = pod.scale if pod else float("inf")
        return say(shown, speech.one_slow_pod(sample.pods.names[worst[0]], scale, len(worst), pace))

    def _waiting(self) -> Finding:
        assert self.tail.test is not None
        test, waits = self.tail.test, self._waits(self.tail.pods)
        shown = replace(self._paced(self.body.whole)[0], p_value=test.p_value)
        return say(shown, speech.waiting(waits, test.events, test.boundary), Outcome.FAIL)

    def _lately_waiting(self, pods: Pods, p_value: float) -> Finding:
        shown = replace(self._paced(self.body.whole)[0], p_value=p_value)
        seconds = pods.blocks * self.grant.look_seconds
        return say(shown, speech.lately_waiting(self._waits(pods), seconds, p_value), Outcome.FAIL)

    def _waiting_pods(self, pods: Pods) -> Finding:
        shown, waits, worst = self._paced(self.body.whole)[0], self._waits(pods), pods.worst(fewer=False)
        more = {pod: slow - expected for pod, (slow, _, expected) in pods.rows.items()}
        if more[worst[0]] < _MOST * math.fsum(part for part in more.values() if part > 0):
            return say(shown, speech.few_waiting_pods(len(worst), waits))
        slow = pods.rows[worst[0]][0]
        return say(shown, speech.one_waiting_pod(worst[0], slow, len(worst), waits))

    def _waits(self, pods: Pods) -> speech.Waits:
        assert self.tail.edge is not None
        slow, requests = pods.canary
        return speech.Waits(
            against=self.grant.against,
            edge=words.quantity(self.body.bounds[self.tail.edge.index], self.bare.unit),
            usual=slow / requests - pods.excess(fewer=False),
            share=slow / requests,
            slow=slow,
            pods=len(pods.served.names),
            each=self.each,
        )
