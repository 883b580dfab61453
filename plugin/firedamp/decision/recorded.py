"""
The verdict that a look leaves with its release, for lists of releases.

It is the answer to the question for promotion, but for what a policy makes of silence: a release that a
policy would end is not one that failed.
"""

from firedamp.decision import policy
from firedamp.decision.parameters import Parameters
from firedamp.model import Look, Mode, Outcome, Question, Release, Ruling


def verdict(
    release: Release, parameters: Parameters, look: Look, rulings: tuple[Ruling, ...] = ()
) -> tuple[Outcome, str]:
    """Verdict and sentence of a release after this look, with the rulings in force."""
    case = policy.Case(Question.PROMOTE, release, parameters, look, Mode.JUDGE, rulings=rulings)
    answer = policy.answer(case)
    failed = case.standing.failed_block is not None
    told = answer.outcome if failed or answer.outcome is Outcome.PASS else Outcome.INCONCLUSIVE
    return told, answer.sentence
