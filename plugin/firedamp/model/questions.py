"""A question on its way down and the answer on its way up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.model.findings import Finding
from firedamp.model.releases import ReleaseKey
from firedamp.model.terms import Controller, Mode, Outcome, Question


@dataclass(frozen=True, slots=True)
class Ask:
    """
    One question as the judge understands it.

    Attributes:
        revision: what the controller calls the new version; None asks about the latest attempt.
        arms: the caller's names of the cohorts (pod-template hashes, versions, workloads),
            by placeholder: "canary", "baseline", "main".
        weight: expected share of the canary's traffic in [0, 1]; None when not known.
        step: the controller's name of the current traffic step; None when it has none.
        experiment: the comparison runs in an Argo experiment with its own baseline pods.
    """

    namespace: str
    service: str
    question: Question
    controller: Controller
    revision: str | None = None
    arms: Mapping[str, str] = field(default_factory=dict)
    weight: float | None = None
    step: str | None = None
    experiment: bool = False
    opens: bool = True  # may this question open a release? (a rollback hook may, promql may not)


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The answer to one question.

    Attributes:
        sentence: one sentence why, without the leading verdict and without the permalink.
        findings: failing first, then waiting, then passing.
        release: None where no release is known (unknown service, empty hashes).
        release_id: its number in the store; a permalink is /releases/{release_id}.
        block: the last evidence block behind it; None before the first one is over.
        expected: Unix time at which a decision is expected; None when unknown.
        mode: how the service is judged; contracts render shadow, hold and off.
        recorded: what was found where the mode or an order changed the answer; equal to outcome otherwise.
        rollback: harm is proven, or a person ordered it: a rollback hook may say yes.
    """

    outcome: Outcome
    question: Question
    sentence: str
    at: float
    findings: tuple[Finding, ...] = ()
    release: ReleaseKey | None = None
    release_id: int | None = None
    block: int | None = None
    expected: float | None = None
    mode: Mode = Mode.JUDGE
    recorded: Outcome | None = None
    rollback: bool = False
