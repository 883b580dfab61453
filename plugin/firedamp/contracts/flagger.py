"""
Flagger's webhooks: one address per hook type below a secret path segment.

The payload does not say which hook it comes from, and Flagger knows no third answer, so the address says it
and each hook maps the three-valued verdict its own way (flagger v1.44.0, pkg/controller/scheduler_hooks.go):

    hook                       undecided                 pass   fail
    confirm-rollout            200 (403 while held)      200    200
    pre-rollout, rollout       200; rollout 403 where    200    403
                               the policy fails it
    confirm-traffic-increase   403                       200    403
    confirm-promotion          403                       200    403
    rollback                   403                       403    200, also by a person's order
    post-rollout, event        200, recorded

The first traffic increase comes at weight 0; there the judge says pass, as it knows that Flagger asks.
Never 5xx or 429 (their text is lost), never 204 (a failure there). `rollback` is the other way round: any
stray 200 rolls production back, so it says 200 on proven harm or a person's recorded order only: an open
rollback gate, or a warning that somebody ruled real. A release that the service's own policy fails without
harm is told to `rollout`, which Flagger counts as a failed check until its threshold: no other hook could end
a promotion that waits.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.errors import AskError, NotFoundError
from firedamp.model import Ask, Controller, Mode, Outcome, Question, Verdict
from firedamp.ports import Event, Judging, Store, Token

#: A status and one line of reason.
Answer = tuple[int, str]

_GO_ON, _NO = 200, 403
_TROUBLE = "firedamp itself is in trouble, which says nothing of this release; its log says more"
#: Hooks that a trouble of ours must not stop; the others hold, and rollback does not roll back.
_UNSTOPPED = frozenset({"pre-rollout", "rollout", "post-rollout", "event"})
_WEIGHT = re.compile(r"Advance \S+ canary weight (\d{1,3})")
#: Flagger quotes the address of a hook that it could not reach, secret and all.
_SECRET = re.compile(r"/flagger/v1/[^/\s]+")
_STANDS_BACK = frozenset({Mode.SHADOW, Mode.OFF})
#: How a release ended, by the beginning of an event (pkg/controller/scheduler.go:333,421,997).
_ENDINGS = {
    "Promotion completed!": "promoted",
    "Canary failed!": "rolled-back",
    "New revision detected! Restarting analysis": "superseded",
}
_OUTCOMES = {"Succeeded": "promoted", "Failed": "rolled-back"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a hook, understood."""

    hook: str
    payload: _wire.Payload
    token: Token
    now: float

    @property
    def service(self) -> str:
        return self.payload.service

    @property
    def namespace(self) -> str:
        return self.payload.namespace

    @property
    def revision(self) -> str | None:
        return self.payload.checksum or None

    def ask(self, question: Question) -> Ask:
        return Ask(
            namespace=self.namespace,
            service=self.service,
            question=question,
            controller=Controller.FLAGGER,
            revision=self.revision,
            # Without a revision there is nothing to open: the answer is about the latest release.
            opens=self.revision is not None,
        )

    def event(self, kind: str, text: str, data: Mapping[str, str] | None = None) -> Event:
        return Event(
            at=self.now,
            kind=kind,
            namespace=self.namespace,
            service=self.service,
            revision=self.revision or "",
            by=self.token.name,
            text=_wire.one_line(_SECRET.sub("/flagger/v1/…", text), 1000),
            data=data or {},
        )


def routes(
    judge: Judging,
    store: Store,
    settings: Settings,
    grants: _wire.Grants,
    *,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The addresses of this contract; `grants` finds the token of a path secret and a namespace."""
    contract = _Flagger(_wire.desk(judge, settings.limits), store, settings, grants, clock)
    return [web.route("*", "/flagger/v1/{secret}/{hook}", contract.handle)]


@dataclass(frozen=True, slots=True)
class _Flagger:
    desk: _wire.Desk
    store: Store
    settings: Settings
    grants: _wire.Grants
    clock: Callable[[], float]

    async def handle(self, request: web.Request) -> web.Response:
        hook = request.match_info["hook"]
        trouble = _GO_ON if hook in _UNSTOPPED else _NO
        return await _wire.safely(
            self._answer(request, hook),
            refuse=lambda error: _refused(hook, error),
            instead=lambda: _wire.text_answer(f"inconclusive: {_TROUBLE}", trouble),
            route="flagger",
        )

    async def _answer(self, request: web.Request, hook: str) -> web.Response:
        answered = self._hooks().get(hook)
        if answered is None:
            known = ", ".join(self._hooks())
            raise NotFoundError(f"hook {_wire.shown(hook)} is unknown: allowed are {known}; mend the address")
        _wire.method(request, "POST")
        _wire.content_type(request, "application/json")
        data = _wire.from_json(await _wire.body(request, self.settings.limits.body_bytes))
        payload = _wire.read(_wire.Payload, data)
        token = await _wire.admitted(self.grants, request, payload.namespace)
        status, line = await answered(Call(hook, payload, token, self.clock()))
        return _wire.text_answer(line, status)

    def _hooks(self) -> dict[str, Callable[[Call], Awaitable[Answer]]]:
        return {
            "confirm-rollout": self._confirm_rollout,
            "pre-rollout": self._guard,
            "rollout": self._rollout,
            "confirm-traffic-increase": self._confirm_traffic_increase,
            "confirm-promotion": self._confirm_promotion,
            "post-rollout": self._post_rollout,
            "rollback": self._rollback,
            "event": self._event,
        }

    async def _confirm_rollout(self, call: Call) -> Answer:
        """Hold while nobody should release; opens nothing, for the checksum may be the old revision's."""
        latest = replace(call, payload=call.payload.model_copy(update={"checksum": ""}))
        verdict = await self._asked(latest, Question.GUARD)
        if isinstance(verdict, _wire.StandIn):
            return _NO, self._line(verdict)
        if verdict.mode is Mode.HOLD:
            return _NO, f"hold: {self._line(await self._asked(latest, Question.ADVANCE))}"
        return await self._gated(call, verdict, (_GO_ON, "a release may begin"))

    async def _guard(self, call: Call) -> Answer:
        verdict = await self._asked(call, Question.GUARD)
        return self._said(verdict, goes_on=verdict.outcome is not Outcome.FAIL)

    async def _rollout(self, call: Call) -> Answer:
        """A guard that also ends what the policy fails, for confirm-promotion could only hold it."""
        answer = await self._guard(call)
        if answer[0] == _NO:
            return answer
        verdict = await self._asked(call, Question.PROMOTE)
        if verdict.outcome is not Outcome.FAIL:
            return answer
        return self._said(verdict, goes_on=False)

    async def _confirm_traffic_increase(self, call: Call) -> Answer:
        verdict = await self._asked(call, Question.ADVANCE)
        return await self._gated(call, verdict, self._said(verdict, goes_on=verdict.outcome is Outcome.PASS))

    async def _confirm_promotion(self, call: Call) -> Answer:
        verdict = await self._asked(call, Question.PROMOTE)
        return await self._gated(call, verdict, self._said(verdict, goes_on=verdict.outcome is Outcome.PASS))

    async def _rollback(self, call: Call) -> Answer:
        ordered = await self.store.gate(
            call.namespace, call.service, "rollback", call.payload.checksum, call.now
        )
        if ordered is not None:
            return _GO_ON, f"rollback: ordered by {ordered.by}"
        verdict = await self._asked(call, Question.GUARD)
        proven = verdict.rollback and verdict.mode not in _STANDS_BACK
        return (
            (_GO_ON, f"rollback: {self._line(verdict)}")
            if proven
            else (_NO, f"no rollback: {self._line(verdict)}")
        )

    async def _post_rollout(self, call: Call) -> Answer:
        phase = call.payload.phase
        await self.store.record(call.event("hook", f"post-rollout {phase}", {"phase": phase}))
        if phase in _OUTCOMES:
            await self._ended(call, _OUTCOMES[phase])
        return _GO_ON, f"recorded: {phase or 'no phase'}"

    async def _event(self, call: Call) -> Answer:
        message = call.payload.metadata.get("eventMessage", "")
        data = {"phase": call.payload.phase, "type": call.payload.metadata.get("eventType", "")}
        await self.store.record(call.event("event", message or "event without a message", data))
        if weight := _WEIGHT.fullmatch(message):
            await self._advanced(call, int(weight[1]) / 100)
        for beginning, outcome in _ENDINGS.items():
            if message.startswith(beginning):
                await self._ended(call, outcome)
        return _GO_ON, "recorded"

    async def _advanced(self, call: Call, weight: float) -> None:
        share = min(weight, 1.0)
        await self.desk.told_weight(call.namespace, call.service, call.revision, weight=share, now=call.now)

    async def _ended(self, call: Call, outcome: str) -> None:
        """Report the end, and take back an order to roll back: it was meant for this release."""
        await self.desk.ended(
            call.namespace, call.service, call.revision, outcome=outcome, by=call.token.name, now=call.now
        )
        revisions = {call.payload.checksum, ""}
        for gate in await self.store.gates(call.namespace):
            mine = (gate.service, gate.hook) == (call.service, "rollback") and gate.revision in revisions
            if mine and gate.is_open:
                closed = replace(
                    gate, is_open=False, by=call.token.name, at=call.now, note=f"release {outcome}"
                )
                await self.store.set_gate(closed)

    async def _gated(self, call: Call, verdict: Verdict, answer: Answer) -> Answer:
        """Hold also until a person opens the gate, where the hook's metadata has `gate: "true"`."""
        wanted = call.payload.metadata.get("gate") == "true" and verdict.mode is not Mode.OFF
        if answer[0] != _GO_ON or not wanted:
            return answer
        gate = await self.store.gate(call.namespace, call.service, call.hook, call.payload.checksum, call.now)
        if gate is not None:
            return _GO_ON, f"{answer[1]}; gate opened by {gate.by}"
        name = f"{call.hook} of {call.namespace}/{call.service}"
        return _NO, f"closed: the gate {name} waits for a person; open it below the same address by gate/open"

    async def _asked(self, call: Call, question: Question) -> Verdict:
        return await self.desk.answer(call.ask(question), call.now)

    def _said(self, verdict: Verdict, *, goes_on: bool) -> Answer:
        if verdict.mode in _STANDS_BACK and not goes_on:
            return _GO_ON, f"{verdict.mode}: {self._line(verdict)}"
        return (_GO_ON if goes_on else _NO), self._line(verdict)

    def _line(self, verdict: Verdict) -> str:
        return _wire.summary(verdict, self.settings.public_url)


def _refused(hook: str, error: AskError) -> web.Response:
    polarity = {"rollback": "nothing is rolled back", "rollout": "Flagger counts this as a failed check"}
    sentence = f"{error} ({polarity.get(hook, 'a fault of the webhook, not of the release')})"
    return _wire.text_answer(sentence, _wire.status_of(error), getattr(error, "allow", ""))
