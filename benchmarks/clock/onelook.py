"""One block of a test, here and in scipy: the same question, the same counts."""

import math

import numpy as np
from scipy import stats

from clock.timing import Call
from firedamp.stats import dispersion, fisher, late, ranks, sequential, spending
from firedamp.stats.null import Null, Shape, shares, weights
from firedamp.stats.sequential import Allowance, SequentialFisher

BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf])
NULL = Null(0.25, 1.25, 0.05, 0.1, Shape.MAX)
SHARE = 0.2


def sequential_cases(errors: int) -> dict[str, Call]:
    """Five errors after so many: a block of the sequential test, and one look by scipy at the same null."""
    before = _after(errors)
    name, total, canary = f"K = {errors}", errors + 5, round(SHARE * errors) + 1

    def block() -> SequentialFisher:
        return _block(before, 4, 1)

    def by_scipy() -> float:
        clumped = 1 / ((NULL.phi - 1) / (total - 1)) - 1
        share = shares(NULL, SHARE)
        tails = stats.betabinom.sf(canary - 1, total, share * clumped, (1 - share) * clumped)
        return float((tails @ weights(NULL.shape)).max())

    return {f"sequential block, {name}": block, f"scipy betabinom.sf, same null, {name}": by_scipy}


def _after(errors: int) -> SequentialFisher:
    state = sequential.start(NULL)
    for block in np.diff(np.linspace(0, errors, 60).round()).tolist():
        state = _block(state, block - round(SHARE * block), round(SHARE * block))
    return state


def _block(state: SequentialFisher, baseline: float, canary: float) -> SequentialFisher:
    return sequential.advance(
        state,
        baseline_events=baseline,
        canary_events=canary,
        canary_share=SHARE,
        allowances=(Allowance(5e-4, 1e-4), Allowance(5e-3, 1e-3)),
    )


def fisher_cases(events: int, n: int) -> dict[str, Call]:
    """Fisher's test of one table, a fifth of the requests being the canary's."""
    c, n_c = events // 5, n // 5
    table = [[c, n_c - c], [events - c, n - n_c - events + c]]
    name = f"{events} of {n}"
    return {
        f"fisher, {name}": lambda: fisher.fisher_exact(events - c, n - n_c, c, n_c),
        f"scipy fisher_exact, {name}": lambda: stats.fisher_exact(table, alternative="greater"),
    }


def other_cases() -> dict[str, Call]:
    """Ranks, bets on late harm, and a plan of looks."""
    rng = np.random.default_rng(1)
    values = [rng.lognormal(math.log(median), 0.6, n) for median, n in ((0.08, 8000), (0.09, 2000))]
    edges = np.concatenate(([0.0], BOUNDS))
    histograms = [np.histogram(arm, edges)[0] for arm in values]
    pods = rng.multinomial(400, histograms[0] / histograms[0].sum(), size=20)
    watch = late.start(Null(0.0, 1.25, 0.05, 0.1))
    return {
        "late bets, one block": lambda: late.advance(
            watch, baseline_events=4, canary_events=1, canary_share=SHARE, weight=0.001
        ),
        "compare_histograms, 12 buckets": lambda: ranks.compare_histograms(
            *histograms, BOUNDS, tolerance=0.2
        ),
        "theta_dispersion, 20 pods": lambda: dispersion.theta_dispersion(pods, BOUNDS),
        "mann_whitney, 8000 and 2000 values": lambda: ranks.mann_whitney(*values),
        "scipy mannwhitneyu, same values": lambda: stats.mannwhitneyu(
            values[1], values[0], alternative="greater"
        ),
        "nominal_levels, 60 looks, not cached": _plan,
    }


def _plan() -> object:
    spending._levels.cache_clear()
    return spending.nominal_levels(spending.Budget(0.0025), np.arange(1, 61) / 60)
