"""The list of releases, put into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from firedamp import words
from firedamp.model import Controller, Judged, Label, Outcome, Release
from firedamp.ports import Gate
from firedamp.ui.pages.releases import Choice, Filters, Listing, Row
from firedamp.ui.pages.shell import Mark, Shell
from firedamp.ui.wording.marks import MARKS, ORDERS
from firedamp.ui.wording.times import instant, lasting

#: What a list can be narrowed by: those at hand, and the rarer ones.
AT_HAND, RARER = ("service", "namespace", "verdict", "state"), ("controller", "label", "since", "until")
FILTERS = (*AT_HAND, *RARER)
#: So long after the last question a running release seems forgotten.
_FORGOTTEN_SECONDS = 600.0
_CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "verdict": [(one.value, f"{MARKS[one].sign} {MARKS[one].word}") for one in reversed(Outcome)],
    "state": [("running", "running"), ("ended", "ended")],
    "controller": [(one.value, one.value) for one in Controller],
    "label": [(one.value, one.spoken) for one in Judged if one is not Judged.WITHDRAWN],
}


@dataclass(frozen=True, slots=True)
class Page:
    """
    What was found.

    Attributes:
        troubles: why sources are silent.
        gates: that people opened in their namespaces.
        newer, older: whether there is more beside.
    """

    releases: Sequence[Release]
    labels: Mapping[int, Label]
    troubles: Sequence[str]
    gates: Sequence[Gate]
    newer: bool
    older: bool


def listing(
    shell: Shell, found: Page, asked: Mapping[str, str], *, now: float, url: str, services: Iterable[str] = ()
) -> Listing:
    """A page of the list; `asked` is what the address said."""
    rows = tuple(
        _row(release, found.labels.get(release.id), _ordered(release, found.gates), now)
        for release in found.releases
    )
    chosen = narrowed(asked)
    newer, older = _beside(found, chosen)
    return Listing(
        shell=shell,
        rows=rows,
        filters=_filters(chosen, tuple(sorted(set(services)))),
        here=address("/", asked),
        newer=newer,
        older=older,
        troubles=tuple(found.troubles),
        labelled=any(row.label for row in rows),
        url=url,
    )


def narrowed(asked: Mapping[str, str]) -> dict[str, str]:
    """The filters in force."""
    return {name: asked[name] for name in FILTERS if asked.get(name)}


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with what of the query says anything."""
    said = {name: text for name, text in query.items() if text}
    return f"{path}?{urlencode(said)}" if said else path


def service_link(namespace: str, service: str) -> str:
    """The page of a service."""
    return f"/services/{quote(namespace, safe='')}/{quote(service, safe='')}"


def tuning_link(namespace: str, service: str, check: str = "") -> str:
    """The page on which a service is tuned, with a check's values in its form."""
    return address(f"{service_link(namespace, service)}/tuning", {"check": check})


def _beside(found: Page, chosen: Mapping[str, str]) -> tuple[str, str]:
    if not found.releases:
        return address("/", chosen) if found.newer else "", ""
    newest, oldest = str(found.releases[0].id), str(found.releases[-1].id)
    newer = address("/", {**chosen, "after": newest}) if found.newer else ""
    older = address("/", {**chosen, "before": oldest}) if found.older else ""
    return newer, older


def _filters(chosen: Mapping[str, str], services: tuple[str, ...]) -> Filters:
    return Filters(
        texts={name: chosen.get(name, "") for name in ("service", "namespace", "since", "until")},
        choices={name: _choices(name, chosen.get(name, "")) for name in _CHOICES},
        said=", ".join(f"{name} {chosen[name]}" for name in FILTERS if name in chosen),
        more=any(name in chosen for name in RARER),
        services=services,
    )


def _choices(name: str, chosen: str) -> tuple[Choice, ...]:
    return (
        Choice("", "any"),
        *(Choice(value, word, value == chosen) for value, word in _CHOICES[name]),
    )


def _row(release: Release, label: Label | None, order: Mark | None, now: float) -> Row:
    key, running = release.key, release.ended is None
    silent = now - release.last_asked
    return Row(
        id=release.id,
        link=f"/releases/{release.id}",
        mark=MARKS[release.verdict],
        sentence=release.sentence or "waiting for the first look",
        namespace=key.namespace,
        service=key.service,
        service_link=service_link(key.namespace, key.service),
        revision=key.revision or "–",
        attempt=key.attempt,
        controller=release.controller.value,
        running=running,
        state="running" if running else release.outcome or "ended",
        order=order,
        quiet_for=f"last asked {lasting(silent)} ago" if running and silent > _FORGOTTEN_SECONDS else "",
        share="" if release.weight is None else words.percent(release.weight),
        analysed=lasting((now if release.ended is None else release.ended) - release.started),
        label=label.word.spoken if label else "",
        started=instant(release.started, now),
    )


def _ordered(release: Release, gates: Sequence[Gate]) -> Mark | None:
    """What keeps a running release from being judged, or from going on, by a person's order."""
    key = release.key
    hooks = {
        gate.hook
        for gate in gates
        if gate.is_open
        and (gate.namespace, gate.service) == (key.namespace, key.service)
        and gate.revision in ("", key.revision)
        # An order to roll back is for what had begun when it was given.
        and (gate.hook != "rollback" or release.started < gate.at)
    }
    kept = (mark for hook, mark in ORDERS.items() if hook in hooks and release.ended is None)
    return next(kept, None)
