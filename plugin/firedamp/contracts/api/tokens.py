"""Tokens: who has one; made with a secret that is told once, and revoked."""

from dataclasses import dataclass
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from firedamp.contracts import _wire
from firedamp.contracts.api.calls import ApiName
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, query
from firedamp.ports import Keys, Token

_LONGEST_NAME = 100


def _title(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable() or text != text.strip():
        raise ValueError(f"1 to {_LONGEST_NAME} printable characters are allowed; say what people call it")
    return text


Title = Annotated[
    str,
    AfterValidator(_title),
    WithJsonSchema({"type": "string", "pattern": r"^[!-~]([ -~]{0,98}[!-~])?$"}),
]
Role = Literal["viewer", "ruler", "tuner", "asker", "gatekeeper", "admin"]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TokenCall(_Model):
    """Make a token; without namespaces it is good for all of them."""

    name: Title
    role: Role
    namespaces: Annotated[list[ApiName], Field(max_length=50)] = []
    #: Usable as a secret path segment of Flagger's hooks, and nowhere else.
    path: bool = False


class RevokeCall(_Model):
    """Make a token useless from now on; its name is not used again."""

    name: Title


class EverythingCall(_Model):
    """Everything there is."""


class TokenAnswer(BaseModel):
    """A credential, without its secret."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: str
    namespaces: list[str]
    path: bool
    created: float
    revoked: float | None = None
    #: Whether it lies in a mounted file, which no call of the API takes away.
    mounted: bool


class MadeAnswer(TokenAnswer):
    """A token that was just made, with its secret: this is the one time that it is told."""

    secret: str


class TokenList(BaseModel):
    """All tokens, revoked ones included."""

    model_config = ConfigDict(frozen=True)

    tokens: list[TokenAnswer]


class RevokedAnswer(BaseModel):
    """The token that is no longer in force."""

    model_config = ConfigDict(frozen=True)

    name: str


@dataclass(frozen=True, slots=True)
class Tokens(Room):
    """Credentials of people and programs, for administrators."""

    keys: Keys

    def rows(self) -> list[Row]:
        return [
            (Operation("GET", "/tokens", "admin", TokenList, query=EverythingCall), self.tokens),
            (Operation("POST", "/tokens", "admin", MadeAnswer, body=TokenCall, may_clash=True), self.make),
            (Operation("DELETE", "/tokens", "admin", RevokedAnswer, query=RevokeCall), self.revoke),
        ]

    async def tokens(self, request: web.Request) -> TokenList:
        query(EverythingCall, request)
        known = await self.keys.known(request[_wire.TOKEN])
        return TokenList(tokens=[TokenAnswer(**self._plain(one)) for one in known])

    async def make(self, request: web.Request) -> MadeAnswer:
        call = await self.body(TokenCall, request)
        now = self.clock()
        wanted = Token(call.name, "", call.role, tuple(call.namespaces), call.path, created=now)
        secret = await self.keys.make(wanted, request[_wire.TOKEN], now)
        return MadeAnswer(**self._plain(wanted), secret=secret)

    async def revoke(self, request: web.Request) -> RevokedAnswer:
        call = query(RevokeCall, request)
        await self.keys.revoke(call.name, request[_wire.TOKEN], self.clock())
        return RevokedAnswer(name=call.name)

    def _plain(self, token: Token) -> dict[str, object]:
        return {
            "name": token.name,
            "role": token.role,
            "namespaces": list(token.namespaces),
            "path": token.path,
            "created": token.created,
            "revoked": token.revoked,
            "mounted": token.name in self.settings.auth.token_files,
        }
