"""Many past releases judged at once: one judgement is one block of one release."""

import numpy as np

from firedamp.stats.batch import Counted, Judged, judge
from firedamp.stats.null import Null, Shape
from firedamp.stats.spending import Budget

BLOCKS, SHARE = 60, 0.2


def backtest(judgements: int, errors: float, shape: Shape, seed: int = 1) -> tuple[float, "Backtest"]:
    """So many judgements of healthy releases with about so many errors each, and how many they are."""
    releases = max(1, round(judgements / BLOCKS))
    rng = np.random.default_rng(seed)
    totals = rng.poisson(errors / BLOCKS, (releases, BLOCKS))
    canary = rng.binomial(totals, SHARE)
    counted = Counted((totals - canary).astype(float), canary.astype(float), np.full(totals.shape, SHARE))
    return releases * BLOCKS, Backtest(counted, Null(0.25, 1.25, 0.05, 0.1, shape))


class Backtest:
    """Releases with a null and a plan, ready to be judged."""

    def __init__(self, counted: Counted, null: Null) -> None:
        budgets = [Budget(0.001 * multiple) for multiple in null.multiples]
        fractions = np.arange(1, BLOCKS + 1) / BLOCKS
        self._counted, self._nulls = counted, [null] * len(counted.canary_share)
        self._spent = np.array([[budget.spent_by(fraction) for budget in budgets] for fraction in fractions])

    def __call__(self) -> Judged:
        return judge(self._nulls, self._counted, self._spent)
