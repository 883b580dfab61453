"""
What a check needs to know, without any vendor's dialect beyond PromQL's matchers.

A `Selector` is a metric name with matchers, read from the settings by a strict parser and never
from a caller. A cohort adds matchers of its own; `promql()` writes both out, escaped, so that a
selector sent carries exactly the matchers meant, whatever the values are. A general expression
(`Expression`) may carry the placeholders `$cohort` and `$window` in place of whole matchers or a
range, nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RE2_META = re.compile(r"([\\.+*?()|\[\]{}^$])")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_OWN = re.compile(r"\$(service|namespace)\b")
_OURS = re.compile(r"\$(cohort|window)\b")
MAX_QUERY_CHARACTERS = 8192


class Op(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCH = "=~"
    NOT_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label condition; `value` is the bare text (for =~ a whole RE2 expression)."""

    label: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(f"label {self.label!r} must match [a-zA-Z_][a-zA-Z0-9_]*")

    def promql(self) -> str:
        return f"{self.label}{self.op}{quoted(self.value)}"

    def accepts(self, value: str) -> bool:
        """Whether a series with this value of the label is meant; without the label its value is empty."""
        match self.op:
            case Op.EQUAL:
                return value == self.value
            case Op.NOT_EQUAL:
                return value != self.value
            case Op.MATCH:
                return re.fullmatch(self.value, value) is not None
            case Op.NOT_MATCH:
                return re.fullmatch(self.value, value) is None


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric name and its matchers."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def where(self, *matchers: Matcher) -> "Selector":
        return replace(self, matchers=(*self.matchers, *matchers))

    def promql(self) -> str:
        if not self.matchers:
            return self.metric
        return f"{self.metric}{{{','.join(matcher.promql() for matcher in self.matchers)}}}"


@dataclass(frozen=True, slots=True)
class Expression:
    """A PromQL expression from the settings, with `$cohort` and `$window` still in it."""

    text: str

    def promql(self, matchers: tuple[Matcher, ...], window_seconds: float) -> str:
        filling = {
            "cohort": ",".join(matcher.promql() for matcher in matchers),
            "window": f"{max(1, round(window_seconds))}s",
        }
        # In one pass: a cohort's value may itself read "$window".
        return _OURS.sub(lambda hit: filling[hit[1]], self.text)


@dataclass(frozen=True, slots=True)
class Counted:
    """Raw samples of counters, to be counted per pod (and per bucket bound where `le` is kept)."""

    selector: Selector
    keep_le: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """Values of an expression at the end of each block, per pod where the pod label is kept."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Increase:
    """
    Increase of counters up to the end of each block, added up by the source; to a percent or so.

    Attributes:
        per_pod: one sum for each pod, else one in all.
    """

    selector: Selector
    per_pod: bool = True


#: What a check may ask of metrics.
Need = Counted | Level


class Measure(StrEnum):
    """What is counted of each trace of a flow; it belongs to the pod of the service that it met first."""

    OUTCOME = "outcome"  # whether the flow failed at its root
    BELOW = "below"  # whether anything failed beneath the service, which a root may swallow
    FLOW_SECONDS = "flow"  # how long the whole took
    SERVICE_SECONDS = "service"  # how long the service took, with all it called
    CALLER_SECONDS = "caller"  # how long its caller waited for it
    OPERATIONS = "operations"  # what was asked of the service
    BESIDE = "beside"  # whether a flow failed that did not meet the canary, of whatever pod


@dataclass(frozen=True, slots=True)
class Operation:
    """A flow's root: a service, and method and route there or the span's name."""

    service: str
    operation: str


#: What stands for each good outcome where an unknown part of them was kept: with any large factor the odds
#: between versions are told, and only those.
THINNED = 100.0


@dataclass(frozen=True, slots=True)
class Traced:
    """
    What a check asks of end-to-end traces.

    Attributes:
        measure: what is counted.
        root: of the flow; None for every trace that is asked for.
        failures: what a failure is: "error" (the span's status), HTTP codes ("404", "5xx"), gRPC statuses.
        thinned: failures are all kept, and of the rest an unknown part: nothing is counted against both.
        linked: the flow belongs where the traces do that it is linked to, not where it goes itself.
    """

    measure: Measure
    root: Operation | None = None
    failures: tuple[str, ...] = ()
    thinned: bool = False
    linked: bool = False


def quoted(text: str) -> str:
    """Write text as a PromQL string: backslash, quote and line breaks escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def literal(text: str) -> str:
    """Write text as an RE2 expression that matches exactly it."""
    return _RE2_META.sub(r"\\\1", text)


def selector(text: str) -> Selector:
    """
    Read `name{label="value",...}`; blanks are free, PromQL's three kinds of quotes are known.

    Raises:
        ValueError: the text is anything else (functions, ranges, offsets); says where.
    """
    if len(text) > MAX_QUERY_CHARACTERS:
        raise ValueError(f"selector of {len(text)} characters, limit {MAX_QUERY_CHARACTERS}")
    text = text.strip()
    name = _NAME.match(text)
    if not name:
        raise ValueError(f"{text!r} does not begin with a metric name")
    rest = text[name.end() :].strip()
    if not rest:
        return Selector(name[0])
    if not (rest.startswith("{") and rest.endswith("}")):
        raise ValueError(f'{text!r}: write a plain selector like {name[0]}{{code="500"}}')
    return Selector(name[0], matchers(rest[1:-1]))


def matchers(text: str) -> tuple[Matcher, ...]:
    """
    Read `label="value",other=~"re"` (the inside of braces).

    Raises:
        ValueError: the text is no list of matchers; says from where on.
    """
    found: list[Matcher] = []
    rest = text.strip()
    while rest:
        matcher, rest = _one_matcher(rest)
        found.append(matcher)
    return tuple(found)


def _one_matcher(text: str) -> tuple[Matcher, str]:
    head = re.match(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*", text)
    string = _STRING.match(text, head.end()) if head else None
    if head is None or string is None:
        raise ValueError(f'{text!r} is no matcher; write it like code=~"5.."')
    rest = text[string.end() :].lstrip()
    if rest and not rest.startswith(","):
        raise ValueError(f"{rest!r} follows a matcher; a comma is missing")
    return Matcher(head[1], Op(head[2]), _unquoted(string[0])), rest[1:].lstrip()


def _unquoted(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", _unescape, text[1:-1], flags=re.DOTALL)


def _unescape(match: re.Match[str]) -> str:
    try:
        return _ESCAPES[match[1]]
    except KeyError:
        raise ValueError(f"unknown escape \\{match[1]} in a PromQL string") from None


def filled(need: Need, values: Mapping[str, str]) -> Need:
    """Put the service's own names in place of $service and $namespace, escaped where they stand."""
    match need:
        case Counted():
            return replace(need, selector=named(need.selector, values))
        case Level():
            text = _OWN.sub(lambda hit: quoted(literal(values[hit[1]]))[1:-1], need.expression.text)
            return Level(Expression(text))


def named(selector: Selector, values: Mapping[str, str]) -> Selector:
    """A selector with the service's own names in place of $service and $namespace."""
    return replace(selector, matchers=tuple(_filled(matcher, values) for matcher in selector.matchers))


def _filled(matcher: Matcher, values: Mapping[str, str]) -> Matcher:
    write = literal if matcher.op in (Op.MATCH, Op.NOT_MATCH) else str
    return replace(matcher, value=_OWN.sub(lambda hit: write(values[hit[1]]), matcher.value))


def promql(need: Need, cohort: tuple[Matcher, ...], window_seconds: float = 60.0) -> str:
    """Write a need of one cohort as PromQL (a counted need as its plain selector)."""
    match need:
        case Counted():
            return need.selector.where(*cohort).promql()
        case Level():
            return need.expression.promql(cohort, window_seconds)
