"""
How long the statistics take: one block of the sequential test, one histogram, one table.

    python benchmarks/statistics_speed.py [--json] [--repeats 15]

Each figure is the median of the repeats, in microseconds, with their quartiles; scipy's
one-look tests run in the same process for comparison.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy import stats

from firedamp.stats import dispersion, fisher, power, ranks, sequential, spending

BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf])
BUDGET = spending.Budget(0.0025)
FRACTIONS = np.arange(1, 61) / 60


def window(errors: int) -> sequential.SequentialFisher:
    """Sixty blocks with this many errors in all, a fifth of them the canary's."""
    rng = np.random.default_rng(errors)
    total = rng.multinomial(errors, np.full(60, 1 / 60))
    canary = rng.binomial(total, 0.2)
    levels = spending.nominal_levels(BUDGET, FRACTIONS)
    state = sequential.start(sequential.Null(0.25, 1.75, 0.14))
    for block, fraction in enumerate(FRACTIONS):
        state = sequential.advance(
            state,
            baseline_events=total[block] - canary[block],
            canary_events=canary[block],
            canary_share=0.2,
            budget=BUDGET.spent_by(fraction),
            level=levels[block],
        )
    return state


def tables(events: int, n: int) -> dict[str, Callable[[], object]]:
    """Fisher's test of one table, here and in scipy."""
    b, c = events * 4 // 5, events // 5
    name = f"{events} of {n}"
    table = [[c, n // 5 - c], [b, n * 4 // 5 - b]]
    return {
        f"fisher, {name}": lambda: fisher.fisher_exact(b, n * 4 // 5, c, n // 5),
        f"scipy fisher_exact, {name}": lambda: stats.fisher_exact(table, alternative="greater"),
    }


def cases() -> dict[str, tuple[Callable[[], object], int]]:
    """Name -> (call, units of work in one call)."""
    rng = np.random.default_rng(1)
    values = [rng.lognormal(np.log(median), 0.6, n) for median, n in ((0.08, 8000), (0.09, 2000))]
    edges = np.concatenate(([0.0], BOUNDS))
    histograms = [np.histogram(arm, edges)[0] for arm in values]
    pods = rng.multinomial(400, histograms[0] / histograms[0].sum(), size=20)
    found = {
        f"sequential, one block, K = {errors}": (lambda errors=errors: window(errors), 60)
        for errors in (10, 50, 100, 200, 400, 2000)
    }
    single = {
        "compare_histograms, 12 buckets": lambda: ranks.compare_histograms(
            *histograms, BOUNDS, tolerance=0.2
        ),
        "theta_dispersion, 20 pods of 12 buckets": lambda: dispersion.theta_dispersion(pods, BOUNDS),
        "mann_whitney, 8000 and 2000 values": lambda: ranks.mann_whitney(*values),
        "scipy mannwhitneyu, same": lambda: stats.mannwhitneyu(values[1], values[0], alternative="greater"),
        "detection_power": lambda: power.detection_power(
            0.01, baseline_n=8000, canary_n=2000, ratio=5, alpha=0.0025
        ),
        **tables(10, 1_000),
        **tables(100, 10_000),
        **tables(1_000, 100_000),
    }
    return found | {name: (call, 1) for name, call in single.items()}


def levels(looks: int) -> float:
    """Seconds to plan this many looks, uncached: each call has a plan of its own."""
    plan = np.arange(1, looks + 1) / 60 * (1 + 1e-9 * time.perf_counter())
    began = time.perf_counter()
    spending.nominal_levels(BUDGET, plan)
    return time.perf_counter() - began


def microseconds(call: Callable[[], object], units: int, repeats: int) -> dict[str, float]:
    """Median and quartiles of a call's time per unit of work."""
    call()
    times = []
    for _ in range(repeats):
        inner = max(1, 200 // units)
        began = time.perf_counter()
        for _ in range(inner):
            call()
        times.append((time.perf_counter() - began) / inner / units * 1e6)
    low, middle, high = statistics.quantiles(times, n=4)
    return {"median_us": round(middle, 2), "low_us": round(low, 2), "high_us": round(high, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--repeats", type=int, default=15)
    chosen = parser.parse_args()
    figures = {name: microseconds(*case, chosen.repeats) for name, case in cases().items()}
    for looks in (60, 3000):
        times = sorted(levels(looks) * 1e6 for _ in range(5))
        figures[f"nominal_levels, {looks} looks"] = {
            "median_us": round(times[2], 1),
            "low_us": round(times[1], 1),
            "high_us": round(times[3], 1),
        }
    if chosen.json:
        print(json.dumps({"repeats": chosen.repeats, "figures": figures}))
        return
    for name, figure in figures.items():
        print(
            f"{name:42} {figure['median_us']:10.1f} µs   ({figure['low_us']:.1f} to {figure['high_us']:.1f})"
        )


if __name__ == "__main__":
    main()
