"""
A plain synchronous client for commands that a person runs, on prometheus-api-client.

That library keeps only `data.result` of an answer, has no timeout unless told, retries silently for six
seconds, and joins labels unescaped. So every answer's body is caught by a hook of its session, deadlines
are set on both sides, its retries are off, and only whole queries are passed, written by
`firedamp.queries`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

from firedamp.errors import SourceDownError, SourceError, SourceRefusedError
from firedamp.sources._http import PrometheusSettings, headers, shortened

_STATUS = re.compile(r"HTTP Status Code (\d+)")


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """What came back: elements as Prometheus writes them, what it warned of, seconds it took."""

    result: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]
    seconds: float


class SyncPrometheus:
    """Asks one Prometheus, one query at a time; also `with`."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._caught = b""
        session = requests.Session()
        session.verify = str(settings.ca_file) if settings.ca_file else not settings.insecure_skip_verify
        session.trust_env = False
        session.max_redirects = 0
        session.hooks["response"].append(self._catch)
        self._session = session
        # The library mounts this Retry on the session that it is given.
        self._api = PrometheusConnect(
            url=settings.url, session=session, retry=Retry(0, read=False), timeout=settings.timeout
        )

    def __enter__(self) -> "SyncPrometheus":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    def query(self, promql: str, at: float) -> SyncAnswer:
        """
        Evaluate a query at a Unix time; a scalar comes as one element without labels.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the query or the permission is wrong, or the answer too large.
        """
        params = {
            "time": f"{at:.3f}",
            "timeout": f"{int(1000 * self._settings.timeout)}ms",
            "partial_response": "false",
        }
        began = perf_counter()
        result = self._ask(lambda: self._api.custom_query(promql, params=params))
        return SyncAnswer(_elements(result), self._warnings(), perf_counter() - began)

    def labels(self, label: str, matching: Sequence[str] = ()) -> tuple[str, ...]:
        """
        Values of a label, of all series or of those that one of the selectors matches.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the selector or the permission is wrong.
        """
        params = {"match[]": list(matching)} if matching else {}
        return tuple(self._ask(lambda: self._api.get_label_values(label, params=params)))

    def ready(self) -> str | None:
        """None when the server takes queries, else what is wrong."""
        try:
            self.query("vector(1)", 0.0)
        except SourceError as error:
            return str(error)
        return None

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the library is not annotated
        self._api.headers = headers(self._settings)
        try:
            return call()
        except PrometheusApiClientException as error:
            raise self._refused_or_down(str(error)) from error
        except requests.TooManyRedirects as error:
            raise SourceRefusedError(self._said("redirects; set url to the address it leads to")) from error
        except requests.Timeout as error:
            limit = self._settings.timeout
            raise SourceDownError(self._said(f"no answer within {limit:g} s")) from error
        except requests.JSONDecodeError as error:
            raise SourceDownError(self._said("answered with nothing a Prometheus says")) from error
        except requests.RequestException as error:
            raise SourceDownError(self._said(f"cannot be reached: {_reason(error)}")) from error
        except (KeyError, TypeError) as error:
            raise SourceDownError(self._said("answered with JSON no Prometheus sends")) from error

    def _catch(self, response: requests.Response, **_: object) -> None:
        """Read the body, which the library drops, within our deadline and size; requests has neither."""
        give_up, limit = monotonic() + self._settings.timeout, self._settings.max_response_bytes
        body = bytearray()
        while chunk := response.raw.read1(65536, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise SourceRefusedError(
                    self._said(f"an answer of more than {limit} bytes; narrow the query")
                )
            if monotonic() > give_up:
                raise requests.Timeout
        response._content = self._caught = bytes(body)

    def _refused_or_down(self, said: str) -> SourceDownError | SourceRefusedError:
        status = int(found[1]) if (found := _STATUS.match(said)) else 0
        text = self._said(f"HTTP {status}: {_body_of(self._caught).get('error', '')}")
        refused = 400 <= status < 500 and status not in (408, 429)
        return SourceRefusedError(text) if refused else SourceDownError(text)

    def _warnings(self) -> tuple[str, ...]:
        return tuple(str(one) for one in _body_of(self._caught).get("warnings") or ())

    def _said(self, text: str) -> str:
        return f"source {self._settings.name}: {shortened(text, self._settings)}"


def _reason(error: requests.RequestException) -> str:
    """The innermost cause, without the address and the query around it."""
    outer = error.args[0] if error.args else error
    return str(getattr(outer, "reason", outer)).rpartition(": ")[2]


def _body_of(body: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _elements(result: Any) -> tuple[Mapping[str, Any], ...]:  # noqa: ANN401 - as decoded from JSON
    if len(result) == 2 and not isinstance(result[0], dict):
        return ({"metric": {}, "value": result},)
    return tuple(result)
