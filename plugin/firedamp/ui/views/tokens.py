"""The page of tokens, for administrators."""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator

from firedamp.errors import AskError, ForbiddenError, NotFoundError
from firedamp.ports import Keys, Token
from firedamp.ui import forms
from firedamp.ui.pages.tokens import Said
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site
from firedamp.ui.wording import tokens as wording

_MOST_NAMESPACES = 50
_LONGEST_NAME = 100
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,253}")


def _title(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable() or text != text.strip():
        raise ValueError(
            f"1 to {_LONGEST_NAME} printable characters are allowed; it stands in the audit trail"
        )
    return text


def _names(text: str) -> str:
    found = text.replace(",", " ").split()
    if len(found) > _MOST_NAMESPACES or not all(_NAMESPACE.fullmatch(one) for one in found):
        raise ValueError(f"write at most {_MOST_NAMESPACES} names as in Kubernetes, like shop, web")
    return text


class Wanted(forms.Form):
    """A token to make."""

    name: Annotated[str, AfterValidator(_title)]
    role: Literal["viewer", "ruler", "tuner", "asker", "gatekeeper", "admin"]
    namespaces: Annotated[str, AfterValidator(_names)] = ""
    path: forms.Ticked = False

    def token(self) -> Token:
        """The same without a secret."""
        names = tuple(dict.fromkeys(self.namespaces.replace(",", " ").split()))
        return Token(self.name, "", self.role, names, self.path)


class Revoked(forms.Form):
    """A token to revoke; `sure` says that the consequence was read."""

    name: Annotated[str, AfterValidator(_title)]
    sure: forms.Ticked = False


@dataclass(frozen=True, slots=True)
class TokensViews:
    """Credentials of people and programs."""

    site: Site
    keys: Keys

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/tokens", self.tokens),
            web.post("/tokens", self.make),
            web.post("/tokens/revoke", self.revoke),
        ]

    async def tokens(self, request: web.Request) -> web.Response:
        return await self._shown(request, Said(done=wording.DONE.get(request.query.get("done", ""), "")))

    async def make(self, request: web.Request) -> web.Response:
        by = self.site.held(request, "admin")
        try:
            wanted = (await forms.read(request, Wanted)).token()
        except forms.MistakenError as mistake:
            return await self._shown(request, Said(), mistake)
        try:
            secret = await self.keys.make(wanted, by, self.site.clock())
        except ForbiddenError:
            raise
        except AskError as error:
            typed = {"name": wanted.name, "role": wanted.role, "namespaces": ", ".join(wanted.namespaces)}
            kept = forms.MistakenError({**typed, "path": "yes" if wanted.path else "no"}, {})
            return await self._shown(request, Said(fault=str(error)), kept)
        return await self._shown(request, Said(made=wording.made(wanted, secret)))

    async def revoke(self, request: web.Request) -> web.Response:
        by = self.site.held(request, "admin")
        asked = await forms.read(request, Revoked)
        found = [one for one in await self.keys.known(by) if one.name == asked.name and one.revoked is None]
        if not found:
            raise NotFoundError(f"no token {asked.name!r} is in force; look at the list")
        if not asked.sure:
            return await self._shown(request, Said(leaving=wording.leaving(found[0], by)))
        await self.keys.revoke(asked.name, by, self.site.clock())
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/tokens?done=revoked"})

    async def _shown(
        self, request: web.Request, said: Said, mistake: forms.MistakenError | None = None
    ) -> web.Response:
        site, lets = self.site, self.site.lets(request, "admin")
        known = await self.keys.known(site.held(request, "admin"))
        shown = wording.page(
            site.shell(request, "Tokens", section="/tokens", twin="/api/v1/tokens"),
            known,
            said if lets else replace(said, closed_to=site.closed_to(request, "admin")),
            now=site.clock(),
            form=forms.entries(Wanted, mistake, role="viewer", path="no") if lets else None,
            mounted=site.settings.auth.token_files,
        )
        return page("tokens.html", shown, status=mistake.status if mistake else HTTPStatus.OK)
