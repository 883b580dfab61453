"""The synchronous client against a real Prometheus, and against servers that misbehave."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter

import pytest

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.sync import SyncPrometheus
from real.prometheus import BINARIES, RealPrometheus

pytestmark = pytest.mark.real

NOW = time.time() // 3600 * 3600 - 7200
NASTY = 'a"} or vector(1) #\\'


def client(url: str, **settings: object) -> SyncPrometheus:
    return SyncPrometheus(PrometheusSettings.model_validate({"name": "main", "url": url, **settings}))


@pytest.fixture(scope="module", params=BINARIES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    series = [("up", {"pod": pod}, [NOW - 15, NOW], [1.0, 1.0]) for pod in ("a", "b", NASTY)]
    with RealPrometheus(series, request.param) as prometheus:
        yield prometheus.url


def test_a_query_brings_elements_as_prometheus_writes_them(url: str):
    """Labels, times and values, and how long it took."""
    with client(url) as prometheus:
        answer = prometheus.query('up{pod="a"}', NOW)

    assert answer.result == ({"metric": {"__name__": "up", "pod": "a"}, "value": [NOW, "1"]},)
    assert answer.warnings == ()
    assert 0 < answer.seconds < 3


def test_ranges_and_scalars_are_elements_too(url: str):
    """A range brings values; a scalar is one element without labels."""
    with client(url) as prometheus:
        samples = prometheus.query('up{pod="a"}[1m]', NOW).result
        scalar = prometheus.query("scalar(count(up))", NOW).result

    assert [value for _, value in samples[0]["values"]] == ["1", "1"]
    assert [dict(one) for one in scalar] == [{"metric": {}, "value": [NOW, "3"]}]


def test_values_of_a_label_are_listed(url: str):
    """Of all series, or of those of a selector."""
    with client(url) as prometheus:
        assert set(prometheus.labels("pod")) == {"a", "b", NASTY}
        assert prometheus.labels("pod", ['up{pod=~"a|x"}']) == ("a",)


def test_a_server_that_answers_is_ready(url: str):
    """None says that nothing is wrong."""
    with client(url) as prometheus:
        assert prometheus.ready() is None


def test_a_wrong_query_is_refused_in_prometheus_words(url: str):
    """The position of the fault is what a person needs."""
    with client(url) as prometheus, pytest.raises(SourceRefusedError, match=r"HTTP 400: .*parse error"):
        prometheus.query("sum(", NOW)


def test_nobody_there_is_down_at_once():
    """The library's silent retries of six seconds are off."""
    began = perf_counter()

    with client("http://127.0.0.1:9") as prometheus:
        told = prometheus.ready()

    assert told is not None
    assert told == "source main: cannot be reached: [Errno 111] Connection refused"
    assert perf_counter() - began < 1


class _Misbehaving(BaseHTTPRequestHandler):
    """Answers by the first part of the path."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(1.5)
        if kind == "redirect":
            self._send(302, b"", Location="/ok/api/v1/query")
        elif kind == "drip":
            self._drip()
        else:
            self._send(*_ANSWERS[kind])

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # given up on, as it should be
            self._sent(status, body, headers)

    def _sent(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # given up on, as it should be
            for _ in range(40):
                self.wfile.write(b" ")
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


_EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}
_ANSWERS = {
    "ok": (200, json.dumps(_EMPTY).encode()),
    "slow": (200, json.dumps(_EMPTY).encode()),
    "partial": (200, json.dumps({**_EMPTY, "warnings": ["store-1 is down"]}).encode()),
    "busy": (503, b'{"status":"error","error":"starting"}'),
    "html": (200, b"<html>hello</html>"),
    "odd": (200, b'{"status":"success"}'),
    "large": (200, b" " * 50_000),
}


@pytest.fixture(scope="module")
def misbehaving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Misbehaving)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_warnings_are_not_lost(misbehaving: str):
    """The library drops them; a partial answer must not pass for whole."""
    with client(f"{misbehaving}/partial") as prometheus:
        assert prometheus.query("up", NOW).warnings == ("store-1 is down",)


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("busy", SourceDownError, "HTTP 503: starting"),
        ("html", SourceDownError, "answered with nothing a Prometheus says"),
        ("odd", SourceDownError, "answered with JSON no Prometheus sends"),
        ("slow", SourceDownError, "no answer within 0.4 s"),
        ("drip", SourceDownError, "no answer within 0.4 s"),
        ("redirect", SourceRefusedError, "redirects; set url"),
        ("large", SourceRefusedError, "more than 10000 bytes"),
    ],
)
def test_misbehaviour_is_told_within_the_deadline(misbehaving: str, kind, error, said):
    """Whatever a server does, the command ends soon and says why."""
    began = perf_counter()

    prometheus = client(f"{misbehaving}/{kind}", timeout=0.4, max_response_bytes=10_000)
    with prometheus, pytest.raises(error, match=said):
        prometheus.query("up", NOW)

    assert perf_counter() - began < 1.2
