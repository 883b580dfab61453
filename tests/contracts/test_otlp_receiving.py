"""
The address where spans come in, over a real socket: what is taken, what is refused and how, and that
nothing which was acknowledged is lost.
"""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from firedamp.contracts.otlp import Most
from firedamp.errors import SourceDownError
from firedamp.ports import Token
from firedamp.tracing import Kind, Span
from intakes import MOST, NOW, SOUGHT, Open, opened
from sentspans import JSON, PROTOBUF, as_json, protobuf


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Open]:
    async with opened() as found:
        yield found


def flow(number: int = 1, start: float = NOW) -> list[Span]:
    trace = f"{number:032x}"
    root = Span(trace, f"{1:016x}", "", "gateway", "POST /orders", Kind.SERVER, start, 0.5)
    visit = Span(trace, f"{2:016x}", root.span_id, "orders", "POST", Kind.SERVER, start, 0.25)
    return [
        replace(one, resource={"service.name": one.service, "pod": f"{one.service}-1"})
        for one in (root, visit)
    ]


@pytest.mark.parametrize(("kind", "write"), [(PROTOBUF, protobuf), (JSON, as_json)])
@pytest.mark.parametrize("packing", ["identity", "gzip"])
async def test_what_is_sent_is_told(place, kind, write, packing):
    """In both formats, plain and packed; the answer has the type that was sent."""
    data = write(flow())
    packed = gzip.compress(data) if packing == "gzip" else data

    answer = await place.send(packed, kind, **{"Content-Encoding": packing})

    assert (answer.status, answer.kind) == (200, kind)
    assert [trace.visits[0].resource["pod"] for trace in (await place.told()).found] == ["orders-1"]


async def test_a_whole_success_says_nothing_of_a_partial_one(place):
    """By the specification the field stays unset."""
    plain = await place.send(protobuf(flow()))
    written = await place.send(as_json(flow()), JSON)

    assert (plain.body, written.body) == (b"", b"{}")


async def test_a_partial_success_has_the_number_and_the_reason(place):
    """It is never sent again; the others were taken."""
    stray = flow(2, NOW - 10_000)

    plain = ExportTraceServiceResponse.FromString((await place.send(protobuf([*flow(), *stray]))).body)
    written = json.loads((await place.send(as_json([*flow(), *stray]), JSON)).body)

    assert plain.partial_success.rejected_spans == 1
    assert "1800 s behind" in plain.partial_success.error_message
    assert written["partialSuccess"]["rejectedSpans"] == "1"
    told = await place.told()
    assert len(told.found) == 1
    assert "2 roots were refused" in told.doubt


async def test_gzip_in_several_members_is_read_whole(place):
    """Some senders pack piece by piece."""
    data = protobuf(flow())

    packed = gzip.compress(data[:50]) + gzip.compress(data[50:])
    await place.send(packed, **{"Content-Encoding": "gzip"})

    assert len((await place.told()).found) == 1


async def test_what_is_sent_again_counts_once(place):
    """A sender that heard no answer sends again."""
    for _ in range(3):
        await place.send(protobuf(flow()))

    assert place.intake.figures().spans == 2


async def test_a_token_that_is_bound_to_namespaces_sends_nothing():
    """Spans are evidence about every service."""
    async with opened(token=Token("ci", "hash", "asker", ("shop",))) as place:
        answer = await place.send(protobuf(flow()))

        assert answer.status == 403
        assert "without namespaces" in answer.sentence
        assert place.intake.figures().spans == 0


async def test_an_unbound_token_sends():
    """A collector's own."""
    async with opened(token=Token("collector", "hash", "asker")) as place:
        assert (await place.send(protobuf(flow()))).status == 200


# ── abuse ───────────────────────────────────────────────────────────────────────────────────────────

GOOD, WRITTEN = protobuf(flow()), as_json(flow())
BOMB = gzip.compress(b"\0" * (50 << 20))
MEMBERS = gzip.compress(b"\0" * (400 << 10)) * 3
PACKED = {"Content-Encoding": "gzip"}


def case(name: str, status: int, says: str, data: bytes, kind: str = PROTOBUF, **headers: str) -> Any:
    return pytest.param(status, says, data, kind, headers, id=name)


CASES = [
    case("text", 400, "no ExportTraceServiceRequest", b"hello, these are spans"),
    case("json as protobuf", 400, "no ExportTraceServiceRequest", WRITTEN),
    case("protobuf as json", 400, "no ExportTraceServiceRequest", GOOD, JSON),
    case("cut protobuf", 400, "no ExportTraceServiceRequest", GOOD[:-5]),
    case("cut json", 400, "no ExportTraceServiceRequest", WRITTEN[:-5], JSON),
    case("endless length", 400, "no ExportTraceServiceRequest", b"\x0a\xff\xff\xff\xff\x7f"),
    case("endless varint", 400, "no ExportTraceServiceRequest", b"\xff" * 64),
    case("unknown fields", 400, "no resource spans", b"\xfa\x01\x02hi"),
    case("groups", 400, "no ExportTraceServiceRequest", b"\x0b" * 10_000),
    case(
        "no utf-8 in a name",
        400,
        "no ExportTraceServiceRequest",
        GOOD.replace(b"POST /orders", b"POST \xff\xfeders"),
    ),
    case("nothing", 400, "no ExportTraceServiceRequest", b"", JSON),
    case("null", 400, "no ExportTraceServiceRequest", b"null", JSON),
    case("list", 400, "no ExportTraceServiceRequest", b"[]", JSON),
    case("number", 400, "no ExportTraceServiceRequest", b"7", JSON),
    case("NaN", 400, "no ExportTraceServiceRequest", b'{"resourceSpans": NaN}', JSON),
    case("wrong type inside", 400, "no ExportTraceServiceRequest", b'{"resourceSpans": {"a": 1}}', JSON),
    case(
        "names of enums",
        400,
        "no ExportTraceServiceRequest",
        WRITTEN.replace(b'"kind": 2', b'"kind": "SERVER"'),
        JSON,
    ),
    case(
        "ids in base64",
        400,
        "traceId",
        WRITTEN.replace(b"0" * 31 + b"1", b"AAAAAAAAAAAAAAAAAAAAAQ=="),
        JSON,
    ),
    case("deep lists", 400, "no ExportTraceServiceRequest", b"[" * 500_000, JSON),
    case(
        "deep unknown",
        400,
        "no ExportTraceServiceRequest",
        b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        JSON,
    ),
    case("UTF-16", 400, "no ExportTraceServiceRequest", WRITTEN.decode().encode("utf-16"), JSON),
    case("too large", 413, "1048576", b"\0" * ((1 << 20) + 1)),
    case("too large json", 413, "1048576", b" " * ((1 << 20) + 1), JSON),
    case("a bomb", 413, "inflated", BOMB, **PACKED),
    case("a bomb in members", 413, "inflated", MEMBERS, **PACKED),
    case("a bomb in json", 413, "inflated", gzip.compress(b" " * (50 << 20)), JSON, **PACKED),
    case("gzip that is none", 400, "no gzip", GOOD, **PACKED),
    case("gzip cut", 400, "breaks off", gzip.compress(GOOD)[:-12], **PACKED),
    case("gzip and more", 400, "no gzip", gzip.compress(GOOD) + b"more", **PACKED),
    case("gzip with a wrong sum", 400, "no gzip", gzip.compress(GOOD)[:-8] + bytes(8), **PACKED),
    case("gzip not told", 400, "no ExportTraceServiceRequest", gzip.compress(GOOD)),
    case("zstd", 415, "Content-Encoding", GOOD, **{"Content-Encoding": "zstd"}),
    case("deflate", 415, "Content-Encoding", GOOD, **{"Content-Encoding": "deflate"}),
    case("twice packed", 415, "Content-Encoding", GOOD, **{"Content-Encoding": "gzip, gzip"}),
    case("text/plain", 415, "Content-Type", GOOD, "text/plain"),
    case("grpc", 415, "Content-Type", GOOD, "application/grpc"),
    case("octets", 415, "Content-Type", GOOD, "application/octet-stream"),
]


@pytest.mark.parametrize(("status", "says", "data", "kind", "headers"), CASES)
async def test_a_bad_request_is_refused_in_the_words_of_its_format(place, status, says, data, kind, headers):
    """A google.rpc.Status of the same type; nothing is remembered, and the next one is taken."""
    answer = await place.send(data, kind, **headers)

    assert answer.status == status
    assert says in answer.sentence
    assert place.intake.figures().spans == 0
    assert (await place.send(GOOD)).status == 200


def test_the_table_is_long_enough_to_mean_something():
    """Thirty at the least, each of its own kind."""
    assert len(CASES) >= 30


HEAD = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PROTOBUF}\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([HEAD + b"Content-Length: 5000\r\n\r\n", *[b"\0"] * 60], 408),
        ([HEAD + CHUNKED + b"1f4\r\n", *[b"\0"] * 60], 408),
        ([HEAD + CHUNKED + b"1\r\n\0\r\n", b"zz\r\n\r\n"], 408),
        ([HEAD + b"Content-Length: -5\r\n\r\n"], 400),
        ([HEAD + CHUNKED + (b"10000\r\n" + b"\0" * 65536 + b"\r\n") * 20], 413),
    ],
)
async def test_a_slow_or_endless_request_is_given_up(place, pieces, status):
    """And others are served meanwhile and afterwards."""
    slow = asyncio.create_task(place.speak(*pieces, pause=0.01))
    await asyncio.sleep(0.05)

    assert (await place.send(GOOD)).status == 200
    assert await slow == status
    assert (await place.send(protobuf(flow(2)))).status == 200


async def test_a_request_that_breaks_off_is_none(place):
    """What comes after it is taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(HEAD + b"Content-Length: 5000\r\n\r\n" + GOOD)
    await writer.drain()
    writer.close()

    assert (await place.send(protobuf(flow(2)))).status == 200
    assert place.intake.figures().traces == 1
    assert reader is not None


async def test_too_many_at_once_are_asked_to_come_again(place):
    """429 with a time, and not one that was acknowledged is lost."""
    many = [
        protobuf([one for at in range(400) for one in flow(1000 * number + at + 1)]) for number in range(40)
    ]

    answers = await asyncio.gather(*(place.send(data) for data in many))

    statuses = [answer.status for answer in answers]
    assert {200, 429} >= set(statuses)
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 429} <= {"2"}
    assert place.intake.figures().traces == 400 * statuses.count(200)


async def test_no_room_for_more_bodies_is_said_and_passes():
    """What comes in together is limited in bytes; whoever is above it comes again."""
    async with opened(Most(body_bytes=1 << 20, held_bytes=100_000, waiting=4)) as place:
        holding = asyncio.create_task(
            place.speak(HEAD + b"Content-Length: 99000\r\n\r\n", b"\0" * 90_000, pause=0.1)
        )
        await asyncio.sleep(0.2)
        refused = await place.send(b"\0" * 20_000)
        await holding

        assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
        assert (await place.send(GOOD)).status == 200


async def test_nothing_is_ahead_of_the_waiting_line():
    """With no place in it, nobody is let in."""
    async with opened(replace(MOST, waiting=0)) as place:
        answer = await place.send(as_json(flow()), JSON)

        assert answer.status == 429
        assert "send it again later" in answer.sentence


async def test_abuse_leaves_nothing_behind(place):
    """A thousand bad requests cost no memory that stays."""

    def held() -> int:
        # Where another test has installed an SDK, it keeps the spans of our requests.
        others = tracemalloc.Filter(inclusive=False, filename_pattern="*/opentelemetry/sdk/*")
        kept = tracemalloc.take_snapshot().filter_traces([others]).statistics("filename")
        return sum(one.size for one in kept)

    async def round_of_all() -> None:
        for one in CASES:
            status, _, data, kind, headers = one.values
            assert (await place.send(data, kind, **headers)).status == status

    await round_of_all()
    tracemalloc.start()
    try:
        await round_of_all()
        before = held()
        for _ in range(3):
            await round_of_all()
        grown = held() - before
    finally:
        tracemalloc.stop()

    assert grown < 200_000


async def test_a_large_request_does_not_hold_up_the_others():
    """It is read by a thread and taken in pieces; the loop goes on in between."""
    large = gzip.compress(as_json([one for number in range(8000) for one in flow(number + 1)]))
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async with opened(Most()) as place:
        turner = asyncio.create_task(turning())
        answer = await place.send(large, JSON, **PACKED)
        turner.cancel()

    assert answer.status == 200
    assert turns > 20


async def test_a_cold_look_that_takes_too_long_is_a_source_that_is_down(place):
    """The verdict is undecided then, and never wrong."""
    await place.send(protobuf([one for number in range(1, 900) for one in flow(number)]))

    with pytest.raises(SourceDownError, match="ask for a shorter time"):
        await place.intake.traces(SOUGHT, NOW - 10, NOW + 10, 0.0)


async def test_what_a_restart_loses_is_known():
    """Traces that no window asked for has covered."""
    async with opened() as place:
        await place.send(protobuf([*flow(1, NOW - 50), *flow(2, NOW)]))
        await place.intake.traces(SOUGHT, NOW - 100, NOW - 10, 5.0)

        assert place.intake.unsettled() == 1


async def test_the_first_window_after_a_start_is_doubted():
    """Nobody knows what the process before was told."""
    async with opened() as place:
        told = await place.intake.traces(SOUGHT, NOW - 60, NOW, 5.0)

        assert told.doubt == "the intake started 60 s after the window began"
