"""
A Prometheus that knows one metric: `firedamp_verdict{namespace,service,question}`.

1 is pass, 0.5 undecided, 0 fail, and the sentence is a warning. For callers that can ask a Prometheus and
nothing else: Flagger's MetricTemplates and Argo's prometheus provider, which keeps the warnings
(argo-rollouts, metricproviders/prometheus/prometheus.go:105-115). There is always exactly one element and it
always has a value: one without ends the process of Flagger 1.44, none at all counts as a failed check.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.errors import AskError
from firedamp.model import Ask, Controller, Mode, Outcome, Question, Verdict
from firedamp.ports import Judging
from firedamp.queries import Op, Selector, selector

METRIC = "firedamp_verdict"
VALUES = {Outcome.PASS: "1", Outcome.INCONCLUSIVE: "0.5", Outcome.FAIL: "0"}
#: Flagger's provider gives up after 5 s (flagger v1.44.0, pkg/metrics/providers/prometheus.go:64).
_WITHIN_SECONDS = 4.0
_ONLINE = re.compile(r"\s*vector\(\s*1\s*\)\s*")
_EXAMPLE = f'{METRIC}{{namespace="shop",service="checkout",question="guard"}}'


class Form(_wire.Body):
    """Parameters of an instant query; all but the query are read and have no effect."""

    query: str
    time: str = ""
    timeout: str = ""
    limit: str = ""
    stats: str = ""


class Labels(_wire.Body):
    """What the one selector may match."""

    namespace: _wire.Name
    service: _wire.Name
    question: str
    revision: _wire.Label = ""


def routes(
    judge: Judging, settings: Settings, *, clock: Callable[[], float] = time.time
) -> list[web.RouteDef]:
    """The addresses of this contract."""
    contract = _Promql(_wire.desk(judge, settings.limits), settings, clock)
    return [web.route("*", "/promql/api/v1/query", contract.handle)]


@dataclass(frozen=True, slots=True)
class _Promql:
    desk: _wire.Desk
    settings: Settings
    clock: Callable[[], float]

    async def handle(self, request: web.Request) -> web.Response:
        return await _wire.safely(
            self._answer(request),
            refuse=_refused,
            instead=lambda: self._vector({}, "0.5", "firedamp itself is in trouble; its log says more"),
            route="promql",
        )

    async def _answer(self, request: web.Request) -> web.Response:
        _wire.method(request, "GET", "POST")
        form = _wire.read(Form, _wire.from_query(await self._form(request)))
        if _ONLINE.fullmatch(form.query):
            return self._vector({}, "1")
        labels, question = _labels(form.query)
        _wire.within(request, labels.namespace)
        verdict = await self.desk.answer(_ask(labels, question), self.clock(), _WITHIN_SECONDS)
        metric = labels.model_dump(exclude_defaults=True) | {"__name__": METRIC}
        return self._vector(metric, _value(verdict), _wire.summary(verdict, self.settings.public_url))

    async def _form(self, request: web.Request) -> str:
        query = request.rel_url.raw_query_string
        if request.method == "GET":
            return query
        _wire.content_type(request, "application/x-www-form-urlencoded")
        data = await _wire.body(request, self.settings.limits.body_bytes)
        # Prometheus itself takes parameters from both places.
        return "&".join(filter(None, [query, _wire.utf8(data)]))

    def _vector(self, metric: dict[str, str], value: str, *warnings: str) -> web.Response:
        element = {"metric": metric, "value": [round(self.clock(), 3), value]}
        data = {"resultType": "vector", "result": [element]}
        return _wire.json_answer({"status": "success", "data": data, "warnings": warnings})


def _value(verdict: Verdict) -> str:
    blocks = verdict.mode not in (Mode.SHADOW, Mode.OFF)
    return VALUES[verdict.outcome if blocks else Outcome.PASS]


def _ask(labels: Labels, question: Question) -> Ask:
    return Ask(
        namespace=labels.namespace,
        service=labels.service,
        question=question,
        controller=Controller.API,
        revision=labels.revision or None,
        opens=False,
    )


def _labels(query: str) -> tuple[Labels, Question]:
    found = _selector(query)
    labels: dict[str, str] = {}
    for matcher in found.matchers:
        if matcher.op is not Op.EQUAL or matcher.label in labels:
            wrong = f"matcher {_wire.shown(matcher.promql())}: each label once and with = is allowed"
            raise _wire.RefusedError(f"{wrong}; write {_EXAMPLE}")
        labels[matcher.label] = matcher.value
    read = _wire.read(Labels, labels)
    if read.question not in set(Question):
        wrong = f"question is {_wire.shown(read.question)}: allowed are {', '.join(Question)}"
        raise _wire.RefusedError(f"{wrong}; write {_EXAMPLE}")
    return read, Question(read.question)


def _selector(query: str) -> Selector:
    try:
        found = selector(query)
    except ValueError:
        found = None
    if found is None or found.metric != METRIC:
        wrong = f"query {_wire.shown(query)}: only one selector of {METRIC} and vector(1) are allowed"
        raise _wire.RefusedError(f"{wrong}; write {_EXAMPLE}")
    return found


def _refused(error: AskError) -> web.Response:
    """Prometheus's own shape of an error, which its clients show to people."""
    text = _wire.one_line(str(error))
    data = {"status": "error", "errorType": "bad_data", "error": text}
    return _wire.json_answer(data, _wire.status_of(error), getattr(error, "allow", ""))
