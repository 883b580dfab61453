"""A Prometheus that is slow, broken, hostile or busy, and what the source makes of it."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from firedamp.errors import SourceDownError, SourceError, SourceRefusedError
from firedamp.ports import Span
from firedamp.queries import Expression, Level, Matcher, Op
from firedamp.sources.prometheus import PrometheusSettings, PrometheusSource

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}
NEED = Level(Expression("up{$cohort}"))
COHORT = (Matcher("pod", Op.EQUAL, "a"),)


class Fake:
    """A server that answers every query with one handler and remembers what it was sent."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[dict[str, Any]] = []
        self._handler = handler
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        self.requests.append(
            {"path": request.path, "method": request.method, "form": form, **request.headers}
        )
        return await self._handler(request)

    async def __aenter__(self) -> "Fake":
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def ask(self, timeout_seconds: float = 5.0, **settings: object) -> Any:
        async with self.source(**settings) as source:
            return await source.samples(NEED, COHORT, Span(0.0, (30.0,), 60.0, timeout_seconds))

    def source(self, **settings: object) -> PrometheusSource:
        url = str(self._server.make_url("/")) + "prefix/"
        return PrometheusSource(PrometheusSettings.model_validate({"name": "main", "url": url, **settings}))


def always(body: object = EMPTY, status: int = 200, **more: Any) -> Fake:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response(body, status=status, **more)

    return Fake(handler)


def text(body: str, status: int = 200, content_type: str = "text/html") -> Fake:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text=body, status=status, content_type=content_type)

    return Fake(handler)


def matrix(*series: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more}


# What is sent.


async def test_a_query_is_a_form_below_the_address():
    """The form has query, time, our deadline, and no partial answers; the address keeps its prefix."""
    async with always() as fake:
        await fake.ask(timeout=2.0)

    sent = fake.requests[0]
    assert (sent["method"], sent["path"]) == ("POST", "/prefix/api/v1/query_range")
    assert sent["form"]["query"] == 'up{pod="a"}'
    assert (sent["form"]["start"], sent["form"]["end"]) == ("30.000", "30.000")
    assert sent["form"]["timeout"] == "2000ms"
    assert sent["form"]["partial_response"] == "false"


async def test_credentials_are_read_for_every_request(tmp_path: Path):
    """Kubernetes renews mounted tokens while we run."""
    token = tmp_path / "token"
    token.write_text("first\n")
    async with always() as fake, fake.source(bearer_token_file=str(token), tenant="shop") as source:
        span = Span(0.0, (30.0,), 60.0, 5.0)
        await source.samples(NEED, COHORT, span)
        token.write_text("second\n")
        await source.samples(NEED, COHORT, span)

    assert [sent["Authorization"] for sent in fake.requests] == ["Bearer first", "Bearer second"]
    assert fake.requests[0]["X-Scope-OrgID"] == "shop"


async def test_a_password_is_sent_as_basic(tmp_path: Path):
    """User and password file make the header; other headers stand beside it."""
    password = tmp_path / "password"
    password.write_text("secret")
    async with always() as fake:
        await fake.ask(username="judge", password_file=str(password), headers={"X-Team": "sre"})

    assert fake.requests[0]["Authorization"] == "Basic anVkZ2U6c2VjcmV0"
    assert fake.requests[0]["X-Team"] == "sre"


async def test_a_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    """The settings name the variable, never the token."""
    monkeypatch.setenv("PROMETHEUS_TOKEN", "from-env")
    async with always() as fake:
        await fake.ask(bearer_token_env="PROMETHEUS_TOKEN")

    assert fake.requests[0]["Authorization"] == "Bearer from-env"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bearer_token_file": "/nonexistent/token"}, "/nonexistent/token cannot be read"),
        ({"bearer_token_env": "FIREDAMP_NO_SUCH_TOKEN"}, "FIREDAMP_NO_SUCH_TOKEN is empty"),
        ({"ca_file": "/nonexistent/ca.pem"}, "ca_file /nonexistent/ca.pem cannot be used"),
    ],
)
async def test_a_missing_secret_is_refused_before_anything_is_sent(settings, said):
    """Without credentials there is no point in asking."""
    async with always() as fake:
        with pytest.raises(SourceRefusedError, match=said):
            await fake.ask(**settings)

    assert fake.requests == []


# What comes back.


async def test_warnings_are_kept():
    """Thanos answers 200 with half the data and a warning; half must not pass for whole."""
    element = {"metric": {"__name__": "up", "pod": "a"}, "values": [[30, "1"]]}
    async with always(matrix(element, warnings=["store-1 is down"], infos=["a remark"])) as fake:
        samples = await fake.ask()

    assert samples.warnings == ("store-1 is down",)
    assert [dict(one.labels) for one in samples.series] == [{"pod": "a"}]


async def test_replicas_are_shown_once():
    """A backend that shows both replicas gives two series per series; one is taken."""
    replicas = [
        {"metric": {"pod": "a", "prometheus_replica": name}, "values": [[30, "1"]]} for name in ("x", "y")
    ]
    async with always(matrix(*replicas)) as fake:
        samples = await fake.ask()

    assert [dict(one.labels) for one in samples.series] == [{"pod": "a"}]


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            {"status": "error", "error": "parse error at char 3"},
            SourceRefusedError,
            "HTTP 400: parse error at char 3",
        ),
        (
            422,
            {"status": "error", "error": "too many samples"},
            SourceRefusedError,
            "HTTP 422: too many samples",
        ),
        (401, {}, SourceRefusedError, "HTTP 401: Unauthorized"),
        (403, {}, SourceRefusedError, "HTTP 403: Forbidden"),
        (404, {}, SourceRefusedError, "HTTP 404: Not Found"),
        (301, {}, SourceRefusedError, "HTTP 301 is no answer; set url to the address it leads to"),
        (204, {}, SourceRefusedError, "HTTP 204 is no answer; 200 is expected"),
        (429, {}, SourceDownError, "HTTP 429: Too Many Requests"),
        (408, {}, SourceDownError, "HTTP 408: Request Timeout"),
        (500, {"status": "error", "error": "disk full"}, SourceDownError, "HTTP 500: disk full"),
        (503, {"status": "error", "error": "query timed out"}, SourceDownError, "HTTP 503: query timed out"),
    ],
)
async def test_a_status_tells_no_from_not_now(status, body, error, said):
    """4xx is mended by a person, 5xx and overload by time; the server's own words are passed on."""
    async with always(body, status) as fake:
        with pytest.raises(error, match=f"source main: {said}"):
            await fake.ask()


async def test_redirects_are_not_followed():
    """Our credentials go to the address in the settings and nowhere else."""
    async with always({}, 307, headers={"Location": "http://169.254.169.254/latest"}) as fake:
        with pytest.raises(SourceRefusedError) as caught:
            await fake.ask()

    assert len(fake.requests) == 1
    assert "169.254" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome to nginx!</html>",
        "",
        "null",
        "[]",
        "{}",
        '{"status":"success"}',
        '{"status":"success","data":{"resultType":"matrix","result":{}}}',
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1]]}]}}',
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}}',
        '{"status":"success","data":{"resultType":"streams","result":[]}}',
        '{"status":"error","error":"odd"}',
        '{"status":"success","data":{"resultType":"matrix","result":[',
    ],
)
async def test_garbage_is_a_source_that_is_down(body):
    """A login page or a cut answer is no data, and never an exception of ours."""
    async with text(body) as fake:
        with pytest.raises(SourceDownError, match="answered with nothing a Prometheus says"):
            await fake.ask()


async def test_a_page_instead_of_an_error_is_told_by_its_status():
    """A proxy's HTML is not passed on."""
    async with text("<html>" + "x" * 5000, status=403) as fake:
        with pytest.raises(SourceRefusedError, match=r"HTTP 403: Forbidden$"):
            await fake.ask()


async def test_what_the_server_says_is_shortened_and_has_no_secrets(tmp_path: Path):
    """A server that echoes our token must not bring it into a verdict."""
    token = tmp_path / "token"
    token.write_text("hunter2-token")
    said = "bad token hunter2-token\n" + "x" * 1000
    async with always({"status": "error", "error": said}, 400) as fake:
        with pytest.raises(SourceRefusedError) as caught:
            await fake.ask(bearer_token_file=str(token))

    assert "hunter2" not in str(caught.value)
    assert "bad token *** xxx" in str(caught.value)
    assert len(str(caught.value)) < 350


async def test_a_large_answer_is_cut_off():
    """The cap holds for what comes out of the compression, not for what goes in."""
    body = gzip.compress(b" " * 5_000_000)

    async def bomb(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")

    async with Fake(bomb) as fake:
        with pytest.raises(SourceRefusedError, match="more than 100000 bytes"):
            await fake.ask(max_response_bytes=100_000)

    assert len(body) < 10_000


# Time.


async def test_a_slow_server_costs_no_more_than_the_timeout():
    """A query has the settings' time."""
    began = perf_counter()
    async with slow(10) as fake:
        with pytest.raises(SourceDownError, match=r"no answer within 0.2 s"):
            await fake.ask(timeout=0.2)

        assert perf_counter() - began < 1.5


async def test_the_callers_deadline_is_kept():
    """What is left of the caller's time is less than the settings allow."""
    async with slow(10) as fake:
        with pytest.raises(SourceDownError, match=r"no answer within 0\.[12]\d* s"):
            await fake.ask(timeout_seconds=0.2, timeout=3.0)


async def test_a_dripping_answer_is_given_up():
    """The deadline is for the whole answer, not for each piece of it."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with Fake(drip) as fake:
        with pytest.raises(SourceDownError, match="no answer within"):
            await fake.ask(timeout=0.3)


async def test_no_time_left_is_said_without_asking():
    """A query that cannot be answered in time is not sent."""
    async with always() as fake:
        with pytest.raises(SourceDownError, match="no time left"):
            await fake.ask(timeout_seconds=0.0)

    assert fake.requests == []


def slow(seconds: float) -> Fake:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        await asyncio.sleep(seconds)
        return web.json_response(EMPTY)

    return Fake(handler)


# Again, and not too many.


async def test_a_busy_server_is_asked_once_more():
    """503 while it starts is got over inside the deadline."""
    async with changing({"status": 503}, {"status": 200}) as fake:
        samples = await fake.ask()

    assert samples.series == ()
    assert len(fake.requests) == 2


async def test_a_server_that_stays_busy_is_asked_twice_and_no_more():
    """Retries are no storm."""
    async with always({}, 503) as fake:
        with pytest.raises(SourceDownError, match="HTTP 503"):
            await fake.ask()

    assert len(fake.requests) == 2


async def test_a_dropped_connection_is_tried_once_more():
    """A restart of the server is got over."""
    async with changing({"drop": True}, {"status": 200}) as fake:
        samples = await fake.ask()

    assert samples.series == ()


@pytest.mark.parametrize("status", [400, 500])
async def test_other_failures_are_not_asked_again(status):
    """What was understood, or broke on it, is not asked twice."""
    async with always({}, status) as fake:
        with pytest.raises(SourceError):
            await fake.ask()

    assert len(fake.requests) == 1


def changing(*steps: dict[str, Any]) -> Fake:
    """Answer the first request by the first step, the second by the second."""
    left = list(steps)

    async def handler(request: web.Request) -> web.StreamResponse:
        step = left.pop(0)
        if step.get("drop"):
            assert request.transport
            request.transport.abort()
        return web.json_response(EMPTY, status=step.get("status", 200))

    return Fake(handler)


async def test_so_many_queries_run_at_once_and_no_more():
    """The bulkhead is per source."""
    running, most = 0, 0

    async def busy(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        del request
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return web.json_response(EMPTY)

    async with Fake(busy) as fake, fake.source(max_concurrent=2) as source:
        span = Span(0.0, (30.0,), 60.0, 5.0)
        await asyncio.gather(*(source.samples(NEED, COHORT, span) for _ in range(6)))

    assert most == 2


async def test_closing_twice_is_harmless():
    """Shutdown may come from two sides."""
    async with always() as fake:
        source = fake.source()
        await source.samples(NEED, COHORT, Span(0.0, (30.0,), 60.0, 5.0))
        await source.close()
        await source.close()

        assert source.lag_seconds == 5.0
