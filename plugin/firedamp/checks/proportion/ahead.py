"""
The check before a release: the look's own forecasts, for counts that have not come yet.

Nothing is reckoned anew. Noise and null are those that the first look would have with this history, the
budget is the grant's, and power and the requests for a pass are those of the sentence at every look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from firedamp.checks._noise import Noise
from firedamp.checks._run import PASS_LEVEL, Grant, Moment
from firedamp.checks.proportion import Proportion
from firedamp.checks.proportion.comparison import LASTING_PART, swaps
from firedamp.model import Block
from firedamp.stats import power, sample_size
from firedamp.stats.null import Null

#: Requests beyond any service's: noise that more of them would not lessen.
_ENDLESS = 1e12


@dataclass(frozen=True, slots=True)
class Ahead:
    """
    A release to come, as this check will see it.

    Attributes:
        check: the check.
        grant: what it may spend, its history included.
        bad_rate: share of main's requests that are bad events, in [0, 1].
        per_second: requests of the whole service, > 0.
        share: of them that the canary gets, in (0, 1); the comparison arm gets the rest.
        mains: requests of each pod of the comparison arm, in any unit.
        canaries: pods of the canary, ≥ 1, with even traffic.
    """

    check: Proportion
    grant: Grant
    bad_rate: float
    per_second: float
    share: float
    mains: Mapping[str, float]
    canaries: int

    @property
    def swapped(self) -> bool:
        """The good outcome is the rarer one: a bad canary has fewer of it."""
        return swaps(self.bad_rate, 1.0)

    @property
    def rate(self) -> float:
        """The rarer outcome's, which is compared."""
        return 1 - self.bad_rate if self.swapped else self.bad_rate

    @property
    def noise(self) -> Noise:
        """What is known of it when the pods are there and nothing has failed yet."""
        mains = {pod: (0.0, requests) for pod, requests in self.mains.items()}
        canary = {f"canary {number}": (0.0, 1.0) for number in range(self.canaries)}
        return Noise(self.grant.known).add(mains, canary)

    @property
    def null(self) -> Null:
        """What a good release may look like."""
        noise = self.noise
        return noise.null(self.check.tolerance, noise.shape, swapped=self.swapped)

    def smallest(self, seconds: float) -> float:
        """
        Smallest change seen with 80 % by so many seconds after the canary's start, as a ratio.

        A rise; where the good outcome is the rarer one, how many times smaller it becomes. inf where nothing
        is; the window's end is where the grant has it.
        """
        blocks = math.floor(seconds / self.grant.look_seconds)
        warm = blocks - self.grant.warm_up_looks
        if warm <= 0 or self.rate <= 0:
            return math.inf
        null = self.null
        moment = Moment(Block(blocks - 1, 0.0, self.grant.look_seconds), blocks, warm=True)
        requests = self.per_second * warm * self.grant.look_seconds
        detectable = power.detectable_fall if self.swapped else power.detectable_ratio
        return detectable(
            self.rate,
            power.Trial(null, self.grant.budgets(moment, null, LASTING_PART), warm),
            baseline_n=requests * (1 - self.share),
            canary_n=requests * self.share,
        )

    def within(self, seconds: float) -> Ahead:
        """The same in a window that ends so many seconds after the canary's start."""
        return replace(self, grant=replace(self.grant, decide_by_seconds=seconds))

    def limit(self) -> float:
        """The smallest change that any number of requests shows, with these pods, by the window's end."""
        endless = _ENDLESS / self.grant.decide_by_seconds
        return replace(self, per_second=endless).smallest(self.grant.decide_by_seconds)

    def passing(self, chance: float = 0.8) -> float:
        """Seconds after which a healthy canary passes with this chance; inf where no time will do."""
        null, split = self.null, self.share / (1 - self.share)
        # The suspect of fewer good outcomes is the comparison arm, and its requests are those needed.
        needed = sample_size.requests_needed(
            self.rate,
            1 / split if self.swapped else split,
            margin_ratio=self.check.pass_ratio,
            margin_absolute=self.check.pass_excess,
            level=PASS_LEVEL,
            power=chance,
            dispersion=null.phi,
            pods=(null.baseline_cv, null.canary_cv),
        )
        requests = needed.ratio if self.swapped else min(needed.ratio, needed.absolute)
        suspect = 1 - self.share if self.swapped else self.share
        return self.grant.warm_up_seconds + requests / (self.per_second * suspect)
