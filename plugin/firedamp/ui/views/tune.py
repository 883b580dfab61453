"""The page on which people tune a service, and see first what that would have changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from firedamp.config import exporting
from firedamp.decision import tuning
from firedamp.decision.tuning import Change
from firedamp.errors import AskError, ConflictError, NotFoundError, UnsuitedError
from firedamp.judge.previews import MOMENT
from firedamp.judge.tuned import History, Tuning
from firedamp.ui import forms
from firedamp.ui.pages.tune import Outcome
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site, asked
from firedamp.ui.wording import previews, tune, tuned_values
from firedamp.ui.wording.releases import service_link, tuning_link

_PATH = "/services/{namespace}/{service}/tuning"


class TuneForm(forms.Form):
    """
    A change to look at: the draft, and what was typed over it, each field as text.

    What is not in the form is as in the draft; so one release after the other is judged by the draft alone.
    """

    draft: str = ""
    based_on: forms.Whole
    check: forms.Label = ""
    note: str = ""
    tolerance: str | None = None
    max_increase: str | None = None
    max_decrease: str | None = None
    max: str | None = None
    min: str | None = None
    min_excess: str | None = None
    pass_ratio: str | None = None
    pass_excess: str | None = None
    tier: str | None = None
    weight: str | None = None
    warm_up: str | None = None
    promote_after: str | None = None
    decide_by: str | None = None
    alpha: str | None = None
    alpha_warn: str | None = None

    def typed(self) -> Mapping[str, str]:
        """The fields that were in the form."""
        return {name: text for name in tuned_values.FIELDS if (text := getattr(self, name)) is not None}


class SaveForm(forms.Form):
    """A change to put into force, as it was seen, and why."""

    draft: str
    based_on: forms.Whole
    note: str = ""


@dataclass(frozen=True, slots=True)
class TuneViews:
    """A service's tuned settings: what is in force, previews, saving, the settings file."""

    site: Site
    tuning: Tuning

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(_PATH, self.show),
            web.post(f"{_PATH}/preview", self.preview),
            web.post(_PATH, self.save),
            web.get(f"{_PATH}.yaml", self.download),
        ]

    async def show(self, request: web.Request) -> web.Response:
        found = await self._found(request)
        wanted = asked(request, ("check", "done"))
        drawn = tune.Drawn(wanted["check"], found.now.change, done=tune.done(wanted["done"]))
        if "draft" in request.query:
            drawn = replace(drawn, draft=_change(request.query["draft"]))
        return self._page(request, found, drawn)

    async def preview(self, request: web.Request) -> web.Response:
        found = await self._held(request)
        form = await forms.read(request, TuneForm)
        draft, typed = _change(form.draft), form.typed()
        try:
            change = tuned_values.change(draft, found.now.written, form.check, typed)
        except tuned_values.WrongError as wrong:
            drawn = tune.Drawn(form.check, draft, typed, wrong.faults)
            return self._page(request, found, drawn, HTTPStatus.UNPROCESSABLE_ENTITY)
        except UnsuitedError as error:
            drawn = tune.Drawn(form.check, draft, typed, fault=str(error))
            return self._page(request, found, drawn, HTTPStatus.UNPROCESSABLE_ENTITY)
        wanted = previews.Asked(found.now, change, form.check, form.note)
        return await self._judged(request, found, wanted)

    async def save(self, request: web.Request) -> web.Response:
        found = await self._held(request)
        form = await forms.read(request, SaveForm)
        change, names = _change(form.draft), _names(request)
        try:
            saved = await self.tuning.save(
                names,
                change,
                based_on=form.based_on,
                by=self.site.holder(request).name,
                note=_note(form.note),
                now=self.site.clock(),
            )
        except (AskError, ConflictError) as error:
            wanted = previews.Asked(found.now, change, note=form.note)
            return await self._judged(request, found, wanted, fault=str(error))
        done = f"{tuning_link(*names)}?done={saved.version}"
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": done})

    async def download(self, request: web.Request) -> web.Response:
        text = self._export(request, await self._found(request))
        name = "-".join(_names(request))
        named = {"Content-Disposition": f'attachment; filename="{name}.yaml"', "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="application/yaml", charset="utf-8", headers=named)

    async def _judged(
        self, request: web.Request, found: History, wanted: previews.Asked, fault: str = ""
    ) -> web.Response:
        """The page with what a change would have made; after a fault, with why nothing was saved."""
        drawn = tune.Drawn(wanted.check, wanted.change, fault=fault)
        status = HTTPStatus.CONFLICT if fault else HTTPStatus.OK
        try:
            same = not wanted.difference and not found.now.misfit
        except UnsuitedError:
            return self._page(request, found, drawn, status)
        outcome = previews.unchanged() if same else await self._outcome(request, wanted)
        return self._page(request, found, replace(drawn, outcome=outcome), status)

    async def _outcome(self, request: web.Request, wanted: previews.Asked) -> Outcome:
        """What a moment brings, and what was found before."""
        made = await self.tuning.preview(wanted.known, _names(request), wanted.change, moment=MOMENT)
        labels = await self.site.store.labels([one.release.id for one in made.compared])
        return previews.outcome(replace(wanted, labels=labels), made, self.site.clock())

    def _page(
        self, request: web.Request, found: History, drawn: tune.Drawn, status: int = HTTPStatus.OK
    ) -> web.Response:
        names, site = _names(request), self.site
        title = f"Tune {names[0]}/{names[1]}"
        twin = f"/api/v1{service_link(*names)}/tuning"
        shown = tune.page(
            site.shell(request, title, section="/services", twin=twin),
            names,
            found,
            _fitting(drawn, found),
            closed_to="" if site.lets(request, "tuner", names[0]) else site.closed_to(request, "tuner"),
            export=self._export(request, found),
            now=site.clock(),
        )
        return page("tune.html", shown, status=status)

    def _export(self, request: web.Request, found: History) -> str:
        service = self.site.settings.service(*_names(request))
        return exporting.entry(service, found) if service else ""

    async def _found(self, request: web.Request) -> History:
        """
        The service of the address with its versions.

        Raises:
            NotFoundError: the settings do not know it.
            ForbiddenError: the token is not good for its namespace.
        """
        names = _names(request)
        self.site.namespaces(request, names[0])
        return await self.tuning.versions(*names)

    async def _held(self, request: web.Request) -> History:
        """The same for whoever may change it."""
        self.site.held(request, "tuner", _names(request)[0])
        return await self._found(request)


def _fitting(drawn: tune.Drawn, found: History) -> tune.Drawn:
    """The same, with what is in force where its draft does not fit the settings, and with the reason."""
    try:
        drawn.draft.applied(found.now.written)
    except UnsuitedError as error:
        return replace(drawn, draft=found.now.change, fault=drawn.fault or str(error))
    return drawn


def _names(request: web.Request) -> tuple[str, str]:
    """
    Namespace and service of the address.

    Raises:
        NotFoundError: they are no names; with defaults in the settings any other pair would be known.
    """
    names = request.match_info["namespace"], request.match_info["service"]
    if not all(forms.NAME.fullmatch(name) for name in names):
        raise NotFoundError("no service has such a name: 1 to 253 of A-Z a-z 0-9 . _ - are allowed")
    return names


def _change(draft: str) -> Change:
    """
    What a form or an address says of a draft.

    Raises:
        AskError: no page of ours wrote it.
    """
    try:
        return tuning.from_json(draft) if draft else Change()
    except ValueError as error:
        raise AskError(
            f"draft is {forms.shown(draft)}: no change that this version knows; open the page again"
        ) from error


def _note(text: str) -> str:
    """
    A reason for the audit trail.

    Raises:
        AskError: it is too long, or no line of text.
    """
    try:
        return _NOTE.validate_python(text)
    except ValidationError as error:
        fault = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise AskError(f"the reason cannot be kept: {fault}") from error


_NOTE: TypeAdapter[str] = TypeAdapter(forms.Said)
