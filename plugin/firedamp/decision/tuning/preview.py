"""
What a change would have made of a past release: its stored evidence judged again, by the product's own path.

A release is taken block by block until harm is proven or its last look is reached; the last block is judged
as the product judges it, so that its answer is the one that would have been recorded. An empty change gives
what was recorded. What lies beyond the last recorded block nobody has seen: a release that was rolled back
after four minutes does not tell what it would have done in thirty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from firedamp import __version__, words
from firedamp.cohorts import comparison_arm
from firedamp.decision import known, recorded, rulings, session
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.decision.tuning.change import Change
from firedamp.errors import AskError
from firedamp.model import Finding, Look, Outcome, Release, Ruling, Standing

_UNSEEN = "what came after its last look was not seen"


@dataclass(frozen=True, slots=True)
class Stand:
    """
    Where a release came to stand.

    Attributes:
        verdict: at the last look, as lists of releases show it.
        block: at which harm was proven, or else the pass rule held; None while undecided.
        sentence: why: the harm that was proven, else the answer to the question for promotion.
        unseen: undecided at the last look, with time left to decide: more evidence would have counted.
    """

    verdict: Outcome
    block: int | None
    sentence: str
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A release as it was judged and as it would have been.

    Attributes:
        looks: so many of them are recorded.
        why: one sentence.
    """

    release: Release
    looks: int
    then: Stand
    now: Stand
    why: str

    @property
    def differs(self) -> bool:
        """The verdict is another one."""
        return self.then.verdict is not self.now.verdict


@dataclass(frozen=True, slots=True)
class Incomparable:
    """A release that tells nothing of the change, and why."""

    release: Release
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """
    A release that is being judged again.

    Attributes:
        last: its last recorded look.
        session: after the blocks taken so far.
        findings: at the last block taken; read in full at the end only.
    """

    release: Release
    parameters: Parameters
    last: Look
    session: Session
    findings: tuple[Finding, ...] = ()

    @property
    def is_over(self) -> bool:
        """Nothing that comes can change the verdict."""
        return self.session.standing.failed_block is not None or self.session.blocks > _index(self.last)

    def taken(self, looks: Iterable[Look]) -> "Again":
        """The same after more looks' evidence, up to the last one or until harm is proven."""
        again = self
        for look in looks:
            if again.is_over:
                break
            # Only the last look's findings are read; what is still missing at the others nobody asks.
            planning = look.evidence.block.index == _index(self.last)
            state, findings = session.advance(again.session, look.evidence, planning=planning)
            again = replace(again, session=state, findings=findings)
        return again


def begin(release: Release, last: Look, change: Change) -> Again | Incomparable:
    """A release with readable parameters before its first block, to be judged by those and the change."""
    try:
        parameters = change.applied(stored.from_json(release.parameters))
    except AskError as error:
        return Incomparable(release, f"the change does not fit it: {error}")
    selected = parameters.cohorts.select(release.key.namespace, release.key.service, release.arms)
    noise = known.from_json(release.noise)
    begun = session.begin(parameters, release.started, comparison_arm(selected), noise)
    return Again(release, parameters, last, begun)


def compared(again: Again, spoken: Sequence[Ruling] = ()) -> Compared:
    """What was recorded beside what came out, once it is over; what people ruled stays as it is."""
    release, last, told = again.release, again.last, rulings.in_force(spoken)
    came_out = Look(last.evidence, again.findings, again.session.standing, "")
    then = _stand(release, stored.from_json(release.parameters), last, told)
    now = _stand(release, again.parameters, came_out, told)
    return Compared(release, _index(last) + 1, then, now, _why(then, now, _index(last) + 1))


def is_of_other_version(last: Look) -> bool:
    """Another version took the last look, and may have judged the same evidence otherwise."""
    return last.version != __version__


def _stand(release: Release, parameters: Parameters, look: Look, told: tuple[Ruling, ...]) -> Stand:
    verdict, sentence = recorded.verdict(release, parameters, look, told)
    standing = rulings.standing(look, told)
    return Stand(verdict, _decided(standing), standing.harm or sentence, _is_open(standing, parameters))


def _decided(standing: Standing) -> int | None:
    return standing.failed_block if standing.failed_block is not None else standing.passed_block


def _is_open(standing: Standing, parameters: Parameters) -> bool:
    return _decided(standing) is None and standing.elapsed_seconds < parameters.window.deadline_seconds


def _index(look: Look) -> int:
    return look.evidence.block.index


def _why(then: Stand, now: Stand, looks: int) -> str:
    if then.verdict is now.verdict:
        return f"{_THEN[then.verdict]}, as it would now{_moved(then, now)}: {now.sentence}"
    unseen = f"; {_UNSEEN}" if now.unseen else ""
    at_last = f" after its {words.plural(looks, 'look')}" if now.block is None else ""
    return f"{_THEN[then.verdict]}, {_NOW[now.verdict]}{at_last}: {now.sentence}{unseen}"


_THEN = {Outcome.FAIL: "failed", Outcome.PASS: "passed", Outcome.INCONCLUSIVE: "was undecided"}
_NOW = {
    Outcome.FAIL: "would have failed",
    Outcome.PASS: "would have passed",
    Outcome.INCONCLUSIVE: "would have been undecided",
}


def _moved(then: Stand, now: Stand) -> str:
    """How much sooner or later the verdict comes; empty where it does at the same look."""
    if then.block is None or now.block is None or then.block == now.block:
        return ""
    by = words.plural(abs(then.block - now.block), "look")
    return f", {by} {'sooner' if now.block < then.block else 'later'}"
