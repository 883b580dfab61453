"""A release, its looks, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.model.evidence import Evidence
from firedamp.model.findings import Finding
from firedamp.model.terms import Controller, Outcome

#: Ends the revision of an experiment: it compares other pods than the rollout around it.
EXPERIMENT = "-experiment"


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """Identity of a release: one canary run of one service."""

    namespace: str
    service: str
    revision: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}@{self.revision}#{self.attempt}"

    @property
    def names(self) -> Mapping[str, str]:
        """What stands for $service and $namespace in selectors and expressions."""
        return {"service": self.service, "namespace": self.namespace}


@dataclass(frozen=True, slots=True)
class Release:
    """
    A release as stored.

    Attributes:
        started: Unix time at which block 0 begins.
        parameters: the service's settings as judged, as canonical JSON; replay reads them back.
        step, step_label, step_since: current traffic step: number, the controller's name, Unix time.
        advanced_block: the block in which this step's advance question was passed; None before.
        weight: canary's expected share in [0, 1], as last told; None unknown.
        ask_gap: usual distance of its questions in seconds, 0 before the second one.
        ended, outcome: when and how it ended, in the words of whoever reported it; the outcome of one that
            runs is known where its controller was told that a person ordered it back.
        verdict, sentence: of the last look, for lists.
        noise: what was known of the checks' noise at the first look, as canonical JSON; "" before it.
    """

    id: int
    key: ReleaseKey
    controller: Controller
    started: float
    arms: Mapping[str, str]
    experiment: bool
    parameters: str
    version: str
    last_asked: float
    ask_gap: float = 0.0
    step: int = 0
    step_label: str | None = None
    step_since: float = 0.0
    advanced_block: int | None = None
    weight: float | None = None
    ended: float | None = None
    outcome: str | None = None
    verdict: Outcome = Outcome.INCONCLUSIVE
    sentence: str = ""
    noise: str = ""

    @property
    def rollout(self) -> str:
        """The revision, for an experiment that of the rollout around it."""
        return self.key.revision.removesuffix(EXPERIMENT) if self.experiment else self.key.revision


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Where a release stands after a look; with the findings, all that any question needs.

    Attributes:
        failed_block: block at which harm was proven; None while it is not.
        passed_block: block at which the pass rule held; None while it has not.
        judged: how often the pass rule was judged so far (at most three times).
        detectable: smallest rise of the worst critical check that would have been seen with 80 %.
        harm: the sentence of the check that failed, at the look at which it failed.
        elapsed_seconds: time since the release's start, outages of the source left out.
        withheld_block: first block at which failing warnings alone withheld a pass; None while none did.
    """

    failed_block: int | None = None
    passed_block: int | None = None
    judged: int = 0
    detectable: float | None = None
    harm: str = ""
    elapsed_seconds: float = 0.0
    # Few releases have it; without it a standing reads as it always did.
    withheld_block: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """One judgement of one release at the end of one block, with the evidence it took in."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    standing: Standing
    version: str
