"""A check of a distribution over one release: block by block, and what it says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from firedamp.checks._base import arm_rows, blank, early, say, set_aside, unheard_of, unjudged
from firedamp.checks._buckets import ByPod, by_pod
from firedamp.checks._flow import latest, shown
from firedamp.checks._held import NOTHING, Held
from firedamp.checks._noise import Noise
from firedamp.checks._pods import Witness
from firedamp.checks._run import PASS_LEVEL, Grant, Moment
from firedamp.checks.distribution import speech
from firedamp.checks.distribution.body import Body
from firedamp.checks.distribution.durations import Durations
from firedamp.checks.distribution.findings import Account
from firedamp.checks.distribution.sample import MIN_REQUESTS
from firedamp.checks.distribution.tail import Tail
from firedamp.model import Arm, Finding, Slice, Trouble, TroubleKind
from firedamp.stats.noise import Learnt


@dataclass(frozen=True, slots=True, eq=False)
class DistributionRun:
    """
    A distribution check over one release.

    Attributes:
        body: the rank tests.
        tail: the tests above the tail's edge.
        seen: requests of both arms since the start.
        held: blocks in which an arm was silent.
        last: the slice taken last.
        examples: the slowest traces of the canary, the newest first.
        untold: why there is nothing of either arm, where that is nobody's fault.
    """

    check: Durations
    grant: Grant
    body: Body
    tail: Tail
    seen: tuple[float, float] = (0.0, 0.0)
    held: Held = NOTHING
    last: Slice = field(default_factory=Slice)
    examples: tuple[str, ...] = ()
    untold: str = ""

    @property
    def learnt(self) -> Learnt:
        """What this release's own blocks tell of the noise of its tail."""
        return self.tail.noise.run

    @property
    def witness(self) -> Tail:
        """Requests in the tail."""
        return self.tail

    def heard(self, witnesses: Sequence[Witness]) -> "DistributionRun":
        """The run with the longer tail that remains without the pods that the witnesses suspect too."""
        tail = self.tail.heard(witnesses)
        return self if tail is self.tail else replace(self, tail=tail)

    def take(self, piece: Slice, moment: Moment) -> "DistributionRun":
        """Add one block; while an arm is silent the counts are held, changed bounds compare nothing."""
        baseline, canary = self._pods(piece)
        seen = self.seen[0] + baseline.total, self.seen[1] + canary.total
        held = self.held.add(piece, moment)
        if held.blocks > 1:
            baseline, canary = self._pods(held.piece)
        bounds = self.body.bounds
        usable = baseline.total and canary.total and moment.warm
        examples = latest(self.examples, piece.examples)
        untold = unheard_of(piece) or self.untold
        run = replace(self, last=self._checked(piece), seen=seen, held=held, examples=examples, untold=untold)
        if not usable or (bounds and bounds != piece.bounds):
            return run
        return run._compare(baseline, canary, moment)

    def _pods(self, piece: Slice) -> tuple[ByPod, ByPod]:
        against, canary = arm_rows(piece, self.grant.against), arm_rows(piece, Arm.CANARY)
        return by_pod(against, piece.bounds), by_pod(canary, piece.bounds)

    def _checked(self, piece: Slice) -> Slice:
        if not (self.body.bounds and piece.bounds) or self.body.bounds == piece.bounds:
            return piece
        changed = Trouble(TroubleKind.REFUSED, "the histogram's buckets changed during the release")
        return replace(piece, troubles=(*piece.troubles, changed))

    def _compare(self, baseline: ByPod, canary: ByPod, moment: Moment) -> "DistributionRun":
        bounds = self.last.bounds
        body = self.body.add(baseline, canary, bounds, self.grant, moment)
        # The edge is chosen after the tail is counted: requests that chose it must not be judged by it.
        tail = self.tail.add(baseline, canary, self.grant, moment)
        tail = tail.placed(body.peers.own, bounds, self.check.tolerance)
        return replace(self, body=body, tail=tail, held=NOTHING)

    def finding(self, moment: Moment) -> Finding:
        """What is found, with the traces that show it."""
        return shown(self._found(moment), self.examples, self.check)

    def _found(self, moment: Moment) -> Finding:
        """Harm in the body or the tail first, then trouble with the data, then one bad pod, then the pass."""
        suspect = self.body.suspected is not None or self.tail.suspected is not None
        if not (moment.read or suspect):
            return blank(self.check, self.grant.against)
        bare = blank(
            self.check,
            self.grant.against,
            unit=self.check.unit,
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        account = Account(self.body, self.tail, bare, self.grant, self.check.each)
        if (harm := account.harm()) is not None:
            return harm
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if self.untold and not any(self.seen):
            return unjudged(bare, self.untold)
        if not self.body.whole.is_enough:
            return early(bare, self.seen, warm=moment.warm) or self._too_few(bare)
        level = moment.pass_level or PASS_LEVEL
        return account.single_pods() or account.unharmed(level, planning=moment.planning)

    def _too_few(self, bare: Finding) -> Finding:
        whole = self.body.whole
        needs = max(1, math.ceil(MIN_REQUESTS - min(whole.requests, whole.worth)))
        return say(bare, speech.too_few(needs), needs=needs)


def begun(check: Durations, grant: Grant) -> DistributionRun:
    """Nothing taken yet."""
    return DistributionRun(check, grant, Body(check.tolerance), Tail(Noise(grant.known)))
