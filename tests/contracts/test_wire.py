"""What all dialects share: hostile requests, our own trouble, and answers that every parser reads."""

import asyncio
import gzip
import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.dialects import NOW, SECRET, payload, send, serving, strict
from fakes import FakeJudge
from firedamp.config import Limits, Settings
from firedamp.contracts import _wire
from firedamp.errors import AskError, ForbiddenError, NotFoundError
from firedamp.model import Ask, Controller, Finding, Outcome, Question, Tier, Verdict

JSON = {"Content-Type": "application/json"}
ARGO = "/argo/v1/guard"
ASKED = f"{ARGO}?service=checkout&namespace=shop&canary-hash=a&stable-hash=b"
HOOK = f"/flagger/v1/{SECRET}/rollout"
ROLLBACK = f"/flagger/v1/{SECRET}/rollback"
GATE = f"/flagger/v1/{SECRET}/gate"
QUERY = "/promql/api/v1/query"
NAMED = {"service": "checkout", "namespace": "shop"}
SELECTOR = 'firedamp_verdict{namespace="shop",service="checkout",question="guard"}'


def get(path: str) -> dict:
    return {"method": "GET", "path": path}


def post(path: str, data: object, **headers: str) -> dict:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return {"method": "POST", "path": path, "data": body, "headers": JSON | headers}


def asked(query: str) -> dict:
    return {"method": "GET", "path": QUERY, "params": {"query": query}}


def form(query: str) -> dict:
    return {"method": "POST", "path": QUERY, "data": {"query": query}}


#: name -> request, status, and what the answer must show: value, limit, remedy.
BAD = {
    "argo: service missing": (get(f"{ARGO}?namespace=shop"), 400, ["service", "required", "add it"]),
    "argo: service empty": (get(f"{ARGO}?service=&namespace=shop"), 400, ['""', "253", "Kubernetes"]),
    "argo: blank in a name": (get(f"{ARGO}?service=a%20b&namespace=shop"), 400, ['"a b"', "253", "write"]),
    "argo: name too long": (
        get(f"{ARGO}?service={'a' * 254}&namespace=shop"),
        400,
        ["aaa...", "253", "write"],
    ),
    "argo: quote in a name": (get(f'{ARGO}?service=a"b&namespace=shop'), 400, ['\\"b"', "253", "write"]),
    "argo: hash too long": (get(f"{ASKED[:-1]}{'b' * 300}"), 400, ["bbb...", "253", "pass"]),
    "argo: control character": (get(f"{ASKED}%0a"), 400, ["b\\n", "printable", "pass"]),
    "argo: bad UTF-8 in the query": (get(f"{ASKED}%ff"), 400, ["0xff", "UTF-8", "encode"]),
    "argo: repeated parameter": (get(f"{ASKED}&service=x"), 400, ['"service"', "once", "remove"]),
    "argo: unknown parameter": (get(f"{ASKED}&serivce=x"), 400, ['"serivce"', "allowed are", "rename"]),
    "argo: alias and name": (get(f"{ASKED}&latest-hash=c"), 400, ['"c"', "one of them", "remove"]),
    "argo: weight above 100": (get(f"{ASKED}&weight=120"), 400, ['"120"', "0 to 100", "write"]),
    "argo: weight is no number": (get(f"{ASKED}&weight=NaN"), 400, ['"NaN"', "0 to 100", "write"]),
    "argo: negative weight": (get(f"{ASKED}&weight=-1"), 400, ['"-1"', "0 to 100", "write"]),
    "argo: experiment is no truth": (get(f"{ASKED}&experiment=yes"), 400, ['"yes"', "true, false", "write"]),
    "argo: unknown question": (
        get("/argo/v1/rule?service=a"),
        404,
        ['"rule"', "guard, advance, promote", "ask"],
    ),
    "argo: method": ({"method": "PUT", "path": ARGO}, 405, ['"PUT"', "GET or POST", "use"]),
    "argo: sixty-five parameters": (get(f"{ARGO}?{'a=b&' * 65}"), 400, ["a=b", "64", "send"]),
    "argo: a number instead of text": (post(ARGO, NAMED | {"weight": 20}), 400, ["20", "strings", "quotes"]),
    "argo: a null": (post(ARGO, NAMED | {"step": None}), 400, ["null", "strings", "quotes"]),
    "argo: a nested object": (
        post(ARGO, NAMED | {"step": {"a": 1}}),
        400,
        ["an object", "strings", "quotes"],
    ),
    "argo: NaN": (post(ARGO, b'{"weight": NaN}'), 400, ["NaN", "finite", "leave"]),
    "argo: Infinity": (post(ARGO, b'{"weight": -Infinity}'), 400, ["-Infinity", "finite", "leave"]),
    "argo: repeated key": (
        post(ARGO, b'{"service":"a","service":"b"}'),
        400,
        ['"service"', "once", "remove"],
    ),
    "argo: byte-order mark": (post(ARGO, b"\xef\xbb\xbf{}"), 400, ["byte-order mark", "UTF-8", "leave"]),
    "argo: UTF-16": (post(ARGO, '{"a":"b"}'.encode("utf-16")), 400, ["byte-order mark", "UTF-8", "leave"]),
    "argo: bad UTF-8": (post(ARGO, b'{"service":"\xff"}'), 400, ["0xff", "UTF-8", "encode"]),
    "argo: lone surrogate": (post(ARGO, b'{"service":"\\ud800"}'), 400, ["ud800", "253", "write"]),
    "argo: nested a thousand deep": (post(ARGO, b"[" * 30000), 400, ["nested", "one object", "flatten"]),
    "argo: a list": (post(ARGO, [1]), 400, ["a list", "one JSON object", "wrap"]),
    "argo: null body": (post(ARGO, None), 400, ["null", "one JSON object", "wrap"]),
    "argo: empty body": (post(ARGO, b""), 400, ["line 1 column 1", "JSON", "send"]),
    "argo: trailing text": (post(ARGO, b"{}x"), 400, ["Extra data", "JSON", "send"]),
    "argo: huge number": (post(ARGO, b'{"weight":' + b"9" * 5000 + b"}"), 400, ["digits", "JSON", "send"]),
    "argo: too large": (post(ARGO, b" " * 65537), 413, ["65537", "65536", "send"]),
    "argo: form instead of JSON": (
        post(ARGO, b"service=a", **{"Content-Type": "application/x-www-form-urlencoded"}),
        415,
        ["x-www-form-urlencoded", "application/json", "send"],
    ),
    "argo: other charset": (
        post(ARGO, NAMED, **{"Content-Type": "application/json; charset=latin-1"}),
        415,
        ["latin-1", "UTF-8", "send"],
    ),
    "argo: compressed": (
        post(ARGO, gzip.compress(b"{}"), **{"Content-Encoding": "gzip"}),
        415,
        ['"gzip"', "identity", "uncompressed"],
    ),
    "argo: parameters of a POST in its address": (
        post(f"{ARGO}?service=a", NAMED),
        400,
        ['"service"', "body", "move"],
    ),
    "flagger: method": (get(HOOK), 405, ['"GET"', "POST", "use"]),
    "flagger: unknown hook": (post(f"{HOOK}s", payload()), 404, ['"rollouts"', "pre-rollout", "mend"]),
    "flagger: name missing": (post(HOOK, {"namespace": "shop"}), 400, ["name", "required", "add"]),
    "flagger: name is a number": (post(HOOK, payload(name=5)), 400, ["5", "strings", "quotes"]),
    "flagger: metadata of numbers": (
        post(HOOK, payload(metadata={"m": 5})),
        400,
        ["metadata.m", "strings", "quotes"],
    ),
    "flagger: metadata too long": (
        post(HOOK, payload(metadata={"m": "x" * 9000})),
        400,
        ["xx...", "8192", "shorten"],
    ),
    "flagger: checksum with a line break": (
        post(HOOK, payload(checksum="a\nb")),
        400,
        ["a\\nb", "253", "pass"],
    ),
    "flagger: metadata is a list": (
        post(HOOK, payload(metadata=[])),
        400,
        ["metadata", "a list", "dictionary"],
    ),
    "flagger: no JSON": (post(HOOK, b"name=checkout"), 400, ["line 1", "JSON", "send"]),
    "flagger: rollback without JSON": (
        post(ROLLBACK, b"{"),
        400,
        ["line 1", "JSON", "nothing is rolled back"],
    ),
    "flagger: rollout without JSON": (
        post(HOOK, b"{"),
        400,
        ["line 1", "JSON", "counts this as a failed check"],
    ),
    "flagger: too large": (post(HOOK, b" " * 70000), 413, ["bytes", "65536", "send"]),
    "flagger: not my namespace": (
        post(HOOK, payload(namespace="bank")),
        403,
        ['"bank"', "limited", "use one"],
    ),
    "gate: unknown action": (post(f"{GATE}/ajar", payload()), 404, ['"ajar"', "check, open, close", "mend"]),
    "gate: opened by a GET": (
        get(f"{GATE}/open?name=a&namespace=shop"),
        405,
        ['"GET"', "POST or PUT", "use"],
    ),
    "gate: expires in the far future": (
        post(f"{GATE}/open?expires=31d", payload()),
        400,
        ['"31d"', "30d", "write"],
    ),
    "gate: expires in no time": (
        post(f"{GATE}/open?expires=0s", payload()),
        400,
        ['"0s"', "above 0", "write"],
    ),
    "gate: expires never": (post(f"{GATE}/open?expires=never", payload()), 400, ['"never"', "30d", "write"]),
    "gate: of rollback": (
        post(f"{GATE}/open?hook=rollback", payload()),
        400,
        ['"rollback"', "allowed are", "use"],
    ),
    "gate: rollback of a hook": (
        post(f"/flagger/v1/{SECRET}/rollback/open?hook=rollout", payload()),
        400,
        ['"rollout"', "none is allowed", "leave"],
    ),
    "gate: nobody named": (post(f"{GATE}/check", b""), 400, ["name", "required", "add"]),
    "promql: method": ({"method": "DELETE", "path": QUERY}, 405, ['"DELETE"', "GET or POST", "use"]),
    "promql: no query": (get(QUERY), 400, ["query", "required", "add"]),
    "promql: empty query": (asked(""), 400, ['""', "one selector", "write"]),
    "promql: another metric": (asked("up"), 400, ['"up"', "one selector", "write"]),
    "promql: a function": (asked(f"sum({SELECTOR})"), 400, ["sum(", "one selector", "write"]),
    "promql: a range": (asked(f"{SELECTOR}[5m]"), 400, ["firedamp_verdict", "one selector", "write"]),
    "promql: two selectors": (asked(f"{SELECTOR} or {SELECTOR}"), 400, ["firedamp", "one selector", "write"]),
    "promql: a regular expression": (
        asked('firedamp_verdict{service=~".*"}'),
        400,
        [".*", "with =", "write"],
    ),
    "promql: a label twice": (
        asked('firedamp_verdict{service="a",service="b"}'),
        400,
        ["service", "once", "write"],
    ),
    "promql: an unknown label": (
        asked(SELECTOR.replace("}", ',pod="x"}')),
        400,
        ['"pod"', "allowed are", "rename"],
    ),
    "promql: an unknown question": (
        asked(SELECTOR.replace("guard", "rule")),
        400,
        ['"rule"', "guard, advance", "write"],
    ),
    "promql: 9000 characters": (
        form("firedamp_verdict" + "x" * 9000),
        400,
        ["xx...", "one selector", "write"],
    ),
    "promql: JSON instead of a form": (post(QUERY, {"query": "x"}), 415, ["json", "urlencoded", "send"]),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request_is_told_what_is_wrong(name):
    """Every refusal is a 4xx that shows the value, the limit and the remedy, and asks the judge nothing."""
    request, status, shows = BAD[name]
    judge = FakeJudge()
    async with serving(judge) as client:
        answer = await send(client, **request)
        text = await answer.text()

    sentence = _sentence(answer, text)
    assert answer.status == status
    assert [part for part in shows if part not in sentence] == []
    assert not judge.asked


@pytest.mark.parametrize("name", BAD)
async def test_a_refusal_repeats_no_secret(name):
    """The secret of the path stands in no answer."""
    async with serving(FakeJudge()) as client:
        answer = await send(client, **BAD[name][0])

        assert SECRET not in await answer.text()


def _sentence(answer, text: str) -> str:
    if answer.content_type == "application/json":
        error = strict(text)["error"]
        assert isinstance(error, str)
        return error
    assert answer.content_type == "text/plain"
    assert "\n" not in text
    return text


async def test_a_refused_method_says_which_are_allowed():
    """A 405 carries the Allow header that HTTP asks for."""
    async with serving(FakeJudge()) as client:
        answer = await client.put(ARGO)

    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /argo/v1/guard HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /argo/v1/guard HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"GET /argo/v1/guard?service=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /argo/v1/%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /argo/v1/guard HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["chunks", "two lengths", "bytes in the query", "bytes in the path", "gzip"],
)
async def test_broken_http_is_a_client_error(raw):
    """What is not even HTTP is the caller's fault."""
    async with serving(FakeJudge()) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(raw)
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        await writer.wait_closed()

    assert line.split()[1].startswith(b"4")


TEXT = st.text(max_size=40) | st.text(alphabet=string.ascii_letters, min_size=1, max_size=8)
VALUES = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["service", "namespace", "canary-hash", "stable-hash", "weight", "step", "name", "checksum", "metadata"]
)
PATHS = st.sampled_from(
    [
        ARGO,
        "/argo/v1/promote",
        HOOK,
        ROLLBACK,
        f"/flagger/v1/{SECRET}/event",
        f"{GATE}/check",
        f"{GATE}/open",
        QUERY,
    ]
)
BODIES = (
    st.binary(max_size=200)
    | st.dictionaries(KEYS | TEXT, VALUES, max_size=5).map(lambda data: json.dumps(data).encode())
    | st.fixed_dictionaries({"service": TEXT, "namespace": TEXT}).map(lambda data: json.dumps(data).encode())
    | st.fixed_dictionaries(
        {key: st.just(value) | TEXT for key, value in payload().items()},
        optional={"metadata": st.dictionaries(TEXT, TEXT, max_size=3)},
    ).map(lambda data: json.dumps(data).encode())
)
TYPES = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "a b;;c"])
QUERIES = st.dictionaries(KEYS | TEXT, TEXT, max_size=4) | st.fixed_dictionaries({"query": TEXT})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(PATHS, BODIES, TYPES, QUERIES), min_size=1, max_size=8))
def test_no_request_breaks_a_contract(requests):
    """Whatever is sent: no 5xx, no 204 or 429, strict JSON or one line, and never an empty answer."""
    asyncio.run(_sent(requests))


async def _sent(requests: list[tuple[str, bytes, str, dict[str, str]]]) -> None:
    async with serving(FakeJudge().says("fail")) as client:
        for path, data, kind, query in requests:
            clean = {_wireable(key): _wireable(value) for key, value in query.items()}
            for request in (
                {"method": "POST", "path": path, "data": data, "headers": {"Content-Type": kind}},
                {"method": "GET", "path": path, "params": clean},
            ):
                answer = await send(client, **request)
                text = await answer.text()

                assert answer.status in (200, 202, 400, 403, 404, 405, 413, 415)
                assert text
                assert answer.content_type == "text/plain" or strict(text)


def _wireable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _ask() -> Ask:
    return Ask("shop", "checkout", Question.GUARD, Controller.ARGO, revision="a")


async def test_too_many_questions_are_told_so():
    """One question more than allowed is undecided at once and says what the limit is."""
    judge = FakeJudge()
    judge.patience_seconds = 0.2
    desk = _wire.Desk(judge, Limits(concurrent=1))
    first = asyncio.create_task(desk.answer(_ask(), NOW))
    await asyncio.sleep(0.05)
    second = await desk.answer(_ask(), NOW)

    assert (await first).outcome is Outcome.PASS
    assert second.outcome is Outcome.INCONCLUSIVE
    assert "1 questions are open" in second.sentence


async def test_a_slow_look_goes_on_for_the_next_question():
    """A question that takes too long is undecided, and what it began is not thrown away."""
    judge = FakeJudge()
    judge.patience_seconds = 0.2
    desk = _wire.Desk(judge)
    verdict = await desk.answer(_ask(), NOW, 0.05)
    began = len(desk._open)
    await asyncio.sleep(0.3)

    assert "no answer within 0.05 s" in verdict.sentence
    assert (began, len(desk._open)) == (1, 0)


async def test_a_closed_desk_leaves_nothing_behind():
    """Closing gives up looks that still go on."""
    judge = FakeJudge()
    judge.patience_seconds = 30.0
    desk = _wire.Desk(judge)
    await desk.answer(_ask(), NOW, 0.01)
    await desk.close()
    await asyncio.sleep(0)

    assert not desk._open


@pytest.mark.parametrize("trouble", [RuntimeError("a fault"), AskError("no such cohort")])
async def test_trouble_comes_back_as_a_verdict(trouble):
    """Whatever the judge raises is undecided; only what the caller can mend is repeated."""
    judge = FakeJudge()
    judge.trouble = trouble
    verdict = await _wire.Desk(judge).answer(_ask(), NOW)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert ("a fault" in verdict.sentence, "no such cohort" in verdict.sentence) == (
        False,
        isinstance(trouble, AskError),
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [(AskError("a"), 400), (ForbiddenError("b"), 403), (NotFoundError("c"), 404)],
)
def test_every_error_of_a_question_has_its_status(error, status):
    """What the caller can mend is a 4xx of its own."""
    assert _wire.status_of(error) == status


def test_a_shared_desk_is_not_wrapped_again():
    """The server hands one desk to all contracts, so that the limit is one."""
    desk = _wire.Desk(FakeJudge())

    assert _wire.desk(desk, Settings().limits) is desk


def test_numbers_that_are_not_finite_are_left_out():
    """An infinite odds ratio is no JSON; its interval keeps its place as null."""
    finding = Finding(
        "errors",
        "proportion",
        Tier.CRITICAL,
        Outcome.FAIL,
        "all failed",
        effect=float("inf"),
        interval=(2.0, float("inf")),
    )
    plain = _wire.plain(finding)

    assert "effect" not in plain
    assert plain["interval"] == [2.0, None]
    assert "p_value" not in plain


@given(st.text(max_size=2000), st.sampled_from(Outcome), st.integers(1, 10**9) | st.none())
def test_a_summary_is_one_line_of_limited_length(sentence, outcome, release):
    """It begins with the verdict, ends with the permalink, and no sentence makes it longer or breaks it."""
    verdict = Verdict(outcome, Question.GUARD, sentence, at=NOW, release_id=release)
    line = _wire.summary(verdict, "https://firedamp.example/")

    assert line.startswith(f"{outcome}:")
    assert line.endswith("" if release is None else f"https://firedamp.example/releases/{release}")
    assert len(line) <= 600
    assert line.isprintable()


def test_without_a_public_address_the_permalink_is_a_path():
    """Nothing is made of the Host header, which callers may choose."""
    verdict = Verdict(Outcome.PASS, Question.GUARD, "fine", at=NOW, release_id=7)

    assert _wire.summary(verdict, None) == "pass: fine /releases/7"


def test_a_lone_surrogate_does_not_spoil_an_answer():
    """Text that has no UTF-8 is answered with a question mark in its place."""
    answer = _wire.json_answer({"sentence": "\ud800"})

    assert strict(answer.body.decode()) == {"sentence": "?"}


def test_nan_in_an_answer_is_our_own_error():
    """Rather an exception, which becomes a verdict, than a reply that Argo calls successful."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        _wire.json_answer({"p": float("nan")})
