"""Services: those of the settings, one of them with its releases, and the record of one of its checks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firedamp.contracts import _wire
from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, namespaces, query
from firedamp.decision.worth import Portion, Worth
from firedamp.errors import NotFoundError
from firedamp.judge import catalogue
from firedamp.judge.worth import record
from firedamp.model import Finding, Judged, Label, Outcome, Release

_ONE = "/services/{namespace}/{service}"


class PortionAnswer(BaseModel):
    """So many of so many; the true share lies between low and high, 19 times in 20."""

    model_config = ConfigDict(frozen=True)

    part: int
    whole: int
    share: float
    low: float
    high: float


class WorthAnswer(BaseModel):
    """
    Labelled releases by what was said of them and what was true.

    Of what failed, what was harmful is the precision; of what was harmful, what failed is the recall. Either
    is left out where there is nothing to count.
    """

    model_config = ConfigDict(frozen=True)

    labels: int
    caught: int
    false_alarms: int
    missed: int
    spared: int
    precision: PortionAnswer | None = None
    recall: PortionAnswer | None = None


class ServiceStrip(BaseModel):
    """A service with its newest releases; `settings` is missing where nobody configured it."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    service: str
    settings: answers.ServiceAnswer | None = None
    releases: list[answers.ReleaseAnswer]


class ServiceDetail(ServiceStrip):
    """The same, with what its checks said last."""

    checks: list[answers.CheckAnswer]
    #: What labels tell of its verdicts, and of each check that judged a labelled release.
    worth: WorthAnswer
    worth_of_checks: dict[str, WorthAnswer]


class ServiceList(BaseModel):
    """
    Services configured by hand, and those that only their releases tell of.

    With `by_default` any other one is judged too; with `more` there are more than these.
    """

    model_config = ConfigDict(frozen=True)

    services: list[ServiceStrip]
    by_default: bool
    more: bool


class CheckEntry(BaseModel):
    """What a check said at the last look of one release."""

    model_config = ConfigDict(frozen=True)

    release: int
    revision: str
    started: float
    verdict: Outcome
    label: Judged | None = None
    check: answers.CheckAnswer


class CheckRecord(BaseModel):
    """A check over the newest releases of its service, newest first."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    service: str
    check: str
    looked: int
    entries: list[CheckEntry]
    #: What labels tell of it.
    worth: WorthAnswer


class Services(Room):
    """What is judged, and by which checks."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        op = Operation
        return [
            (op("GET", "/services", "viewer", ServiceList, query=calls.NamespaceCall), self.services),
            (op("GET", _ONE, "viewer", ServiceDetail), self.service),
            (op("GET", f"{_ONE}/checks/{{check}}", "viewer", CheckRecord), self.check),
        ]

    async def services(self, request: web.Request) -> ServiceList:
        call = query(calls.NamespaceCall, request)
        wanted = namespaces(request, call.namespace)
        mine = [one for one in self.settings.services if None in wanted or one.namespace in wanted]
        known = await catalogue.known(self.store, [(one.namespace, one.name) for one in mine], wanted)
        told = await self.store.newest(known[: catalogue.MOST_SERVICES], limit=catalogue.MOST_RELEASES)
        return ServiceList(
            services=[self._strip(name, releases, {}) for name, releases in told.items()],
            by_default=bool(self.settings.defaults.checks),
            more=len(known) > len(told),
        )

    async def service(self, request: web.Request) -> ServiceDetail:
        namespace, name, releases = await self._asked(request, catalogue.MOST_RELEASES)
        labels = await self.store.labels([release.id for release in releases])
        look = await self.store.last_look(releases[0].id) if releases else None
        strip = self._strip((namespace, name), releases, labels)
        told = await record(self.store, namespace, name)
        return ServiceDetail(
            **dict(strip),
            checks=rendering.checks(look.findings if look else ()),
            worth=_worth(told.verdicts),
            worth_of_checks={check: _worth(one) for check, one in told.checks.items()},
        )

    def _strip(
        self, name: catalogue.Name, releases: Sequence[Release], labels: Mapping[int, Label]
    ) -> ServiceStrip:
        settings, url = self.settings.service(*name), self.settings.public_url
        return ServiceStrip(
            namespace=name[0],
            service=name[1],
            settings=rendering.service_answer(settings) if settings else None,
            releases=[rendering.release_answer(one, url, labels.get(one.id)) for one in releases],
        )

    async def check(self, request: web.Request) -> CheckRecord:
        namespace, name, releases = await self._asked(request, catalogue.MOST_RECORDED)
        check = request.match_info["check"]
        labels = await self.store.labels([release.id for release in releases])
        said = await catalogue.last_said(self.store, releases, check)
        found = [_entry(one, said[one.id]) for one in releases if one.id in said]
        if not found and not self._has(namespace, name, check):
            raise NotFoundError(
                f"check {_wire.shown(check)} has judged no release of this service; see {_ONE}"
            )
        told = await record(self.store, namespace, name)
        return CheckRecord(
            namespace=namespace,
            service=name,
            check=check,
            looked=len(releases),
            entries=[
                one.model_copy(update={"label": label.word}) if (label := labels.get(one.release)) else one
                for one in found
            ],
            worth=_worth(told.checks.get(check, Worth())),
        )

    async def _asked(self, request: web.Request, most: int) -> tuple[str, str, Sequence[Release]]:
        namespace, name = request.match_info["namespace"], request.match_info["service"]
        _wire.within(request, namespace)
        releases = await catalogue.newest(self.store, (namespace, name), most)
        by_hand = any((one.namespace, one.name) == (namespace, name) for one in self.settings.services)
        if not releases and not by_hand:
            raise NotFoundError(
                f"service {_wire.shown(name)} is not known: it is neither configured nor asked about; "
                "see /api/v1/services"
            )
        return namespace, name, releases

    def _has(self, namespace: str, name: str, check: str) -> bool:
        settings = self.settings.service(namespace, name)
        return settings is not None and any(one.name == check for one in settings.checks)


def _entry(release: Release, finding: Finding) -> CheckEntry:
    return CheckEntry(
        release=release.id,
        revision=release.key.revision,
        started=release.started,
        verdict=release.verdict,
        check=rendering.checks([finding])[0],
    )


def _worth(found: Worth) -> WorthAnswer:
    return WorthAnswer(
        labels=found.labels,
        **asdict(found),
        precision=_portion(found.precision),
        recall=_portion(found.recall),
    )


def _portion(found: Portion | None) -> PortionAnswer | None:
    if found is None:
        return None
    low, high = found.interval
    return PortionAnswer(part=found.part, whole=found.whole, share=found.share, low=low, high=high)
