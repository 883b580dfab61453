"""Questions about a release, and how releases ended: what reaches the judge itself."""

from aiohttp import web

from firedamp.contracts import _wire
from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, by
from firedamp.errors import NotFoundError
from firedamp.model import Ask, Controller, Question


class Verdicts(Room):
    """One question at a time."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        return [
            (Operation("POST", "/judge", "asker", answers.VerdictAnswer, body=calls.JudgeCall), self.judge)
        ]

    async def judge(self, request: web.Request) -> answers.VerdictAnswer:
        call = await self.body(calls.JudgeCall, request)
        _wire.within(request, call.namespace)
        ask = Ask(
            namespace=call.namespace,
            service=call.service,
            question=Question(call.question),
            controller=Controller.API,
            revision=call.revision or None,
            arms=call.cohorts.named(),
            weight=call.weight,
            step=call.step or None,
            experiment=call.experiment,
        )
        return rendering.verdict_answer(await self.desk.answer(ask, self.clock()), self.settings.public_url)


class Outcomes(Room):
    """How releases ended."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        operation = Operation("POST", "/outcomes", "ruler", answers.OutcomeAnswer, body=calls.OutcomeCall)
        return [(operation, self.outcome)]

    async def outcome(self, request: web.Request) -> answers.OutcomeAnswer:
        call = await self.body(calls.OutcomeCall, request)
        _wire.within(request, call.namespace)
        release = await self.desk.ended(
            call.namespace,
            call.service,
            call.revision or None,
            outcome=call.outcome,
            by=by(request),
            now=self.clock(),
        )
        if release is None:
            which = f" {_wire.shown(call.revision)}" if call.revision else ""
            raise NotFoundError(
                f"no release{which} of {call.namespace}/{call.service} is known: "
                "only a release that was asked about can end; see /api/v1/releases"
            )
        return answers.OutcomeAnswer(release=rendering.release_answer(release, self.settings.public_url))
