"""What people say of a release: rulings on its warnings while it runs, a label of its verdict afterwards."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firedamp.contracts.api.calls import ApiLabel, Note
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.rendering import label_answer, ruling_answer, ruling_list
from firedamp.contracts.api.room import Room, Row, by, query
from firedamp.contracts.api.said import LabelAnswer, RulingAnswer, RulingList
from firedamp.judge import rulings
from firedamp.model import Judged, Label, Ruled, Ruling


class _Call(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RulingCall(_Call):
    """A failing warn check is real harm, which rolls back, or a false alarm, which withholds nothing."""

    check: ApiLabel
    word: Literal["real", "false-alarm"]
    note: Note = ""


class WithdrawCall(_Call):
    """The ruling on a check is as if nobody had spoken it."""

    check: ApiLabel
    note: Note = ""


class LabelCall(_Call):
    """How right the verdict was: positive is a release that failed, false one that should not have."""

    word: Literal["true-positive", "false-positive", "true-negative", "false-negative"]
    note: Note = ""


class UnlabelCall(_Call):
    """The release has no label any more."""

    note: Note = ""


class Rulings(Room):
    """Rulings and labels, each told with who said it."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        op, words, label = Operation, "/releases/{id}/rulings", "/releases/{id}/label"
        return [
            (op("GET", words, "viewer", RulingList), self.rulings),
            (op("POST", words, "ruler", RulingAnswer, body=RulingCall, may_clash=True), self.rule),
            (op("DELETE", words, "ruler", RulingAnswer, query=WithdrawCall, may_clash=True), self.withdraw),
            (op("PUT", label, "ruler", LabelAnswer, body=LabelCall, may_clash=True), self.label),
            (op("DELETE", label, "ruler", LabelAnswer, query=UnlabelCall, may_clash=True), self.unlabel),
        ]

    async def rulings(self, request: web.Request) -> RulingList:
        release = await self.release_of(request)
        return ruling_list(await self.store.rulings(release.id))

    async def rule(self, request: web.Request) -> RulingAnswer:
        call = await self.body(RulingCall, request)
        return await self._spoken(request, call.check, Ruled(call.word), call.note)

    async def withdraw(self, request: web.Request) -> RulingAnswer:
        call = query(WithdrawCall, request)
        return await self._spoken(request, call.check, Ruled.WITHDRAWN, call.note)

    async def label(self, request: web.Request) -> LabelAnswer:
        call = await self.body(LabelCall, request)
        return await self._labelled(request, Judged(call.word), call.note)

    async def unlabel(self, request: web.Request) -> LabelAnswer:
        call = query(UnlabelCall, request)
        return await self._labelled(request, Judged.WITHDRAWN, call.note)

    async def _spoken(self, request: web.Request, check: str, word: Ruled, note: str) -> RulingAnswer:
        release = await self.release_of(request)
        ruling = Ruling(release.id, check, word, by(request), self.clock(), note)
        spoken = await rulings.spoken(self.store, ruling)
        return ruling_answer(spoken, in_force=word is not Ruled.WITHDRAWN)

    async def _labelled(self, request: web.Request, word: Judged, note: str) -> LabelAnswer:
        release = await self.release_of(request)
        label = Label(release.id, word, by(request), self.clock(), note)
        return label_answer(await rulings.labelled(self.store, label))
