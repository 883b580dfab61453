"""
Looks as a real service makes them: numbers drawn from the shapes that metrics have.

The costliest honest look: 20 checks on 4 + 4 pods, 4 of them histograms of 12 buckets, sentences of
about 150 characters.
"""

import math
import random
from dataclasses import replace

from firedamp import words
from firedamp.model import Arm, Block, Evidence, Finding, Look, Outcome, Slice, Standing, Tier

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
NAMES = (
    "latency",
    "latency-p99",
    "db-latency",
    "cache-latency",
    "errors",
    "grpc-errors",
    "timeouts",
    "retries",
    "cart-errors",
    "payment-errors",
    "login-errors",
    "search-errors",
    "memory",
    "cpu",
    "goroutines",
    "connections",
    "queue-depth",
    "gc-pause",
    "restarts",
    "oom-kills",
)


def realistic_look(seed: int, *, index: int = 40, pods: int = 4) -> Look:
    """A look 20 minutes into a release; 4 distribution, 8 proportion, 6 relative, 2 threshold checks."""
    rng = random.Random(seed)
    start = 1_790_000_000.123 + 30 * index
    arms = {arm: _pods(rng, arm, pods) for arm in (Arm.MAIN, Arm.CANARY)}
    slices = {check: _slice(rng, number, arms) for number, check in enumerate(NAMES)}
    findings = tuple(_finding(rng, number, check) for number, check in enumerate(NAMES))
    standing = Standing(judged=1, detectable=rng.uniform(1.5, 4), elapsed_seconds=30.0 * index)
    return Look(Evidence(Block(index, start, start + 30), slices, 0.2, 1), findings, standing, "0.1.0")


def _pods(rng: random.Random, arm: Arm, pods: int) -> list[str]:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    template = "".join(rng.choices(letters, k=10))
    return [f"checkout-{template}-{''.join(rng.choices(letters, k=5))}" for _ in range(pods)]


def _slice(rng: random.Random, number: int, arms: dict[Arm, list[str]]) -> Slice:
    bounds = BOUNDS if number < 4 else ()
    return Slice({arm: {pod: _row(rng, number) for pod in pods} for arm, pods in arms.items()}, bounds)


def _row(rng: random.Random, number: int) -> tuple[float, ...]:
    requests = rng.randrange(500, 900)
    if number < 4:
        buckets = [0] * len(BOUNDS)
        for _ in range(requests):
            seconds = rng.lognormvariate(math.log(0.08), 0.9)
            buckets[next(n for n, bound in enumerate(BOUNDS) if seconds <= bound)] += 1
        return tuple(map(float, buckets))
    if number < 12:
        return (float(rng.randrange(0, 9)), float(requests))
    if number < 14:
        return (rng.uniform(1e8, 2e8) // 4096 * 4096 if number == 12 else rng.uniform(0.1, 0.9),)
    return (float(rng.randrange(0, 400)),)


def _finding(rng: random.Random, number: int, check: str) -> Finding:
    kind = "distribution" if number < 4 else "proportion" if number < 12 else "relative"
    requests = (rng.randrange(100_000, 140_000), rng.randrange(20_000, 36_000))
    baseline, canary = rng.uniform(0.001, 0.02), rng.uniform(0.001, 0.02)
    if kind == "proportion":
        baseline, canary = (
            round(baseline * requests[0]) / requests[0],
            round(canary * requests[1]) / requests[1],
        )
    effect = rng.uniform(0.8, 1.3)
    if number >= 18:
        return _threshold(check)
    finding = Finding(
        check=check,
        kind=kind,
        tier=Tier.CRITICAL if number % 3 else Tier.WARN,
        outcome=Outcome.PASS if number % 2 else Outcome.INCONCLUSIVE,
        sentence="",
        against=Arm.MAIN,
        unit="seconds" if kind == "distribution" else "share",
        baseline=baseline,
        canary=canary,
        baseline_n=requests[0],
        canary_n=requests[1],
        effect=effect,
        interval=(effect * rng.uniform(0.7, 0.9), effect * rng.uniform(1.1, 1.3)),
        tolerance=1.2,
        p_value=rng.random(),
        alpha=0.05 / 18,
        one_look_p=rng.random(),
        needs=rng.randrange(100, 9000),
        detectable=rng.uniform(1.1, 3),
    )
    return replace(finding, sentence=_sentence(rng, finding))


def _threshold(check: str) -> Finding:
    return Finding(
        check, "threshold", Tier.CRITICAL, Outcome.PASS, f"{check}: none on the canary, at most 0 allowed"
    )


def _sentence(rng: random.Random, finding: Finding) -> str:
    """In the words of the checks; the longest they say of a check that is still open."""
    assert finding.effect is not None
    assert finding.interval is not None
    assert finding.baseline is not None
    needs = rng.randrange(100, 9000)
    match finding.kind:
        case "proportion":
            return (
                f"{finding.check}: no proof of harm; {words.plural(finding.canary_n, 'canary request')} with "
                f"{words.plural(rng.randrange(500), 'error')} can only rule out a rate above "
                f"{words.percent(rng.uniform(0.001, 0.02))} ({words.percent(finding.baseline)} in main); "
                f"about {words.about(needs)} more canary requests are needed{words.wait(needs, 40)}"
            )
        case "distribution":
            allowed = "is neither proven nor ruled out yet" if rng.random() < 0.5 else "is ruled out"
            return (
                f"{finding.check}: the canary takes {words.times(finding.effect)} as long as main "
                f"({_between(finding.interval)}, {words.plural(finding.canary_n, 'canary request')}); "
                f"slower than 1.20× {allowed}"
            )
    return (
        f"{finding.check}: {words.quantity(rng.uniform(1e7, 2e8), 'bytes')} in the canary, "
        f"{words.quantity(rng.uniform(1e7, 2e8), 'bytes')} in main: {words.times(finding.effect)} "
        f"({_between(finding.interval)}, 4 canary pods); more than 1.20× is neither proven nor ruled out yet"
    )


def _between(interval: tuple[float, float]) -> str:
    return f"{words.times(interval[0])} to {words.times(interval[1])}"
