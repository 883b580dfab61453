"""What every view works with: the store, the settings, who looks, and how an address is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from firedamp.config import Service, Settings
from firedamp.errors import AskError, ForbiddenError, NotFoundError
from firedamp.model import Release
from firedamp.ports import Store, Token
from firedamp.ui.forms import shown
from firedamp.ui.pages.shell import SECTIONS, Link, Shell

#: The token that a request carries.
Holder = Callable[[web.Request], Token]
#: Whether a token's role includes this one.
May = Callable[[Token, str], bool]
#: What the forms of a page carry that is drawn for this request; "" where they need nothing.
Sealed = Callable[[web.Request], str]

_LONGEST = 253


@dataclass(frozen=True, slots=True)
class Site:
    """The site, for one view after the other."""

    store: Store
    settings: Settings
    holder: Holder
    may: May
    sealed: Sealed
    clock: Callable[[], float]

    def shell(self, request: web.Request, title: str, *, section: str = "", twin: str = "") -> Shell:
        """What stands around a page: `section` is the link of its part of the site."""
        token = self.holder(request)
        known = token if token.digest else None  # nobody is logged in where no token is asked for
        return Shell(
            title=title,
            nav=tuple(
                Link(one.name, one.link, one.link == section)
                for one in SECTIONS
                if not one.role or self.may(token, one.role)
            ),
            who=known.name if known else "",
            role=known.role if known else "",
            twin=twin,
            csrf=self.sealed(request),
        )

    def lets(self, request: web.Request, role: str, namespace: str | None = None) -> bool:
        """Whether whoever looks may change what this role may; where not, no form is drawn for it."""
        token = self.holder(request)
        reached = namespace is None or _mine(token, namespace)
        return reached and not self.settings.read_only and self.may(token, role)

    def closed_to(self, request: web.Request, role: str) -> str:
        """Why no form is drawn for what this role may."""
        if self.settings.read_only:
            return "Read-only: people look and change nothing here (read_only in the settings)."
        mine = self.holder(request).role
        return f"Your role {mine!r} looks; to change this takes one that includes {role!r}."

    def held(self, request: web.Request, role: str, namespace: str | None = None) -> Token:
        """
        Whoever changes something, held to a role and their namespaces.

        Raises:
            ForbiddenError: they may not.
        """
        token = self.holder(request)
        if not self.may(token, role):
            raise ForbiddenError(
                f"{token.name!r} has role {token.role!r}: a role that includes {role!r} is needed here; log "
                "in with a token that has it, or ask an administrator"
            )
        if namespace is not None and not _mine(token, namespace):
            bound = ", ".join(token.namespaces)
            raise ForbiddenError(
                f"{token.name!r} is bound to {bound}: {namespace!r} is not among them; log in with a token "
                "that is good for it"
            )
        return token

    def url(self, request: web.Request) -> str:
        """Where people reach this service."""
        return str(self.settings.public_url or f"http://{request.host}").rstrip("/")

    def namespaces(self, request: web.Request, wanted: str) -> Sequence[str | None]:
        """The namespaces to look in: the one asked for, else those of the token, else all (None)."""
        token = self.holder(request)
        if wanted and not _mine(token, wanted):
            raise ForbiddenError(f"your token is not good for namespace {wanted!r}; choose one of its own")
        return [wanted] if wanted else token.namespaces or [None]

    def services(self, request: web.Request) -> list[Service]:
        """The configured services that the token is good for."""
        token = self.holder(request)
        return [one for one in self.settings.services if _mine(token, one.namespace)]

    async def release(self, request: web.Request) -> Release:
        """
        The release of the address.

        Raises:
            NotFoundError: there is none, or the token is not good for its namespace.
        """
        return await release_of(request, self.store, self.holder(request))


async def release_of(request: web.Request, store: Store, token: Token) -> Release:
    """The release of an address, as `Site.release` says."""
    return await numbered(number(request.match_info["id"], "id"), store, token)


async def numbered(release_id: int, store: Store, token: Token) -> Release:
    """
    The release of this number.

    Raises:
        NotFoundError: there is none, or the token is not good for its namespace.
    """
    release = await store.release(release_id)
    if release is None or not _mine(token, release.key.namespace):
        raise NotFoundError(
            "this release is not known here, or your token is not good for its namespace: look it up in the "
            "list of releases, from which old ones are deleted after a while"
        )
    return release


def asked(request: web.Request, names: Sequence[str]) -> dict[str, str]:
    """Fields of the address; what is none of them is left alone, as a bookmark may carry anything."""
    found = {name: request.query.get(name, "") for name in names}
    for name, text in found.items():
        if len(text) > _LONGEST:
            raise AskError(f"{name} has {len(text)} characters: at most {_LONGEST} are allowed; shorten it")
        if not text.isprintable():
            raise AskError(
                f"{name} is {shown(text)}: only printable characters are allowed; leave others out"
            )
    return found


def number(text: str, name: str) -> int:
    """A number of a release out of an address."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise NotFoundError(f"{name} is {text[:20]!r}: releases are numbered; take its link from the list")
    return int(text)


def _mine(token: Token, namespace: str) -> bool:
    return not token.namespaces or namespace in token.namespaces
