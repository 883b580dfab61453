"""How our values become answers of the API."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from firedamp import words
from firedamp.checks import Check
from firedamp.config import Service
from firedamp.contracts._wire import permalink, plain, summary
from firedamp.contracts.api.answers import (
    AheadAnswer,
    CheckAnswer,
    CheckSetting,
    DoubtAnswer,
    EventAnswer,
    EvidenceSum,
    GateAnswer,
    LookAnswer,
    LookPoint,
    ReleaseAnswer,
    ReleaseDetail,
    ReleaseName,
    ServiceAnswer,
    StepAnswer,
    TroubleAnswer,
    VerdictAnswer,
)
from firedamp.contracts.api.said import LabelAnswer, RulingAnswer, RulingList
from firedamp.decision import exhibits
from firedamp.decision import rulings as people
from firedamp.decision.reading import ordered
from firedamp.judge.browsing import Browsed
from firedamp.model import Finding, Label, Look, Outcome, Release, Ruling, Slice, Standing, Verdict
from firedamp.ports import Event, Gate


def verdict_answer(verdict: Verdict, public_url: object) -> VerdictAnswer:
    """A verdict as JSON."""
    key = verdict.release
    return VerdictAnswer(
        verdict=verdict.outcome,
        summary=summary(verdict, public_url),
        question=verdict.question,
        mode=verdict.mode,
        recorded=verdict.recorded or verdict.outcome,
        rollback=verdict.rollback,
        at=verdict.at,
        release=ReleaseName(id=verdict.release_id, **plain(key)) if key else None,
        block=verdict.block,
        expected=verdict.expected,
        checks=checks(verdict.findings),
        link=permalink(public_url, verdict),
    )


def checks(findings: Sequence[Finding]) -> list[CheckAnswer]:
    """Findings as JSON, failing first."""
    return [CheckAnswer(**plain(finding)) for finding in ordered(findings)]


def release_answer(release: Release, public_url: object, label: Label | None = None) -> ReleaseAnswer:
    """A release as JSON."""
    return ReleaseAnswer(**_release(release, public_url), label=label.word if label else None)


def release_detail(found: Browsed, url: object) -> ReleaseDetail:
    """A release with the findings of a look, the verdict at those around it, and what people said of it."""
    label, last = found.label, found.look
    ahead = exhibits.ahead(found.known, found.parameters) if found.parameters else None
    return ReleaseDetail(
        **_release(found.release, url),
        look=last.evidence.block.index if last else None,
        checks=checks(last.findings if last else ()),
        timeline=[LookPoint(**_point(look)) for look in found.looks],
        steps=[StepAnswer(**plain(one)) for one in exhibits.steps(found.known)],
        doubts=[DoubtAnswer(**plain(one)) for one in exhibits.doubts(found.known)[: exhibits.MOST_DOUBTS]],
        ahead=AheadAnswer(**plain(ahead)) if ahead else None,
        rulings=ruling_list(found.rulings).rulings,
        label=label.word if label else None,
        labelled=label_answer(label) if label else None,
    )


def _release(release: Release, public_url: object) -> dict[str, Any]:
    same = set(ReleaseAnswer.model_fields) - {"link", "label", "namespace", "service", "revision", "attempt"}
    return {
        **{name: getattr(release, name) for name in same},
        **plain(release.key),
        "arms": dict(release.arms),
        "link": words.permalink(public_url, release.id),
    }


def look_answer(look: Look, rulings: Sequence[Ruling] = ()) -> LookAnswer:
    """A look with sums of its evidence, of a release with these rulings."""
    evidence, block = look.evidence, look.evidence.block.index
    return LookAnswer(
        **_point(people.ruled(look, rulings)),
        step=evidence.step,
        weight=evidence.weight,
        version=look.version,
        evidence=[_sums(name, brought) for name, brought in evidence.slices.items()],
        checks=checks(look.findings),
        rulings=[told for told in ruling_list(rulings).rulings if told.block == block],
    )


def _point(look: Look) -> dict[str, Any]:
    block = look.evidence.block
    return {
        "block": block.index,
        "start": block.start,
        "end": block.end,
        "verdict": so_far(look.standing),
        "p_values": {
            one.check: one.p_value
            for one in look.findings
            if one.p_value is not None and math.isfinite(one.p_value)
        },
    }


def so_far(standing: Standing) -> Outcome:
    """The verdict at a look: harm proven, harm excluded, or neither yet."""
    if standing.failed_block is not None:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if standing.passed_block is None else Outcome.PASS


def _sums(check: str, brought: Slice) -> EvidenceSum:
    return EvidenceSum(
        check=check,
        pods={arm.value: len(pods) for arm, pods in brought.rows.items()},
        sums={arm.value: _columns(pods) for arm, pods in brought.rows.items()},
        bounds=plain(brought.bounds),
        troubles=[TroubleAnswer(**plain(trouble)) for trouble in brought.troubles],
        unlabelled=plain(brought.unlabelled),
    )


def _columns(pods: Mapping[str, Sequence[float]]) -> list[float | None]:
    found: list[float | None] = plain([math.fsum(column) for column in zip(*pods.values(), strict=True)])
    return found


def service_answer(service: Service) -> ServiceAnswer:
    """A configured service as JSON."""
    return ServiceAnswer(
        name=service.name,
        namespace=service.namespace,
        mode=service.mode,
        source=service.source,
        promote_after=service.window.promote_after,
        decide_by=service.window.deadline_seconds,
        checks=[_setting(check) for check in service.checks],
    )


def _setting(check: Check) -> CheckSetting:
    return CheckSetting(name=check.name, kind=check.kind, tier=check.tier)


def gate_answer(gate: Gate) -> GateAnswer:
    """A gate as JSON."""
    return GateAnswer(open=gate.is_open, **{key: one for key, one in plain(gate).items() if key != "is_open"})


def event_answer(event: Event) -> EventAnswer:
    """A line of the audit trail as JSON."""
    return EventAnswer(**{**plain(event), "data": dict(event.data)})


def ruling_list(rulings: Sequence[Ruling]) -> RulingList:
    """Rulings as JSON."""
    held = people.in_force(rulings)
    return RulingList(rulings=[ruling_answer(one, in_force=one in held) for one in rulings])


def ruling_answer(ruling: Ruling, *, in_force: bool) -> RulingAnswer:
    """A ruling as JSON."""
    told = plain(ruling)
    return RulingAnswer(release=told.pop("release_id"), in_force=in_force, **told)


def label_answer(label: Label) -> LabelAnswer:
    """A label as JSON."""
    told = plain(label)
    return LabelAnswer(release=told.pop("release_id"), **told)
