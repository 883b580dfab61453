"""Verdicts to print."""

from dataclasses import replace

from findings import ERRORS
from firedamp.model import Arm, Finding, Mode, Outcome, Question, ReleaseKey, Situation, Tier, Verdict

MEMORY = Finding(
    check="memory",
    kind="relative",
    tier=Tier.WARN,
    outcome=Outcome.FAIL,
    sentence="memory: 30 % above main",
    against=Arm.MAIN,
    unit="bytes",
)
LATENCY = Finding(
    check="latency",
    kind="distribution",
    tier=Tier.CRITICAL,
    outcome=Outcome.INCONCLUSIVE,
    sentence="latency: no requests in main so far",
    situation=Situation.NO_TRAFFIC,
)
RESTARTS = Finding(
    check="restarts",
    kind="threshold",
    tier=Tier.CRITICAL,
    outcome=Outcome.PASS,
    sentence="restarts: none",
    canary=0.0,
)

FAILED = Verdict(
    outcome=Outcome.FAIL,
    question=Question.PROMOTE,
    sentence=ERRORS.sentence,
    at=1_700_000_000.0,
    findings=(ERRORS, MEMORY, LATENCY, RESTARTS),
    release=ReleaseKey("shop", "checkout", "5b8d7f9c44", 1),
    release_id=7,
    block=13,
    rollback=True,
)
PASSED = replace(
    FAILED,
    outcome=Outcome.PASS,
    sentence="after 30 min harm is excluded",
    findings=(RESTARTS,),
    rollback=False,
)
WAITING = replace(
    FAILED,
    outcome=Outcome.INCONCLUSIVE,
    sentence="errors: needs about 340 more requests",
    findings=(LATENCY,),
    rollback=False,
)
SHADOWED = replace(FAILED, mode=Mode.SHADOW, recorded=Outcome.FAIL)
