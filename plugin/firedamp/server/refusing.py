"""
The outermost edge of errors: every exception becomes an answer in the dialect of the address asked.

Contracts turn their own troubles into verdicts; what arrives here is aiohttp's (404, 405, 413), a refusal of
a token, a store that is down, or a surprise. A surprise must still not count against a canary: Argo gets an
inconclusive verdict, Flagger a "no" where no means wait or do nothing.
"""

from http import HTTPStatus

import structlog
from aiohttp import web

from firedamp import telemetry
from firedamp.contracts._wire import json_answer, shown, status_of, text_answer
from firedamp.errors import AskError, StoreError
from firedamp.server.observing import REQUEST_ID, Handler, template
from firedamp.server.places import of_people
from firedamp.ui import error_page

_ADDRESSES = "see /api/v1/openapi.json for the addresses of the API"
_SECTIONS = "look for what you want from the list of releases, or from the sections above"
#: Hooks of Flagger where "no" would stop or roll back a release.
_NO_IS_HARM = ("/confirm-rollout", "/pre-rollout", "/rollout", "/post-rollout", "/event")
_PAGES = ("/releases/", "/login", "/logout")
_log = structlog.get_logger("firedamp.server")


@web.middleware
async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into answers."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _http(request, error)
    except AskError as error:
        return refused(request, status_of(error), str(error))
    except web.RequestPayloadError as error:
        return refused(request, HTTPStatus.REQUEST_TIMEOUT, f"the body breaks off: {error}; send it whole")
    except StoreError as error:
        _log.error("store_trouble", error=str(error))
        sentence = "the store does not answer; ask again, and look at /readyz?verbose"
        return _troubled(request, HTTPStatus.SERVICE_UNAVAILABLE, sentence)
    except Exception:  # noqa: BLE001 - the outermost edge: nothing may leave without an answer
        _log.exception("surprise", route=template(request))
        telemetry.INTERNAL_ERRORS.labels(template(request)).inc()
        sentence = f"firedamp itself is in trouble; its log says more under {request[REQUEST_ID]}"
        return _troubled(request, HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


def refused(
    request: web.Request, status: int, sentence: str, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """Say no: a page to people, a line to Flagger, JSON to everybody else."""
    path = request.path
    if _is_page(request):
        answer: web.Response = error_page(status, sentence)
    elif path.startswith("/flagger/"):
        answer = text_answer(sentence, status)
    elif path.startswith("/promql/"):
        answer = json_answer({"status": "error", "errorType": "bad_data", "error": sentence}, status)
    else:
        answer = json_answer({"error": sentence}, status)
    answer.headers.update(headers or {})
    return answer


def _http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    match error:
        case web.HTTPNotFound():
            way = _SECTIONS if _is_page(request) else _ADDRESSES
            return refused(request, error.status, f"nothing answers at this address; {way}")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods - {"*"}))
            sentence = f"method is {shown(request.method)}: {allowed} are allowed here; use one of them"
            return refused(request, error.status, sentence, {"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            sentence = "the body is larger than the limit of limits.body_bytes; send less"
            return refused(request, error.status, sentence)
        case _:
            return refused(request, error.status, f"{error.reason}; {_ADDRESSES}")


def _is_page(request: web.Request) -> bool:
    path = request.path
    if template(request) != "unmatched" or path == "/" or path.startswith(_PAGES):
        return of_people(path)
    wants_page = "text/html" in request.headers.get("Accept", "")
    return wants_page and not path.startswith(("/api/", "/flagger/"))


def _troubled(request: web.Request, status: int, sentence: str) -> web.StreamResponse:
    path = request.path
    if path.startswith("/argo/"):
        return json_answer(
            {
                "verdict": "inconclusive",
                "summary": f"inconclusive: {sentence}",
                "question": "guard",
                "checks": [],
            }
        )
    if path.startswith("/promql/"):
        vector = {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0.5"]}]}
        return json_answer({"status": "success", "data": vector, "warnings": [f"inconclusive: {sentence}"]})
    if path.startswith("/flagger/"):
        harmless = HTTPStatus.OK if path.endswith(_NO_IS_HARM) else HTTPStatus.FORBIDDEN
        return text_answer(f"inconclusive: {sentence}", harmless)
    return refused(request, status, sentence)
