"""Services, their releases and their checks' records, put into words."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from firedamp import words
from firedamp.config import Service
from firedamp.decision.worth import Worth
from firedamp.judge.worth import Record as Told
from firedamp.model import Finding, Label, Look, Release
from firedamp.ui.pages.services import (
    Card,
    CheckRow,
    Entry,
    OneService,
    Overview,
    Record,
    ReleaseRow,
    Tick,
)
from firedamp.ui.pages.shell import Shell
from firedamp.ui.wording import worth
from firedamp.ui.wording.checks import mark
from firedamp.ui.wording.evidence import chance, effect, quantity
from firedamp.ui.wording.marks import MARKS, state
from firedamp.ui.wording.releases import address, service_link, tuning_link
from firedamp.ui.wording.times import instant
from firedamp.units import spoken_duration

_NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class Judged:
    """A service as it is judged (None where nobody configured it any more), and its newest releases."""

    namespace: str
    name: str
    settings: Service | None
    releases: Sequence[Release]


@dataclass(frozen=True, slots=True)
class Said:
    """What a check said of a release; None where it said nothing."""

    release: Release
    finding: Finding | None
    label: Label | None = None


def overview(shell: Shell, services: Iterable[Judged], *, cut: bool, now: float) -> Overview:
    """All services; `cut` where there are more."""
    return Overview(shell, tuple(_card(one, now) for one in services), cut)


def one_service(
    shell: Shell,
    found: Judged,
    look: Look | None,
    labels: Mapping[int, Label],
    told: Told = _NOTHING_TOLD,
    *,
    now: float,
) -> OneService:
    """One service; `look` is the last one of its newest release, `told` what labels tell of it."""
    query = {"service": found.name, "namespace": found.namespace}
    return OneService(
        shell=shell,
        namespace=found.namespace,
        service=found.name,
        facts=tuple(_facts(found.settings)),
        checks=tuple(_checks(found, look, told)),
        strip=_strip(found.releases),
        releases=tuple(_release(one, labels.get(one.id), now) for one in found.releases),
        all=address("/", query),
        worth=worth.of_verdicts(told.verdicts),
        tune=_tune(found),
    )


def record(
    shell: Shell,
    found: Judged,
    check: str,
    said: Sequence[Said],
    told: Told = _NOTHING_TOLD,
    *,
    now: float,
) -> Record:
    """A check over the releases of its service, newest first."""
    entries = [_entry(one, one.finding, now) for one in said if one.finding is not None]
    return Record(
        shell=shell,
        namespace=found.namespace,
        service=found.name,
        service_link=service_link(found.namespace, found.name),
        check=check,
        summary=_summary(entries),
        entries=tuple(entries),
        looked=len(said),
        worth=worth.of_check(told.checks.get(check, Worth())),
        tune=_tune(found, check),
    )


def check_link(namespace: str, service: str, check: str) -> str:
    """The page of a check's record."""
    return f"{service_link(namespace, service)}/checks/{quote(check, safe='')}"


def _tune(found: Judged, check: str = "") -> str:
    """Where it is tuned: only what the settings name can be."""
    if found.settings is None:
        return ""
    known = {one.name for one in found.settings.checks}
    return tuning_link(found.namespace, found.name, check if check in known else "")


def _card(found: Judged, now: float) -> Card:
    newest = found.releases[0] if found.releases else None
    return Card(
        namespace=found.namespace,
        service=found.name,
        link=service_link(found.namespace, found.name),
        checks=_tiers(found.settings),
        strip=_strip(found.releases),
        last=instant(newest.started, now) if newest else None,
    )


def _tiers(settings: Service | None) -> str:
    if settings is None:
        return "not configured"
    tiers = Counter(check.tier.value for check in settings.checks)
    return ", ".join(f"{count} {tier}" for tier, count in tiers.items()) or "no checks"


def _strip(releases: Sequence[Release]) -> tuple[Tick, ...]:
    return tuple(
        Tick(
            f"/releases/{one.id}",
            MARKS[one.verdict],
            f"{one.key.revision or 'no revision'}: {MARKS[one.verdict].word}, {state(one)}",
        )
        for one in reversed(releases)
    )


def _facts(settings: Service | None) -> Iterable[tuple[str, str]]:
    if settings is None:
        yield "Settings", "nobody configured this service; only its releases are known"
        return
    yield "Mode", settings.mode.value
    yield "Source", settings.source or "the first one"
    yield "Promotes after", spoken_duration(settings.window.promote_after)
    yield "Decides by", spoken_duration(settings.window.deadline_seconds)


def _checks(found: Judged, look: Look | None, told: Told) -> Iterable[CheckRow]:
    said = {one.check: one for one in look.findings} if look else {}
    configured = (
        {one.name: (one.kind, one.tier.value) for one in found.settings.checks} if found.settings else {}
    )
    known = {one.check: (one.kind, one.tier.value) for one in said.values()} | configured
    for name, (kind, tier) in known.items():
        finding = said.get(name)
        yield CheckRow(
            name=name,
            link=check_link(found.namespace, found.name, name),
            kind=kind,
            tier=tier,
            mark=mark(finding) if finding else None,
            sentence=finding.sentence.removeprefix(f"{name}: ") if finding else "nothing said yet",
            worth=worth.short(told.checks.get(name)),
        )


def _release(release: Release, label: Label | None, now: float) -> ReleaseRow:
    return ReleaseRow(
        link=f"/releases/{release.id}",
        mark=MARKS[release.verdict],
        revision=release.key.revision or "–",
        sentence=release.sentence or "waiting for the first look",
        state=state(release),
        label=label.word.spoken if label else "",
        started=instant(release.started, now),
    )


def _entry(said: Said, finding: Finding, now: float) -> Entry:
    low, high = finding.interval or (None, None)
    return Entry(
        link=f"/releases/{said.release.id}",
        revision=said.release.key.revision or "–",
        started=instant(said.release.started, now),
        mark=mark(finding),
        baseline=quantity(finding.baseline, finding.unit),
        canary=quantity(finding.canary, finding.unit),
        effect=effect(finding.effect, low, high),
        p_value=chance(finding.p_value),
        label=said.label.word.spoken if said.label else "",
    )


def _summary(entries: Sequence[Entry]) -> str:
    counts = Counter(entry.mark.word for entry in entries)
    told = ", ".join(f"{words.count(count)} {word}" for word, count in counts.items())
    return f"{words.plural(len(entries), 'release')}: {told}" if entries else "It has judged no release yet."
