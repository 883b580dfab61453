"""The page of gates: those in force, a form for a new one, and a word on what it does before it is done."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from firedamp.errors import NotFoundError
from firedamp.model import Release
from firedamp.ports import Gate
from firedamp.ui import forms
from firedamp.ui.pages.gates import Plan
from firedamp.ui.rendering import long_page
from firedamp.ui.views.site import Site, asked, number, numbered
from firedamp.ui.wording import gates as wording

#: What an address may fill the form with; the list is narrowed by namespace and service.
_FILLED = ("namespace", "service", "revision")
_BLANK = {"lasts": "30m", "hook": "hold"}


class Order(forms.Form):
    """A switch to throw; `seen` is what the page showed of it, `sure` says that its consequence was read."""

    namespace: forms.Name
    service: forms.Name
    hook: wording.Switched
    revision: forms.Label = ""
    open: forms.Ticked = True
    lasts: forms.Duration = 1800.0
    note: forms.Note = ""
    seen: forms.Label = ""
    sure: forms.Ticked = False

    def gate(self, by: str, now: float) -> Gate:
        """The gate that this makes."""
        return Gate(
            namespace=self.namespace,
            service=self.service,
            hook=self.hook,
            revision=self.revision,
            is_open=self.open,
            expires=now + self.lasts,
            by=by,
            at=now,
            note=self.note,
        )

    def fields(self) -> dict[str, str]:
        """The same as text, to be sent once more."""
        spoken = {"open": "yes" if self.open else "no", "lasts": f"{self.lasts:g}s"}
        kept = ("namespace", "service", "hook", "revision", "note")
        return {name: getattr(self, name) for name in kept} | spoken


@dataclass(frozen=True, slots=True)
class GatesViews:
    """Gates, holds and kill switches."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/gates", self.gates), web.post("/gates", self.throw)]

    async def gates(self, request: web.Request) -> web.Response:
        filters = asked(request, (*_FILLED, "done", "release"))
        return await self._shown(request, filters, release=await self._concerned(request, filters["release"]))

    async def throw(self, request: web.Request) -> web.Response:
        try:
            order = await forms.read(request, Order)
        except forms.MistakenError as mistake:
            self.site.held(request, "ruler")
            return await self._shown(request, {}, mistake=mistake, status=mistake.status)
        token = self.site.held(request, "ruler", order.namespace)
        wanted = order.gate(token.name, self.site.clock())
        before = await self.site.store.switch(wanted.namespace, wanted.service, wanted.hook, wanted.revision)
        fresh = order.seen in ("", wording.seen(before))
        if order.sure and order.seen and fresh:
            latest = await self.site.store.latest(wanted.namespace, wanted.service, wanted.revision or None)
            await self.site.store.set_gate(wanted)
            done = {"Location": wording.done_link(wanted, latest)}
            return web.Response(status=HTTPStatus.SEE_OTHER, headers=done)
        plan = wording.plan(wanted, before, order.fields(), now=wanted.at, fresh=fresh)
        return await self._shown(
            request, {}, plan=plan, status=HTTPStatus.OK if fresh else HTTPStatus.CONFLICT
        )

    async def _concerned(self, request: web.Request, text: str) -> Release | None:
        """The release that something was done about; none where it is not known any more."""
        try:
            return await numbered(number(text, "release"), self.site.store, self.site.holder(request))
        except NotFoundError:
            return None

    async def _shown(
        self,
        request: web.Request,
        filters: dict[str, str],
        *,
        mistake: forms.MistakenError | None = None,
        plan: Plan | None = None,
        release: Release | None = None,
        status: int = HTTPStatus.OK,
    ) -> web.Response:
        site, now = self.site, self.site.clock()
        names = [one for one in site.namespaces(request, filters.get("namespace", "")) if one is not None]
        switches = await site.store.switches(
            names, service=filters.get("service") or None, since=now, limit=wording.MOST + 1
        )
        lets = site.lets(request, "ruler")
        given = {**_BLANK, **{name: filters.get(name, "") for name in _FILLED}}
        shell = site.shell(request, "Gates", section="/gates", twin=wording.twin(filters))
        form = forms.entries(Order, mistake, **given) if lets else None
        closed_to = "" if lets else site.closed_to(request, "ruler")

        def shown() -> object:
            page = wording.page(shell, switches, filters, now=now, form=form, closed_to=closed_to, plan=plan)
            return wording.leading_to(page, release) if release else page

        return await long_page("gates.html", shown, status=status)
