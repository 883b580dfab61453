"""What people say of a release, by the forms of its page: rulings on warnings, and a label of the verdict."""

from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from aiohttp import web

from firedamp.errors import AskError, NotFoundError
from firedamp.judge import rulings
from firedamp.model import Judged, Label, Release, Ruled, Ruling
from firedamp.ui import forms
from firedamp.ui.views.release import drawn
from firedamp.ui.views.site import Site
from firedamp.ui.wording.checks import anchor
from firedamp.ui.wording.seen import Refused


class RulingForm(forms.Form):
    """A word on a failing warn check."""

    check: forms.Label
    word: Literal["real", "false-alarm", "withdrawn"]
    note: forms.Note = ""


class LabelForm(forms.Form):
    """A word on a release's verdict."""

    word: Literal["true-positive", "false-positive", "true-negative", "false-negative", "withdrawn"]
    note: forms.Note = ""


@dataclass(frozen=True, slots=True)
class RulingsViews:
    """Forms of the release's page; whatever is not taken comes back with why, and with what was typed."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(r"/releases/{id:[^/.]+}/rulings", self.rule),
            web.post(r"/releases/{id:[^/.]+}/label", self.label),
        ]

    async def rule(self, request: web.Request) -> web.Response:
        """Rule on a check, or withdraw a ruling; then the page is shown at that check."""
        release, by = await self._held(request)
        try:
            form = await forms.read(request, RulingForm)
        except forms.MistakenError as mistake:
            return await self._mistaken(request, release, mistake)
        said = Ruling(release.id, form.check, Ruled(form.word), by, self.site.clock(), form.note)
        refused = Refused(form.check, form.note, "")
        return await self._spoken(request, release, rulings.spoken(self.site.store, said), refused)

    async def label(self, request: web.Request) -> web.Response:
        """Say how right the verdict was, or withdraw that."""
        release, by = await self._held(request)
        try:
            form = await forms.read(request, LabelForm)
        except forms.MistakenError as mistake:
            return await self._mistaken(request, release, mistake)
        said = Label(release.id, Judged(form.word), by, self.site.clock(), form.note)
        refused = Refused("", form.note, "")
        return await self._spoken(request, release, rulings.labelled(self.site.store, said), refused)

    async def _held(self, request: web.Request) -> tuple[Release, str]:
        """The release, and the name of whoever may rule on it."""
        release = await self.site.release(request)
        return release, self.site.held(request, "ruler", release.key.namespace).name

    async def _spoken(
        self, request: web.Request, release: Release, saying: Awaitable[object], sent: Refused
    ) -> web.Response:
        try:
            await saying
        except NotFoundError:
            raise
        except AskError as error:
            refused = Refused(sent.check, sent.note, str(error))
            return await drawn(self.site, request, release, refused=refused, status=HTTPStatus.CONFLICT)
        place = anchor(sent.check) if sent.check else "facts"
        headers = {"Location": f"/releases/{release.id}#{place}"}
        return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)

    async def _mistaken(
        self, request: web.Request, release: Release, mistake: forms.MistakenError
    ) -> web.Response:
        typed = mistake.typed
        refused = Refused(typed.get("check", ""), typed.get("note", ""), str(mistake))
        return await drawn(self.site, request, release, refused=refused, status=mistake.status)
