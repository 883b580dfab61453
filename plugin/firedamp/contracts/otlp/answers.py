"""
Answers of the type that was sent.

A `google.rpc.Status` is written by hand: two fields (google/rpc/status.proto: `int32 code = 1`, `string
message = 2`) are no reason for a library.
"""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from firedamp.contracts import _wire
from firedamp.errors import AskError

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_RETRY_SECONDS = 2
#: google/rpc/code.proto.
_INVALID_ARGUMENT, _PERMISSION_DENIED, _RESOURCE_EXHAUSTED = 3, 7, 8
_CODES = {
    HTTPStatus.FORBIDDEN: _PERMISSION_DENIED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _RESOURCE_EXHAUSTED,
    HTTPStatus.TOO_MANY_REQUESTS: _RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    What became of a request's spans.

    Attributes:
        refused: how many spans were not taken; those that nobody asks for are taken.
        reason: why; empty without any.
    """

    refused: int = 0
    reason: str = ""


def accepted(kind: str, told: Accepted) -> web.Response:
    """Success, partial where spans were refused."""
    if kind == JSON:
        partial = {"rejectedSpans": str(told.refused), "errorMessage": told.reason}
        return _wire.json_answer({"partialSuccess": partial} if told.refused else {})
    response = ExportTraceServiceResponse()
    if told.refused:
        response.partial_success.rejected_spans = told.refused
        response.partial_success.error_message = told.reason
    return web.Response(body=response.SerializeToString(), content_type=PROTOBUF)


def refused(kind: str, error: AskError) -> web.Response:
    """Say why nothing was taken, and where it may be sent again, when."""
    status = _wire.status_of(error)
    code = _CODES.get(HTTPStatus(status), _INVALID_ARGUMENT)
    text = _wire.one_line(str(error))
    if kind == PROTOBUF:
        answer = web.Response(body=_status(code, text), content_type=PROTOBUF, status=status)
    else:
        answer = _wire.json_answer({"code": code, "message": text}, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer.headers["Retry-After"] = str(_RETRY_SECONDS)
    return answer


def _status(code: int, text: str) -> bytes:
    message = text.encode("utf-8", "replace")
    return bytes((0x08, code, 0x12)) + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*groups, number))
