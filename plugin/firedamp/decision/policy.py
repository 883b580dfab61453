"""
From what a look found to the answer of one question.

Three questions share the evidence: a guard lets go on unless harm is proven; an advance asks whether
enough was seen in this traffic step; a promote asks for the pass rule. Where nothing can be told, the
service's policy for that situation speaks once its time has come. Everything here follows from the
stored look, so that the same block gives the same answer to everybody. Before all of it comes what a person
ordered for this release: who stands aside does, and who is told to roll back says fail.
"""

from dataclasses import replace
from datetime import UTC, datetime

from firedamp import words
from firedamp.decision import reading
from firedamp.decision.case import Case
from firedamp.decision.session import JUDGEMENTS, block, judgement_after
from firedamp.model import (
    Mode,
    Outcome,
    Question,
    Resort,
    Situation,
    Standing,
    Tier,
    Verdict,
)
from firedamp.units import spoken_duration

__all__ = ["ADVANCE_RATIO", "Case", "answer"]

#: Enough was seen for more traffic when a rise to this multiple would have been noticed.
ADVANCE_RATIO = 5.0
_SITUATION_WORDS = {
    Situation.WINDOW_OVER: "the window is over, neither harm nor its absence is proven",
    Situation.NO_TRAFFIC: "one of the versions gets no requests",
    Situation.NO_DATA: "the metrics are missing or not to be believed",
    Situation.SOURCE_DOWN: "a source does not answer",
}


def answer(case: Case) -> Verdict:
    """Answer one question of one release."""
    found = _judged(case)
    if case.mode is Mode.OFF:
        aside = "firedamp stands aside for this service (mode off); nothing counts that was found"
        return replace(_verdict(case, Outcome.PASS, aside), recorded=found.outcome)
    if case.ordered:
        return _ordered(case, found)
    if (
        case.mode is not Mode.HOLD
        or case.question is Question.GUARD
        or case.standing.failed_block is not None
    ):
        return found
    held = f"held: {case.held or 'the service is in mode hold'}"
    return replace(_verdict(case, Outcome.INCONCLUSIVE, held), recorded=found.outcome)


def _ordered(case: Case, found: Verdict) -> Verdict:
    """Fail, whatever was found; in shadow too, where nobody heeds a verdict, for this is a person's word."""
    said = f"{case.ordered}; the evidence alone says: {found.sentence}"
    mode = Mode.JUDGE if case.mode is Mode.SHADOW else case.mode
    return replace(_verdict(case, Outcome.FAIL, said), mode=mode, recorded=found.outcome, rollback=True)


def _judged(case: Case) -> Verdict:
    if case.standing.failed_block is not None:
        # What has ended is rolled back no more: the hook that asks may speak of the next attempt.
        return replace(_verdict(case, Outcome.FAIL, _harm(case)), rollback=case.release.ended is None)
    match case.question:
        case Question.GUARD:
            return _guard(case)
        case Question.ADVANCE:
            return _advance(case)
        case Question.PROMOTE:
            return _promote(case)


def _guard(case: Case) -> Verdict:
    if case.standing.passed_block is not None:
        return _verdict(case, Outcome.PASS, f"no harm found, and it was excluded earlier{case.warnings}")
    return _verdict(case, Outcome.INCONCLUSIVE, f"go on: {_waiting(case)}")


def _advance(case: Case) -> Verdict:
    if case.first:
        return _verdict(case, Outcome.PASS, "the canary has no traffic yet; the first step may begin")
    if case.repeated:
        return _verdict(case, Outcome.PASS, _seen(case))
    return _next_step(case)


def _next_step(case: Case) -> Verdict:
    window, enough = case.parameters.window, not case.outage and _enough(case.standing)
    if case.in_step < window.advance_after:
        left = spoken_duration(window.advance_after - case.in_step)
        return _not_yet(case, window.advance_after, f"{left} more in this traffic step: {_waiting(case)}")
    if enough:
        return _verdict(case, Outcome.PASS, _seen(case))
    if case.in_step < window.advance_by:
        left = spoken_duration(window.advance_by - case.in_step)
        reason = f"{_seen(case)}; waiting for more evidence, {left} at most: {_waiting(case)}"
        return _not_yet(case, window.advance_by, reason)
    if (obstacle := _obstacle(case)) is not None:
        return _resort(case, obstacle)
    return _verdict(case, Outcome.PASS, _seen(case))


def _not_yet(case: Case, after_seconds: float, reason: str) -> Verdict:
    expected = None if case.outage else case.release.step_since + after_seconds
    return replace(_verdict(case, Outcome.INCONCLUSIVE, reason), expected=expected)


def _enough(standing: Standing) -> bool:
    return standing.detectable is not None and standing.detectable <= ADVANCE_RATIO


def _seen(case: Case) -> str:
    detectable, warned = case.standing.detectable, case.warnings
    if detectable is None or detectable == float("inf"):
        return f"no harm found, but too little was seen to say what could have been noticed{warned}"
    return f"no harm found; a rise to {words.times(detectable)} would have been noticed{warned}"


def _promote(case: Case) -> Verdict:
    if case.standing.passed_block is not None:
        return _verdict(case, Outcome.PASS, _excluded(case, case.standing.passed_block))
    window = case.parameters.window
    if case.elapsed >= window.promote_after and (obstacle := _obstacle(case)) is not None:
        return _resort(case, obstacle)
    if case.elapsed >= window.deadline_seconds and not case.outage:
        return _resort(case, Situation.WINDOW_OVER)
    return replace(_verdict(case, Outcome.INCONCLUSIVE, _waiting(case)), expected=_expected(case))


def _excluded(case: Case, index: int) -> str:
    passing = [f for f in case.findings if f.tier is Tier.CRITICAL and f.outcome is Outcome.PASS]
    others = f" (and {words.plural(len(passing) - 1, 'more check')})" if len(passing) > 1 else ""
    why = f": {passing[0].sentence}{others}" if passing else ""
    return f"harm is excluded{_after(case, index)}{why}{case.warnings}"


def _obstacle(case: Case) -> Situation | None:
    """What keeps the release from being judged at all, if anything does."""
    if case.outage:
        return Situation.SOURCE_DOWN
    found = {finding.situation for finding in case.findings if finding.tier is Tier.CRITICAL}
    ranked = (Situation.SOURCE_DOWN, Situation.NO_DATA, Situation.NO_TRAFFIC)
    return next((situation for situation in ranked if situation in found), None)


def _resort(case: Case, situation: Situation) -> Verdict:
    """What the service's policy makes of a situation that lasts."""
    resort: Resort = getattr(case.parameters.policy, situation.value)
    why = f"{_SITUATION_WORDS[situation]}: {_lacking(case, situation)}"
    match resort:
        case Resort.HOLD:
            return _held(case, situation, why)
        case Resort.FAIL:
            return _verdict(case, Outcome.FAIL, f"by the service's policy, {why}")
        case Resort.PASS:
            return _verdict(case, Outcome.PASS, f"by the service's policy, {why}")


def _lacking(case: Case, situation: Situation) -> str:
    """By a check that is in this situation, where one is; others may lack other things."""
    found = [finding for finding in case.findings if finding.situation is situation]
    return (not case.outage and reading.open_question(found)) or _waiting(case)


def _held(case: Case, situation: Situation, why: str) -> Verdict:
    over = case.elapsed >= case.parameters.window.deadline_seconds
    if situation is Situation.SOURCE_DOWN:
        return _verdict(case, Outcome.INCONCLUSIVE, f"{why}; held until it does")
    # An experiment that ends inconclusive starts again for ever, so there not proven is a failure.
    if case.release.experiment and over:
        return _verdict(case, Outcome.FAIL, f"not proven: {why}")
    return _verdict(
        case, Outcome.INCONCLUSIVE, f"{why}; a person must decide, or set policy.{situation.value}"
    )


def _harm(case: Case) -> str:
    if not case.is_proven:
        return case.standing.harm
    found = _after(case, case.standing.failed_block or 0)
    return f"{case.standing.harm}; found{found}{reading.beside(case.findings, Tier.CRITICAL)}"


def _after(case: Case, index: int) -> str:
    seconds = block(case.parameters, case.release.started, index).end - case.release.started
    return f" after {spoken_duration(seconds)}"


def _waiting(case: Case) -> str:
    if case.outage:
        return f"cannot judge now, {case.outage}"
    if case.look is None:
        first = block(case.parameters, case.release.started, 0)
        return f"collecting evidence; the first look is due at {_clock(first.end)}"
    return (
        reading.open_question(case.findings) or _withheld(case) or f"{_first(case)}; {_next_judgement(case)}"
    )


def _withheld(case: Case) -> str | None:
    """What people may do about a pass that only warnings withhold."""
    if case.standing.withheld_block is None or case.standing.passed_block is not None:
        return None
    left = case.parameters.window.deadline_seconds - case.elapsed
    after = f"harm is excluded{_after(case, case.standing.withheld_block)}, but warnings withhold the pass"
    return (
        f"{after} until {_clock(case.at + left)} or until somebody rules on them{case.warnings}"
        if left > 0
        else None
    )


def _first(case: Case) -> str:
    critical = [finding for finding in case.findings if finding.tier is Tier.CRITICAL]
    if not critical:
        return "no critical check is set up, so nothing can be proven"
    others = f" (and {words.plural(len(critical) - 1, 'more check')})" if len(critical) > 1 else ""
    return f"{critical[0].sentence}{others}"


def _next_judgement(case: Case) -> str:
    expected = _expected(case)
    return f"judged at {_clock(expected)}" if expected else "judged no more, the service's policy decides"


def _expected(case: Case) -> float | None:
    """When the pass rule is judged next, if no outage comes between."""
    window, standing = case.parameters.window, case.standing
    over = standing.elapsed_seconds >= window.deadline_seconds
    if standing.judged >= JUDGEMENTS or over or case.outage:
        return None
    after = judgement_after(window.promote_after, window.deadline_seconds, standing.judged)
    return case.at + max(0.0, after - standing.elapsed_seconds)


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def _verdict(case: Case, outcome: Outcome, sentence: str) -> Verdict:
    return Verdict(
        outcome=outcome,
        question=case.question,
        sentence=sentence,
        at=case.at,
        findings=case.findings,
        release=case.release.key,
        release_id=case.release.id,
        block=case.look.evidence.block.index if case.look else None,
        mode=case.mode,
        recorded=outcome,
    )
