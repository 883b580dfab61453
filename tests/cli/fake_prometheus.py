"""A Prometheus that knows only what `firedamp doctor` asks: selectors, ranges, count, group by, increases."""

import re
from dataclasses import dataclass, field

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.queries import Op, selector


@dataclass(frozen=True)
class Answered:
    result: list
    warnings: tuple = ()
    seconds: float = 0.002


@dataclass
class FakePrometheus:
    """
    Series by hand: (labels with __name__, [(time, value), ...]).

    Attributes:
        down: nobody answers.
        refuses: queries that contain this text are refused.
        warns: said beside every answer.
    """

    series: list
    down: bool = False
    refuses: str | None = None
    warns: tuple = ()
    asked: list = field(default_factory=list)

    def query(self, promql, at):
        self.asked.append(promql)
        if self.down:
            raise SourceDownError("connection refused")
        if self.refuses and self.refuses in promql:
            raise SourceRefusedError("bad query")
        return Answered(self._evaluate(promql, at), self.warns)

    def _evaluate(self, promql, at):
        if found := re.fullmatch(r"count\((.*)\)", promql):
            number = len(self._matching(found[1]))
            return [{"metric": {}, "value": [at, str(number)]}] if number else []
        if found := re.fullmatch(r"sum\(increase\((.*)\[(\d+)s\]\)\)", promql):
            return self._grown(found[1], at - float(found[2]), at)
        if found := re.fullmatch(r"group by \((\w+)\) \((.*)\)", promql):
            values = {labels.get(found[1], "") for labels, _ in self._matching(found[2])}
            return [{"metric": {found[1]: one} if one else {}, "value": [at, "1"]} for one in values]
        if found := re.fullmatch(r"(.*)\[(\d+)s\]", promql):
            since = at - float(found[2])
            return [
                {"metric": labels, "values": [[t, str(v)] for t, v in points if since < t <= at]}
                for labels, points in self._matching(found[1])
            ]
        return [
            {"metric": labels, "value": [at, str(points[-1][1])]} for labels, points in self._matching(promql)
        ]

    def _grown(self, text, since, at):
        each = [[v for t, v in points if since <= t <= at] for _, points in self._matching(text)]
        return [{"metric": {}, "value": [at, str(sum(one[-1] - one[0] for one in each))]}] if each else []

    def _matching(self, text):
        wanted = selector(text if not text.startswith("{") else f"any{text}")
        bare = text.startswith("{")
        return [
            (labels, points)
            for labels, points in self.series
            if (bare or labels["__name__"] == wanted.metric)
            and all(_holds(one, labels.get(one.label, "")) for one in wanted.matchers)
        ]


def _holds(matcher, value):
    match matcher.op:
        case Op.EQUAL:
            return value == matcher.value
        case Op.NOT_EQUAL:
            return value != matcher.value
        case Op.MATCH:
            return bool(re.fullmatch(matcher.value, value))
        case Op.NOT_MATCH:
            return not re.fullmatch(matcher.value, value)
