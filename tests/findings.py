"""Findings of three kinds, for tests that show, print or send them: one fails, one passes, one waits."""

from dataclasses import replace

from firedamp.model import Arm, Finding, Outcome, Tier

#: It says all that a finding can say of two rates; its interval is open above.
ERRORS = Finding(
    check="errors",
    kind="proportion",
    tier=Tier.CRITICAL,
    outcome=Outcome.FAIL,
    sentence="errors: the canary served 22 of the 29 errors",
    against=Arm.MAIN,
    unit="share",
    baseline=0.0051,
    canary=0.061,
    baseline_n=4321.0,
    canary_n=1234.0,
    effect=5.25,
    interval=(3.125, float("inf")),
    tolerance=1.25,
    p_value=0.00004,
    alpha=0.02,
    one_look_p=0.003,
)
LATENCY = replace(
    ERRORS, check="latency", kind="distribution", outcome=Outcome.PASS, unit="seconds", baseline=0.08
)
MEMORY = replace(
    ERRORS,
    check="memory",
    kind="relative",
    tier=Tier.WARN,
    outcome=Outcome.INCONCLUSIVE,
    against=None,
    baseline=None,
    needs=390,
)
