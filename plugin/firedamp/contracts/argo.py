"""
Argo Rollouts' web metric: one address per kind of question, answered 200 with a three-valued verdict.

Five errors in a row abort a healthy release (argo-rollouts, utils/defaults/defaults.go:37), so 4xx is for
requests that nobody can understand or vouch for; all else is `inconclusive` with the remedy. Templates take
`jsonPath: "{$.summary}"`, which begins with the verdict and ends with the permalink: it is all that the
controller keeps of an answer (webmetric.go:142-160).
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from aiohttp import web
from pydantic import AfterValidator

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.errors import NotFoundError
from firedamp.model import Ask, Controller, Mode, Outcome, Question, Verdict
from firedamp.ports import Judging

_PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?")
_ALIASES = {"latest-hash": "canary-hash", "main-hash": "stable-hash"}
_NO_REVISION = (
    "canary-hash and revision are empty, so no release can be told from another; pass canary-hash by "
    "valueFrom.podTemplateHashValue: Latest"
)

_STANDS_ASIDE = "firedamp stands aside for this service (mode off); nothing was judged"


def _weight(text: str) -> str:
    if text and not (_PERCENT.fullmatch(text) and float(text) <= 100):
        raise ValueError("a percentage from 0 to 100 or nothing is allowed; write it like 20")
    return text


def _truth(text: str) -> str:
    if text not in ("true", "false", ""):
        raise ValueError("true, false or nothing is allowed; write true in an experiment's analysis")
    return text


class Arguments(_wire.Body):
    """What an AnalysisTemplate passes; Argo writes every argument as text."""

    service: _wire.Name
    namespace: _wire.Name
    canary_hash: _wire.Label = ""
    stable_hash: _wire.Label = ""
    baseline_hash: _wire.Label = ""
    revision: _wire.Label = ""
    weight: Annotated[str, AfterValidator(_weight)] = ""
    step: _wire.Label = ""
    experiment: Annotated[str, AfterValidator(_truth)] = ""

    def ask(self, question: Question) -> Ask:
        return Ask(
            namespace=self.namespace,
            service=self.service,
            question=question,
            controller=Controller.ARGO,
            revision=self.revision or self.canary_hash or None,
            arms={"canary": self.canary_hash, "main": self.stable_hash, "baseline": self.baseline_hash},
            weight=float(self.weight) / 100 if self.weight else None,
            step=self.step or None,
            experiment=self.experiment == "true",
        )


def routes(
    judge: Judging, settings: Settings, *, clock: Callable[[], float] = time.time
) -> list[web.RouteDef]:
    """The addresses of this contract."""
    contract = _Argo(_wire.desk(judge, settings.limits), settings, clock)
    return [web.route("*", "/argo/v1/{question}", contract.handle)]


@dataclass(frozen=True, slots=True)
class _Argo:
    desk: _wire.Desk
    settings: Settings
    clock: Callable[[], float]

    async def handle(self, request: web.Request) -> web.Response:
        return await _wire.safely(
            self._answer(request),
            refuse=_wire.refused_json,
            instead=lambda: self._rendered(self._troubled()),
            route="argo",
        )

    async def _answer(self, request: web.Request) -> web.Response:
        _wire.method(request, "GET", "POST")
        question = _question(request.match_info["question"])
        arguments = await self._arguments(request)
        _wire.within(request, arguments.namespace)
        return self._rendered(await self._verdict(arguments.ask(question)))

    async def _arguments(self, request: web.Request) -> Arguments:
        query = _wire.from_query(request.rel_url.raw_query_string)
        if request.method == "GET":
            return _wire.read(Arguments, _renamed(query))
        if query:
            sentence = f"parameter {_wire.shown(next(iter(query)))} is in the address of a POST"
            raise _wire.RefusedError(f"{sentence}: only a JSON body is allowed there; move it into the body")
        _wire.content_type(request, "application/json")
        data = await _wire.body(request, self.settings.limits.body_bytes)
        return _wire.read(Arguments, _renamed(_wire.from_json(data)))

    async def _verdict(self, ask: Ask) -> Verdict:
        if ask.revision is not None:
            return await self.desk.answer(ask, self.clock())
        # Without a revision the judge would speak of the latest release, which may be an old one that
        # passed: only its mode counts here.
        latest = await self.desk.answer(replace(ask, opens=False), self.clock())
        if latest.mode is Mode.OFF:
            return Verdict(Outcome.PASS, ask.question, _STANDS_ASIDE, latest.at, mode=Mode.OFF)
        return Verdict(Outcome.INCONCLUSIVE, ask.question, _NO_REVISION, latest.at, mode=latest.mode)

    def _troubled(self) -> Verdict:
        sentence = "firedamp itself is in trouble; its log says more"
        return Verdict(Outcome.INCONCLUSIVE, Question.GUARD, sentence, self.clock())

    def _rendered(self, verdict: Verdict) -> web.Response:
        return _wire.json_answer(rendered(verdict, self.settings.public_url))


def rendered(verdict: Verdict, public_url: object) -> dict[str, object]:
    """The answer's fields; `release` and `block` are left out where there is none."""
    answer: dict[str, object] = {
        "verdict": verdict.outcome,
        "summary": _wire.summary(verdict, public_url),
        "question": verdict.question,
        "mode": verdict.mode,
        "recorded": verdict.recorded or verdict.outcome,
        "at": verdict.at,
        "checks": _wire.plain(verdict.findings),
        "link": _wire.permalink(public_url, verdict),
    }
    if verdict.block is not None:
        answer["block"] = verdict.block
    if verdict.release is not None:
        release = cast(dict[str, Any], _wire.plain(verdict.release))
        answer["release"] = release | ({} if verdict.release_id is None else {"id": verdict.release_id})
    return answer


def _question(name: str) -> Question:
    try:
        return Question(name)
    except ValueError:
        known = ", ".join(Question)
        raise NotFoundError(
            f"question {_wire.shown(name)} is unknown: allowed are {known}; ask one"
        ) from None


def _renamed(data: dict[str, Any]) -> dict[str, Any]:
    for alias, name in _ALIASES.items():
        if alias in data and name in data:
            sentence = f"{alias} and {name} are two names of one value, here {_wire.shown(data[alias])}"
            raise _wire.RefusedError(f"{sentence}: one of them is allowed; remove the other")
    return {_ALIASES.get(name, name): value for name, value in data.items()}
