"""
What malformed, hostile, oversized and slow callers get, over a real socket, from the whole application.

Each gets a 4xx (or a closed connection) with the value, the limit and the remedy; nothing gets a 5xx, and
nothing that no release did counts against a release.
"""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from service import ADMIN, ASKER, GATEKEEPER, PATH, Reply, Service, running

JSON = {"Content-Type": "application/json"}
JUDGE = "/api/v1/judge"
GUARD = "/argo/v1/guard"
HOOK = f"/flagger/v1/{PATH}/rollout"
QUERY = "/promql/api/v1/query"
GOOD = {"service": "checkout", "namespace": "shop"}
OPENED = {**GOOD, "hook": "*", "open": True}
PAYLOAD = {"name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b"}
#: A refusal says what to do: one of the verbs of our remedies.
REMEDY = re.compile(
    r"\b(send|add|remove|rename|put|write|pass|use|see|ask|encode|leave|flatten|wrap|move|shorten|mend|"
    r"spell|choose|give|call|percent-encode|take|make|say|look|quote|omit|drop|set|find|cut|needs?)\b",
    re.IGNORECASE,
)


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as found:
        yield found


def case(method: str, path: str, status: int, says: str, **more: Any) -> Any:
    identity = f"{method} {path[:40]} {says}".replace(PATH, "SECRET")
    return pytest.param(method, path, status, says, more, id=re.sub(r"[^\w /.-]", "_", identity))


def sent(**fields: Any) -> dict[str, Any]:
    return {"json": {**GOOD, **fields}}


def raw(text: str | bytes, **headers: str) -> dict[str, Any]:
    return {"data": text, "headers": {**JSON, **headers}}


def packed(encoding: str) -> dict[str, Any]:
    """48 KB that would be 50 MB."""
    compress = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    return raw(compress(b" " * 50_000_000), **{"Content-Encoding": encoding})


CASES = [
    # Who asks.
    case("POST", JUDGE, 401, "no valid token", token=None, json=GOOD),
    case("POST", JUDGE, 401, "no valid token", token="fd_nobody-knows-this-one", json=GOOD),
    case("POST", JUDGE, 401, "no valid token", token=PATH, json=GOOD),
    case(
        "POST", JUDGE, 401, "no valid token", token=None, headers={"Authorization": "Basic YTpi"}, json=GOOD
    ),
    case("POST", JUDGE, 401, "no valid token", token=None, headers={"Authorization": "Bearer"}, json=GOOD),
    case("GET", f"{GUARD}?service=checkout&namespace=shop", 401, "no valid token", token=None),
    case("POST", f"/flagger/v1/{ADMIN}/rollout", 403, "credential", token=None, json=PAYLOAD),
    case("POST", "/flagger/v1/wrong/rollback", 403, "credential", token=None, json=PAYLOAD),
    case("POST", HOOK, 403, "namespace", token=None, json={**PAYLOAD, "namespace": "pay"}),
    case("POST", JUDGE, 403, "namespace", token=ASKER, json={**GOOD, "namespace": "pay"}),
    case("GET", "/api/v1/releases?namespace=pay", 403, "namespace", token=ASKER),
    case("GET", f"{GUARD}?service=checkout&namespace=pay&canary-hash=a", 403, "namespace", token=ASKER),
    case(
        "PUT",
        "/api/v1/gates",
        403,
        "gatekeeper",
        token=ASKER,
        json={**GOOD, "hook": "rollback", "open": True},
    ),
    case("PUT", "/api/v1/holds", 403, "gatekeeper", token=ASKER, json=GOOD),
    case("POST", "/api/v1/outcomes", 403, "gatekeeper", token=ASKER, json={**GOOD, "outcome": "promoted"}),
    case("PUT", "/api/v1/gates", 403, "pay", token=GATEKEEPER, json={**OPENED, "namespace": "pay"}),
    case("PUT", "/api/v1/holds", 403, "other sites", json=GOOD, headers={"Sec-Fetch-Site": "cross-site"}),
    case("POST", JUDGE, 403, "other sites", json=GOOD, headers={"Origin": "https://evil.example"}),
    # Where.
    case("GET", "/api/v1/nothing", 404, "nothing answers"),
    case("GET", "/api/v1/releases/", 404, "nothing answers"),
    case("GET", "/api/v1//releases", 404, "nothing answers"),
    case("GET", "/static/../../etc/passwd", 404, "no such file"),
    case("GET", "/argo/v1/destroy?service=checkout&namespace=shop", 404, "destroy"),
    case("POST", f"/flagger/v1/{PATH}/nonsense", 404, "nonsense", token=None, json=PAYLOAD),
    case("GET", "/api/v1/releases/0", 404, "release"),
    case("GET", "/api/v1/releases/-1", 404, "release"),
    case("GET", "/api/v1/releases/1e3", 404, "release"),
    case("GET", "/api/v1/releases/%D9%A3", 404, "release"),
    case("GET", f"/api/v1/releases/{'9' * 400}", 404, "release"),
    case("GET", "/releases/%00", 404, "numbered"),
    case("POST", "/api/v1/outcomes", 404, "no release", json={**GOOD, "outcome": "promoted"}),
    # How.
    case("PATCH", JUDGE, 405, "PATCH"),
    case("TRACE", "/api/v1/releases", 405, "TRACE"),
    case("TRACE", GUARD, 405, "TRACE"),
    case("PROPFIND", HOOK, 405, "PROPFIND", token=None),
    case("OPTIONS", "/api/v1/releases", 405, "OPTIONS"),
    case("DELETE", "/api/v1/releases", 405, "DELETE"),
    case("PUT", GUARD, 405, "PUT"),
    case("POST", "/livez", 405, "POST"),
    case("GET", JUDGE, 405, "GET"),
    # Bodies.
    case("POST", JUDGE, 400, "no JSON", **raw("")),
    case("POST", JUDGE, 400, "no JSON", **raw("{")),
    case("POST", JUDGE, 400, "no JSON", **raw("{'service': 'checkout'}")),
    case("POST", JUDGE, 400, "no JSON", **raw('{"service": "a"} {"service": "b"}')),
    case("POST", JUDGE, 400, "one JSON object", **raw("[]")),
    case("POST", JUDGE, 400, "one JSON object", **raw("null")),
    case("POST", JUDGE, 400, "nested too deep", **raw("[" * 30_000)),
    case("POST", JUDGE, 400, "NaN", **raw('{"service": "a", "namespace": "b", "weight": NaN}')),
    case("POST", JUDGE, 400, "Infinity", **raw('{"service": "a", "weight": -Infinity}')),
    case("POST", JUDGE, 400, "finite", **raw('{"service": "a", "weight": 1e999}')),
    case("POST", JUDGE, 400, "twice", **raw('{"service": "a", "service": "b"}')),
    case("POST", JUDGE, 400, "UTF-8", **raw(b'{"service": "\xff\xfe"}')),
    case("POST", JUDGE, 400, "byte-order mark", **raw(b'\xef\xbb\xbf{"service": "a"}')),
    case("POST", JUDGE, 400, "service", **raw('{"service": "\\ud800"}')),
    case("POST", JUDGE, 400, "service", **raw('{"service": "\\u0000"}')),
    case("POST", JUDGE, 413, "65536", **raw(b"x" * 70_000)),
    case("POST", GUARD, 413, "65536", **raw(b"x" * 70_000)),
    case("POST", HOOK, 413, "65536", token=None, **raw(b"x" * 70_000)),
    case(
        "POST",
        JUDGE,
        415,
        "Content-Encoding",
        **packed("gzip"),
    ),
    case(
        "POST",
        GUARD,
        415,
        "Content-Encoding",
        **packed("deflate"),
    ),
    case("POST", "/login", 413, "larger", token=None, data={"token": "x" * 70_000}),
    case("POST", JUDGE, 415, "Content-Type", data="a=b", headers={"Content-Type": "text/plain"}),
    case("POST", JUDGE, 415, "Content-Type", data="<a/>", headers={"Content-Type": "application/xml"}),
    case("POST", f"{JUDGE}?a=b", 400, "body", json=GOOD),
    # Fields.
    case("POST", JUDGE, 400, "missing", json={}),
    case("POST", JUDGE, 400, "unknown", **sent(url="http://169.254.169.254/")),
    case("POST", JUDGE, 400, "question", **sent(question="destroy")),
    case("POST", JUDGE, 400, "service", **sent(service=7)),
    case("POST", JUDGE, 400, "service", **sent(service="")),
    case("POST", JUDGE, 400, "service", **sent(service='x"} or vector(1) #')),
    case("POST", JUDGE, 400, "253", **sent(service="x" * 254)),
    case("POST", JUDGE, 400, "253", **sent(revision="x" * 300)),
    case("POST", JUDGE, 400, "printable", **sent(revision="a\nb")),
    case("POST", JUDGE, 400, "weight", **sent(weight=True)),
    case("POST", JUDGE, 400, "weight", **sent(weight="20")),
    case("POST", JUDGE, 400, "weight", **sent(weight=1.5)),
    case("POST", JUDGE, 400, "experiment", **sent(experiment="true")),
    case("POST", JUDGE, 400, "cohorts", **sent(cohorts=["a"])),
    case("POST", JUDGE, 400, "unknown", **sent(cohorts={"canary": "a", "stable": "b"})),
    case("POST", "/api/v1/outcomes", 400, "outcome", **sent(outcome=" ")),
    case("PUT", "/api/v1/gates", 400, "hook", **sent(hook="all", open=True)),
    case("PUT", "/api/v1/gates", 400, "open", **sent(hook="*", open="yes")),
    case("PUT", "/api/v1/gates", 400, "expires", **sent(hook="*", open=True, expires="for ever")),
    case("PUT", "/api/v1/gates", 400, "30 days", **sent(hook="*", open=True, expires="31d")),
    case("PUT", "/api/v1/holds", 400, "30 days", **sent(expires=-1)),
    case("PUT", "/api/v1/holds", 400, "mode", **sent(mode="judge")),
    case("PUT", "/api/v1/holds", 400, "500", **sent(note="x" * 501)),
    case("DELETE", "/api/v1/holds", 400, "missing"),
    # Queries.
    case("GET", "/api/v1/releases?limit=0", 400, "limit"),
    case("GET", "/api/v1/releases?limit=501", 400, "limit"),
    case("GET", "/api/v1/releases?limit=ten", 400, "limit"),
    case("GET", "/api/v1/releases?limit=1&limit=2", 400, "twice"),
    case("GET", "/api/v1/releases?before=-5", 400, "before"),
    case("GET", "/api/v1/releases?order=desc", 400, "unknown"),
    case("GET", "/api/v1/releases?service=%ff", 400, "UTF-8"),
    case("GET", f"/api/v1/releases?{'&'.join(f'a{n}=1' for n in range(100))}", 400, "parameters"),
    case("GET", f"{GUARD}?service=checkout", 400, "namespace"),
    case("GET", f"{GUARD}?service=checkout&namespace=shop&weight=2000", 400, "weight"),
    case("GET", f"{GUARD}?service=checkout&namespace=shop&prometheus=http%3A%2F%2Fevil", 400, "unknown"),
    case("GET", f"{QUERY}?query=up", 400, "firedamp_verdict"),
    case("GET", f"{QUERY}?query={'(' * 4000}", 400, "firedamp_verdict"),
    case("POST", HOOK, 400, "name", token=None, json={}),
    case("POST", HOOK, 400, "metadata", token=None, json={**PAYLOAD, "metadata": {"a": 1}}),
]


@pytest.mark.parametrize(("method", "path", "status", "says", "more"), CASES)
async def test_a_bad_request_is_refused_with_value_limit_and_remedy(
    service, method, path, status, says, more
):
    """A 4xx whose sentence names the fault and what to do, and no secret."""
    reply = await service.ask(method, path, **more)

    assert reply.status == status
    assert says in reply.text
    assert REMEDY.search(sentence(reply))
    assert not any(secret in reply.text for secret in (ADMIN, PATH))


def sentence(reply: Reply) -> str:
    """What a refusal says, in JSON, in a line or on a page."""
    kind = reply.headers["Content-Type"]
    if kind.startswith("application/json"):
        return str(json.loads(reply.text)["error"])
    assert kind.startswith(("text/plain", "text/html"))
    return reply.text


def test_the_table_is_long_enough_to_mean_something():
    """Forty cases at the least, each of its own kind."""
    assert len(CASES) >= 90


HEAD = b"POST /api/v1/judge HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LET_IN = HEAD + f"Authorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\n".encode()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"GET /li vez HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 500 + b"\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400),
        (LET_IN + CHUNKED + b"zz\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n", 417),
    ],
)
async def test_what_is_no_http_is_refused_in_json(service, said, status):
    """Neither nonsense nor smuggling comes as far as a handler, and the answer can be read."""
    reply = await service.speak(said)

    assert reply.status == status
    assert REMEDY.search(json.loads(reply.text)["error"])


async def test_a_secret_in_an_unreadable_request_is_not_repeated(service):
    """What the parser choked on may hold a path secret."""
    reply = await service.speak(b"POST " + HOOK.encode() + b"\x00 HTTP/1.1\r\n\r\n")

    assert reply.status == 400
    assert PATH not in reply.text


async def test_a_slow_head_is_closed_with_the_limit(service):
    """Drop by drop, a head does not get longer than its time."""
    drops = [bytes([one]) for one in b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: yes\r\n"]

    reply = await service.speak(*drops, pause=0.01)

    assert reply.status == 408
    assert "0.3 s" in json.loads(reply.text)["error"]


async def test_a_silent_connection_is_closed(service):
    """Who says nothing gets nothing."""
    reply = await service.speak()

    assert reply.status == 0


async def test_a_slow_second_head_is_closed_too(service):
    """A connection that was kept alive is held to the same time."""
    first = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

    reply = await service.speak(first, b"GET /livez HT", pause=0.1)

    assert reply.text.startswith("ok\n")
    assert "408 Request Timeout" in reply.text


@pytest.mark.parametrize("length", [b"Content-Length: 500\r\n\r\n", CHUNKED + b"1f4\r\n"])
async def test_a_slow_body_is_refused_with_the_limit(service, length):
    """A body that trickles is given up after its time, and the connection with it."""
    drops = [b" "] * 60

    reply = await service.speak(LET_IN + length, *drops, pause=0.01)

    assert reply.status == 408
    assert "0.3 s" in json.loads(reply.text)["error"]


@pytest.mark.parametrize(
    ("path", "token", "kind"),
    [
        (GUARD, ADMIN, "application/json"),
        (HOOK, None, "application/json"),
        (f"/flagger/v1/{PATH}/gate/open", None, "application/json"),
        (QUERY, ADMIN, "application/x-www-form-urlencoded"),
        ("/login", None, "application/x-www-form-urlencoded"),
    ],
)
async def test_every_dialect_refuses_a_body_that_stays_away(service, path, token, kind):
    """Each in its own words, and none of them waits."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 9\r\n"
    vouched = f"Authorization: Bearer {token}\r\n" if token else ""

    reply = await service.speak(f"{head}{vouched}\r\n1".encode())

    assert reply.status == 408
    assert "0.3 s" in reply.text


async def test_chunks_that_break_are_refused_at_once():
    """The body's time is not waited for; aiohttp alone would wait for ever."""
    async with running({"limits": {"body_seconds": 30}}) as service:
        reply = await service.speak(LET_IN + CHUNKED + b"1\r\n{\r\n", b"zz\r\n\r\n", pause=0.1)

    assert reply.status == 408
    assert "chunks" in reply.text


async def test_a_body_that_breaks_off_is_no_body(service):
    """A connection that is half closed in mid-body ends without an answer being acted on."""
    await service.speak(LET_IN + b"Content-Length: 50\r\n\r\n{")

    assert service.judge.asked == []


async def test_a_body_without_end_is_cut_at_its_limit(service):
    """Chunks are counted as they come."""
    chunk = b"2000\r\n" + b"x" * 8192 + b"\r\n"

    reply = await service.speak(LET_IN + CHUNKED + chunk * 12)

    assert reply.status == 413


# ── well-formed and unanswerable: 200, inconclusive, with the remedy ─────────────────────────────────


async def test_overload_is_undecided_not_an_error():
    """The question too many is told to ask again, in the words of a verdict."""
    async with running({"limits": {"concurrent": 1}}) as service:
        service.judge.patience_seconds = 0.5
        path = f"{GUARD}?service=checkout&namespace=shop&canary-hash=a&stable-hash=b"
        replies = await asyncio.gather(*(service.ask("GET", path) for _ in range(3)))

    summaries = sorted(json.loads(reply.text)["summary"] for reply in replies)
    assert {reply.status for reply in replies} == {200}
    assert "ask again" in summaries[0]
    assert summaries[-1].startswith("pass:")


async def test_a_judge_that_takes_too_long_is_undecided():
    """Callers wait ten seconds; an answer comes before that, whatever happens."""
    async with running({"limits": {"deadline": 0.2}}) as service:
        service.judge.patience_seconds = 5.0
        path = f"{GUARD}?service=checkout&namespace=shop&canary-hash=a&stable-hash=b"
        reply = await service.ask("GET", path)

    assert reply.status == 200
    assert json.loads(reply.text)["summary"].startswith("inconclusive:")


async def test_a_judge_that_breaks_is_undecided(service):
    """An exception of ours is not evidence against a canary."""
    service.judge.trouble = RuntimeError("a bug")

    reply = await service.ask("POST", JUDGE, json=GOOD)

    assert reply.status == 200
    assert json.loads(reply.text)["verdict"] == "inconclusive"
    assert "a bug" not in reply.text


async def test_a_store_that_is_down_is_said_in_words(service):
    """A list cannot be shown without the store; the reply says where to look."""
    service.store.trouble = "disk full"

    reply = await service.ask("GET", "/api/v1/releases")

    assert reply.status == 503
    assert "/readyz" in json.loads(reply.text)["error"]
