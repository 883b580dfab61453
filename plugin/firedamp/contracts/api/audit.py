"""The audit trail."""

from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from firedamp.contracts.api.answers import EventAnswer
from firedamp.contracts.api.calls import ApiLabel, ApiName, Id, Moment, Page
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.rendering import event_answer
from firedamp.contracts.api.room import Room, Row, namespaces, query
from firedamp.ports import Sifted

_LONGEST_NAME = 253


def _who(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
        raise ValueError(f"1 to {_LONGEST_NAME} printable characters are allowed; write the name as recorded")
    return text


class AuditCall(BaseModel):
    """A page of the audit trail, newest first; `before` is `next` of the page before."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    namespace: ApiName | None = None
    service: ApiName | None = None
    revision: ApiLabel | None = None
    #: "gate", "ruling", "label", "override", "outcome", "token", ...
    kind: ApiName | None = None
    #: Who did it: the name of a token, or of a person.
    by: (
        Annotated[str, AfterValidator(_who), WithJsonSchema({"type": "string", "pattern": "^[ -~]{1,253}$"})]
        | None
    ) = None
    #: They enclose the time at which it was done.
    since: Moment | None = None
    until: Moment | None = None
    before: Id | None = None
    limit: Page = 50


class EntryAnswer(EventAnswer):
    """One line of the audit trail in its place; ids only grow."""

    id: int


class Trail(BaseModel):
    """A page of the audit trail; ask again with `before=next`."""

    model_config = ConfigDict(frozen=True)

    events: list[EntryAnswer]
    next: int | None = None


class Audit(Room):
    """What people and programs did, newest first."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        return [(Operation("GET", "/audit", "viewer", Trail, query=AuditCall), self.trail)]

    async def trail(self, request: web.Request) -> Trail:
        call = query(AuditCall, request)
        names = [one for one in namespaces(request, call.namespace) if one is not None]
        sifted = Sifted(
            namespaces=tuple(names),
            service=call.service,
            revision=call.revision,
            kind=call.kind,
            by=call.by,
            since=call.since,
            until=call.until,
        )
        found = await self.store.trail(sifted, before=call.before, limit=call.limit)
        return Trail(
            events=[EntryAnswer(id=one.id, **event_answer(one.event).model_dump()) for one in found],
            next=found[-1].id if len(found) == call.limit else None,
        )
