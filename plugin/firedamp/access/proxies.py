"""
People whom a proxy has signed in: their name and groups, in headers that only a trusted address may send.

Anybody can write a header, so from any other address they are ignored and counted. From a trusted one they
are read strictly: one value each, for two mean that the proxy lets through what its callers send.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from firedamp.access.attempts import parsed
from firedamp.access.roles import PEOPLE
from firedamp.errors import AskError, ForbiddenError
from firedamp.ports import Token
from firedamp.telemetry import UNTRUSTED_IDENTITIES


class Headers(Protocol):
    """Headers as aiohttp has them: names in any case, each as often as it came."""

    def __contains__(self, name: object, /) -> bool: ...

    def getall(self, name: str, default: list[str], /) -> list[str]: ...


#: Stands for everybody whom the proxy has signed in.
EVERYBODY = "*"
#: Stands where the digest of a person's token would; it is nobody's digest.
PROXIED = "proxied"
_MOST_NAME = 128
_MOST_GROUPS = 8192


@dataclass(frozen=True, slots=True)
class Proxies:
    """
    Which addresses are believed, and what the groups may that they tell of.

    Attributes:
        roles: groups of each role; the strongest role of a person's groups is theirs.
    """

    addresses: Sequence[IPv4Network | IPv6Network]
    user_header: str
    groups_header: str
    roles: Mapping[str, Sequence[str]]

    def person(self, remote: str | None, headers: Headers) -> Token | None:
        """
        Who sits behind a request; None where no proxy of ours says so.

        Raises:
            AskError: the headers of a trusted proxy are not what they should be.
            ForbiddenError: none of the person's groups has a role here.
        """
        if self.user_header not in headers:
            return None
        if not self._trusted(remote):
            UNTRUSTED_IDENTITIES.inc()
            return None
        name = _name(self.user_header, _one(self.user_header, headers))
        role = self._role(_groups(self.groups_header, _one(self.groups_header, headers)))
        if role is None:
            known = sorted({group for groups in self.roles.values() for group in groups})
            raise ForbiddenError(
                f"{name!r} is in no group that has a role here; needed is one of {', '.join(known)}: "
                "ask an administrator of these groups, or of auth.proxy.roles in the settings"
            )
        return Token(name=name, digest=PROXIED, role=role)

    def _trusted(self, remote: str | None) -> bool:
        address = parsed(remote or "")
        return address is not None and any(address in network for network in self.addresses)

    def _role(self, groups: frozenset[str]) -> str | None:
        mine = [role for role in PEOPLE if groups.intersection(self.roles.get(role, ()))]
        return mine[-1] if mine else None


def _one(header: str, headers: Headers) -> str:
    found = headers.getall(header, [""])
    if len(found) > 1:
        raise AskError(
            f"{header} came {len(found)} times: once is allowed; let the proxy drop what its callers send"
        )
    return found[0]


def _name(header: str, text: str) -> str:
    if not text or len(text) > _MOST_NAME or not text.isprintable() or "," in text or text != text.strip():
        raise AskError(
            f"{header} has {len(text)} characters: one name of 1 to {_MOST_NAME} printable ones without "
            "comma is allowed; let the proxy send the person's name or address"
        )
    return text


def _groups(header: str, text: str) -> frozenset[str]:
    if len(text) > _MOST_GROUPS or not text.isprintable():
        raise AskError(
            f"{header} has {len(text)} characters: at most {_MOST_GROUPS} printable ones are allowed; let "
            "the proxy send the groups that matter here"
        )
    return frozenset({EVERYBODY, *filter(None, (one.strip() for one in text.split(",")))})
