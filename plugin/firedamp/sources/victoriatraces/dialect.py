"""
Jaeger's API v1 as VictoriaTraces speaks it.

The names of a service's spans are a list under the service's path, without kinds. Parts of a cluster that
are away are no answer, whatever the cluster's own settings allow. How many traces were found is told beside
them, and one whose spans it cannot show is left out: then others may be, too.
"""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from firedamp.sources._client import Answer, Question, plain
from firedamp.sources._slicing import Slice
from firedamp.sources.jaeger.dialects import V1, Dialect
from firedamp.sources.jaeger.naming import Name, Search
from firedamp.tracing import AnySpan

_WHOLE = {"allow_partial_response": "0"}


class _Names(msgspec.Struct):
    data: list[str] | None


class _Found(msgspec.Struct):
    data: list[msgspec.Raw] | None
    total: int = 0


def _search(search: Search, piece: Slice, traces: int) -> Question:
    asked = V1.search(search, piece, traces)
    return Question(asked.path, {**asked.parameters, **_WHOLE})


def _names(service: str) -> Question:
    return Question(f"/api/services/{quote(service, safe='')}/operations", _WHOLE)


def _spans(answer: Answer) -> Iterator[AnySpan]:
    spans = V1.spans(answer)
    try:
        told = msgspec.json.decode(answer.body, type=_Found)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if told.total > (shown := len(told.data or ())):
        raise ValueError(f"{told.total} traces were found and {shown} are shown")
    return spans


def _names_in(answer: Answer) -> tuple[Name, ...]:
    try:
        told = msgspec.json.decode(answer.body, type=_Names)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return tuple(Name(name, "") for name in told.data or ())


VICTORIA = Dialect(
    _search, _names, _spans, _names_in, complaint=plain, speaker="a VictoriaTraces", by_end=True
)
