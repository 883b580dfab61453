"""The application and the process around it: order of life, headers, logs, sessions."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from fakes import FakeJudge, MemoryStore
from firedamp import telemetry
from firedamp.config import Log, Settings
from firedamp.errors import ConfigError, StoreError
from firedamp.server import LIFECYCLE, create_app, logs, run, serving
from firedamp.server.observing import observed
from firedamp.server.refusing import refusing
from firedamp.server.running import until_stopped
from service import ADMIN, ASKER, PATH, Service, running

GOOD = {"service": "checkout", "namespace": "shop", "revision": "v2"}
PAYLOAD = {"name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b"}


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as found:
        yield found


# ── what every answer carries ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/releases/7", "/login", "/api/v1/releases", "/nothing", "/livez"])
async def test_every_answer_has_the_headers_that_browsers_obey(service, path):
    """Nothing is guessed, framed, cached or fetched from elsewhere."""
    reply = await service.ask("GET", path)

    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Server"] == "firedamp"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]


async def test_a_callers_request_id_comes_back(service):
    """A trace of two systems can be read as one."""
    reply = await service.ask("GET", "/livez", headers={"X-Request-Id": "argo-42"})

    assert reply.headers["X-Request-Id"] == "argo-42"


@pytest.mark.parametrize("given", ["x" * 65, "a b", '"><script>'])
async def test_a_request_id_that_is_no_id_is_replaced(service, given):
    """What goes into the log and back to the caller is harmless."""
    reply = await service.ask("GET", "/livez", headers={"X-Request-Id": given})

    assert re.fullmatch("[0-9a-f]{32}", reply.headers["X-Request-Id"])


async def test_a_trailing_slash_is_another_address(service):
    """Nothing is redirected: Argo calls a redirect an error, and a POST would lose its body."""
    reply = await service.ask("GET", "/api/v1/releases/")

    assert reply.status == 404


async def test_head_is_get_without_a_body(service):
    """Probes of load balancers may ask so."""
    reply = await service.ask("HEAD", "/livez")

    assert (reply.status, reply.text) == (200, "")


# ── logs, metrics and spans ──────────────────────────────────────────────────────────────────────────


async def test_a_request_is_logged_by_its_template_and_its_tokens_name(service):
    """A log says who did what, and holds no secret."""
    with capture_logs() as lines:
        await service.ask("POST", f"/flagger/v1/{PATH}/rollout", None, json=PAYLOAD)
        await service.ask("GET", f"/flagger/v1/{PATH}/nowhere/at/all", None)
        await service.ask("GET", "/api/v1/releases", ASKER)

    requests = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == [
        "/flagger/v1/{secret}/{hook}",
        "unmatched",
        "/api/v1/releases",
    ]
    assert requests[2]["token"] == "ci"
    assert PATH not in repr(lines)
    assert ASKER not in repr(lines)


async def test_probes_are_not_logged(service):
    """A kubelet asks every few seconds; only its failures are news."""
    with capture_logs() as lines:
        await service.ask("GET", "/livez")

    assert lines == []


async def test_requests_are_timed_by_template(service):
    """The label has as many values as there are addresses, whatever callers make up."""
    await service.ask("GET", "/releases/12345")
    await service.ask("GET", "/made/up/12345")

    metrics = (await service.ask("GET", "/metrics", None)).text
    assert 'route="/releases/{id}"' in metrics
    assert 'route="unmatched"' in metrics
    assert "12345" not in metrics


async def test_a_callers_trace_goes_on_in_ours(service, spans):
    """The span of a request is a child of the caller's, named after the template."""
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    await service.ask("GET", "/api/v1/releases", headers={"traceparent": parent})

    [span] = [span for span in spans.get_finished_spans() if span.name.endswith("/api/v1/releases")]
    assert format(span.context.trace_id, "032x") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span.attributes["http.response.status_code"] == 200


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What is traced from here on; OpenTelemetry takes one provider per process, so it may be another's."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    found = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(found))
    return found


def test_logs_are_json_lines_with_context(capsys):
    """One object per line, whoever logs: we or a library."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure(Log())
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            structlog.get_logger().info("asked", service="Bücher")
            logging.getLogger("aiohttp.server").error("broken %s", "pipe")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before
        structlog.reset_defaults()

    assert [line["event"] for line in lines] == ["asked", "broken pipe"]
    assert {line["request_id"] for line in lines} == {"r1"}
    assert lines[0]["service"] == "Bücher"


def test_logs_for_people_are_lines_of_text(capsys):
    """A terminal gets words instead of JSON."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure(Log(format="console", level="warning"))
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud", service="checkout")
        text = capsys.readouterr().err
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before
        structlog.reset_defaults()

    assert "quiet" not in text
    assert "loud" in text


def test_a_logged_exception_does_not_show_variables(capsys):
    """A frame's variables may hold a token; where it broke is enough."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        for shape in ("json", "console"):
            logs.configure(Log(format=shape))
            _break_with("fd_a-very-secret-token")
        text = capsys.readouterr().err
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before
        structlog.reset_defaults()

    assert text.count("ZeroDivisionError") >= 2
    assert "fd_a-very-secret-token" not in text


def _break_with(secret: str) -> float:
    try:
        return len(secret) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("broken")
        return 0.0


# ── probes ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/metrics", "/api/v1/openapi.json"])
async def test_probes_and_documents_need_no_token(service, path):
    """A kubelet has none."""
    reply = await service.ask("GET", path, None)

    assert reply.status == 200


async def test_a_store_that_is_down_is_unready_and_alive(service):
    """Callers go to another replica; nobody is killed for it."""
    service.store.trouble = "disk full"

    ready = await service.ask("GET", "/readyz", None)
    alive = await service.ask("GET", "/livez", None)

    assert ready.status == 503
    assert "[-] store: disk full" in ready.text
    assert alive.status == 200


class Stuck(MemoryStore):
    """A store whose readiness never comes, or comes as an error."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error

    async def ready(self) -> str | None:
        if self._error:
            raise self._error
        await asyncio.sleep(60)
        return None


@pytest.mark.parametrize(("error", "says"), [(None, "no answer within 2 s"), (StoreError("gone"), "gone")])
async def test_a_store_that_hangs_is_unready(error, says):
    """A probe has its own time, shorter than the kubelet's patience."""
    async with running(store=Stuck(error)) as service:
        reply = await service.ask("GET", "/readyz", None)

    assert reply.status == 503
    assert says in reply.text


async def test_a_source_that_only_fails_is_degraded_and_ready(service):
    """An outage of Prometheus takes no replica out of service: all of them would leave."""
    telemetry.SOURCE_ERRORS.labels("probe-test", "down").inc()

    broken = await service.ask("GET", "/readyz?verbose", None)
    telemetry.FETCH_BYTES.labels("probe-test").observe(10)
    mended = await service.ask("GET", "/readyz?verbose", None)

    assert broken.status == 200
    assert "source probe-test: degraded" in broken.text
    assert "probe-test" not in mended.text


async def test_readiness_goes_first_when_the_end_is_near():
    """New callers are sent elsewhere while the old ones are still answered."""
    settings = Settings(auth={"required": False})
    app = create_app(settings, MemoryStore(), FakeJudge())
    async with serving(app, settings.limits) as address, aiohttp.ClientSession(address.url) as session:
        app[LIFECYCLE].draining = True
        ready = await session.get("/readyz")
        judged = await session.post("/api/v1/judge", json=GOOD)

    assert ready.status == 503
    assert judged.status == 200


async def test_what_was_begun_is_finished_at_the_end():
    """Closing waits for answers under way."""
    settings = Settings(auth={"required": False})
    judge = FakeJudge()
    judge.patience_seconds = 0.4
    app = create_app(settings, MemoryStore(), judge)
    async with aiohttp.ClientSession() as session:
        async with serving(app, settings.limits) as address:
            asked = asyncio.create_task(session.post(f"{address.url}/api/v1/judge", json=GOOD))
            await asyncio.sleep(0.1)
        reply = await asked

    assert reply.status == 200


async def test_an_unusable_token_file_stops_the_start(tmp_path):
    """A secret that is not mounted is found before the first caller comes."""
    settings = Settings(auth={"token_files": {"argo": str(tmp_path / "nothing")}})
    app = create_app(settings, MemoryStore(), FakeJudge())

    with pytest.raises(ConfigError, match="argo"):
        async with serving(app, settings.limits):
            pass


# ── without tokens ───────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_door() -> AsyncIterator[Service]:
    async with running({"auth": {"required": False}}) as service:
        yield service


async def test_without_tokens_anybody_on_this_machine_may_ask():
    """`auth.required: false` on loopback needs no ceremony, with path secrets neither."""
    async with open_door() as service:
        listed = await service.ask("GET", "/api/v1/releases", None)
        hooked = await service.ask("POST", "/flagger/v1/anything/event", None, json=PAYLOAD)

    assert listed.status == 200
    assert hooked.status == 200


async def test_without_tokens_a_page_elsewhere_cannot_come_in_by_another_name():
    """A name that an attacker points at 127.0.0.1 is not ours (DNS rebinding)."""
    async with open_door() as service:
        foreign = await service.ask("GET", "/api/v1/releases", None, headers={"Host": "evil.example"})
        public = await service.ask("GET", "/api/v1/releases", None, headers={"Host": "firedamp.example"})

    assert foreign.status == 403
    assert "evil.example" in foreign.text
    assert public.status == 200


def test_without_tokens_the_network_is_not_served():
    """The process refuses to start, and says what to set."""
    settings = Settings(auth={"required": False}, listen={"host": "0.0.0.0"})

    with pytest.raises(ConfigError, match=r"auth\.required"):
        run(settings)


# ── people ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_person_without_a_session_is_led_to_the_login(service):
    """A permalink in a chat leads to the release by way of the login."""
    reply = await service.ask("GET", "/releases/7", None)

    assert reply.status == 303
    assert reply.headers["Location"] == "/login?next=/releases/7"


async def login(service: Service, token: str, then: str = "/", **headers: str) -> Any:
    return await service.ask(
        "POST", "/login", None, data={"token": token, "next": then}, headers=dict(headers)
    )


async def test_a_login_leads_on_with_a_session(service):
    """The cookie is out of reach for scripts and other sites, and opens the pages."""
    entered = await login(service, ADMIN, "/releases/7")
    cookie = entered.headers["Set-Cookie"]
    page = await service.ask("GET", "/", None, headers={"Cookie": cookie.split(";")[0]})

    assert entered.status == 303
    assert entered.headers["Location"] == "/releases/7"
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert ADMIN not in cookie
    assert page.status == 200


async def test_a_session_reads_and_does_not_write(service):
    """A borrowed cookie opens no gate."""
    cookie = (await login(service, ADMIN)).headers["Set-Cookie"].split(";")[0]
    body = {"service": "checkout", "namespace": "shop", "hook": "*", "open": True}

    reply = await service.ask("PUT", "/api/v1/gates", None, json=body, headers={"Cookie": cookie})

    assert reply.status == 403


@pytest.mark.parametrize("token", ["", "wrong", PATH, "x" * 5000])
async def test_a_wrong_token_stays_outside(service, token):
    """A path secret opens no page either, and nothing of it is repeated."""
    reply = await login(service, token)

    assert reply.status == 403
    assert "No such token" in reply.text
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x"])
async def test_a_login_leads_to_no_other_host(service, then):
    """An open redirect is a gift to phishers."""
    reply = await login(service, ADMIN, then)

    assert reply.headers["Location"] == "/"


async def test_a_login_from_another_site_is_refused(service):
    """Nobody is logged in without wanting it."""
    reply = await login(service, ADMIN, **{"Sec-Fetch-Site": "cross-site"})

    assert reply.status == 403


@pytest.mark.parametrize("data", [b"\xff\xfe", "&".join("a=1" for _ in range(50)), "token"])
async def test_a_broken_form_is_a_failed_login(service, data):
    """Whatever is posted there, it is no token."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    reply = await service.ask("POST", "/login", None, data=data, headers=form)

    assert reply.status == 403


async def test_a_form_of_another_kind_is_a_failed_login(service):
    """Multipart is not read at all."""
    reply = await service.ask("POST", "/login", None, json={"token": ADMIN})

    assert reply.status == 403


async def test_logging_out_takes_the_cookie_away(service):
    """The session ends in this browser."""
    reply = await service.ask("POST", "/logout", None)

    assert reply.headers["Location"] == "/login"
    assert "Max-Age=0" in reply.headers["Set-Cookie"]


# ── surprises ────────────────────────────────────────────────────────────────────────────────────────


class Broken(MemoryStore):
    """A store with a bug."""

    async def listed(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret detail")


async def test_a_surprise_is_answered_in_words_and_logged():
    """The caller gets a number to ask about, the log gets the exception."""
    async with running(store=Broken()) as service:
        with capture_logs() as lines:
            reply = await service.ask("GET", "/api/v1/releases", headers={"X-Request-Id": "r-7"})

    assert reply.status == 500
    assert "r-7" in json.loads(reply.text)["error"]
    assert "secret detail" not in reply.text
    assert "surprise" in [line["event"] for line in lines]


async def test_a_surprise_on_a_page_is_a_page():
    """People get words and a way on."""
    async with running(store=Broken()) as service:
        reply = await service.ask("GET", "/")

    assert reply.status == 500
    assert "<h1>" in reply.text


class UnreadableTokens(MemoryStore):
    """A store that hands out what is no token."""

    async def tokens(self) -> Any:
        return [None]


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/argo/v1/guard?service=s&namespace=n", 200, '"verdict":"inconclusive"'),
        ("GET", "/promql/api/v1/query?query=up", 200, '"0.5"'),
        ("GET", "/api/v1/releases", 500, "its log says more"),
    ],
)
async def test_a_surprise_at_the_door_does_not_count_against_a_canary(method, path, status, says):
    """Argo and Flagger's metrics get "undecided" whatever breaks, at whichever place."""
    async with running(store=UnreadableTokens()) as service:
        reply = await service.ask(method, path)

    assert reply.status == status
    assert says in reply.text


HOOKS = [
    ("confirm-rollout", 200),
    ("pre-rollout", 200),
    ("rollout", 200),
    ("post-rollout", 200),
    ("event", 200),
    ("confirm-traffic-increase", 403),
    ("confirm-promotion", 403),
    ("rollback", 403),
    ("gate/check", 403),
]


@pytest.mark.parametrize(("hook", "status"), HOOKS)
async def test_a_surprise_before_a_hook_neither_stops_nor_rolls_back(hook, status):
    """Where "no" is harm the answer is go on; where "yes" is harm, it is no. Never a 5xx."""

    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("a bug")

    app = web.Application(middlewares=[observed, refusing])
    app.router.add_post("/flagger/v1/{secret}/{hook:.*}", broken)
    async with TestClient(TestServer(app)) as client:
        reply = await client.post(f"/flagger/v1/{PATH}/{hook}", json=PAYLOAD)
        text = await reply.text()

    assert reply.status == status
    assert text.startswith("inconclusive: ")
    assert PATH not in text


async def test_what_aiohttp_refuses_in_its_own_words_is_said_in_ours():
    """A refusal that nobody here wrote is still JSON."""

    async def gone(request: web.Request) -> web.Response:
        raise web.HTTPGone

    app = web.Application(middlewares=[observed, refusing])
    app.router.add_get("/api/v1/old", gone)
    async with TestClient(TestServer(app)) as client:
        reply = await client.get("/api/v1/old")
        found = await reply.json()

    assert reply.status == 410
    assert found["error"].startswith("Gone")


# ── the process ──────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def process(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, list[str]]]:
    """`firedamp serve` with an empty store; its address and the lines it wrote until it listened."""
    environment = {
        **os.environ,
        "FIREDAMP_STORE__URL": f"sqlite:///{tmp_path}/store.db",
        "FIREDAMP_LISTEN__PORT": "0",
    }
    code = "from firedamp.config.load import load; from firedamp.server import run; run(load(None))"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment, stderr=asyncio.subprocess.PIPE
    )
    lines: list[str] = []
    try:
        while not lines or '"listening"' not in lines[-1]:
            line = await asyncio.wait_for(started.stderr.readline(), 30)
            assert line, "".join(lines)
            lines.append(line.decode())
        yield started, json.loads(lines[-1])["url"], lines
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_the_first_start_prints_a_token_that_works_and_the_second_none(tmp_path):
    """Once, on standard error, past the log."""
    async with process(tmp_path) as (_, url, lines), aiohttp.ClientSession() as session:
        [secret] = [line.strip() for line in lines if line.strip().startswith("fd_")]
        reply = await session.get(f"{url}/api/v1/releases", headers={"Authorization": f"Bearer {secret}"})
    async with process(tmp_path) as (_, _, again):
        pass

    assert reply.status == 200
    assert not any("fd_" in line for line in again)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_leads_through_the_whole_life(tmp_path, number, capsys):
    """Listening, leaving, left; the token is printed, the socket closed, the store too."""
    settings = Settings.model_validate(
        {"store": {"url": f"sqlite:///{tmp_path}/store.db"}, "listen": {"port": 0}}
    )
    with capture_logs() as lines:
        serving_it = asyncio.create_task(until_stopped(settings))
        while not any(line["event"] == "listening" for line in lines):
            await asyncio.sleep(0.05)
            assert not serving_it.done(), serving_it.result()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(serving_it, 20)

    events = [line["event"] for line in lines if line["event"] in ("listening", "leaving", "left")]
    assert events == ["listening", "leaving", "left"]
    assert "fd_" in capsys.readouterr().err


async def test_sigterm_drains_and_exits_with_zero(tmp_path):
    """Readiness goes first, callers are still answered, then the process leaves in good order."""
    async with process(tmp_path) as (started, url, _), aiohttp.ClientSession() as session:
        started.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        ready = await session.get(f"{url}/readyz")
        alive = await session.get(f"{url}/livez")
        code = await asyncio.wait_for(started.wait(), 20)

    assert ready.status == 503
    assert alive.status == 200
    assert code == 0


async def test_ctrl_c_does_not_wait(tmp_path):
    """A person at a terminal has no load balancer to wait for."""
    async with process(tmp_path) as (started, _, _):
        before = asyncio.get_running_loop().time()
        started.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(started.wait(), 20)
        took = asyncio.get_running_loop().time() - before

    assert code == 0
    assert took < 1.5
