"""All that the answer to one question is made of: the look, what people said of it, and the moment."""

from dataclasses import dataclass

from firedamp.decision import reading, rulings
from firedamp.decision.parameters import Parameters
from firedamp.model import Finding, Look, Mode, Question, Release, Ruling, Standing


@dataclass(frozen=True, slots=True)
class Case:
    """
    All that an answer is made of.

    Attributes:
        look: the last look; None before the first block is over.
        mode: how the service is judged at this moment.
        held: why advance and promote are held (freeze, maintenance, a person); empty when they are not.
        outage: why no look could be taken now; empty when it could.
        now: Unix time of the question, for how long an outage lasts; None takes the last block's end.
        repeated: this advance was passed a moment ago; the caller repeats itself.
        first: Flagger asks before the canary's first request; there is nothing to see yet.
        rulings: what people said of its warnings, those in force.
        ordered: who ordered to roll this release back, and why; empty where nobody did.
    """

    question: Question
    release: Release
    parameters: Parameters
    look: Look | None
    mode: Mode
    held: str = ""
    outage: str = ""
    now: float | None = None
    repeated: bool = False
    first: bool = False
    rulings: tuple[Ruling, ...] = ()
    ordered: str = ""

    @property
    def standing(self) -> Standing:
        """Where the release stands, by the evidence and by what people said."""
        return rulings.standing(self.look, self.rulings) if self.look else Standing()

    @property
    def is_proven(self) -> bool:
        """The evidence alone proves harm."""
        return self.look is not None and self.look.standing.failed_block is not None

    @property
    def at(self) -> float:
        """End of the last block judged, or the release's start."""
        return self.look.evidence.block.end if self.look else self.release.started

    @property
    def elapsed(self) -> float:
        """Seconds judged since the start; while nothing can be seen the clock of the wall goes on."""
        return self.standing.elapsed_seconds + self._blind

    @property
    def in_step(self) -> float:
        """Seconds in this traffic step."""
        return self.at + self._blind - self.release.step_since

    @property
    def _blind(self) -> float:
        return max(0.0, self.now - self.at) if self.outage and self.now is not None else 0.0

    @property
    def findings(self) -> tuple[Finding, ...]:
        return reading.ordered(self.look.findings) if self.look else ()

    @property
    def warnings(self) -> str:
        """Warnings and false alarms, for the end of a sentence."""
        return reading.warnings(self.findings, self.rulings)
