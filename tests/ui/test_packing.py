"""Long answers are packed for those who can unpack them, and nothing else is."""

import gzip

import pytest

from firedamp.server.packing import accepts
from seeds import a_dozen
from service import ADMIN, running

_LISTS = ("/", "/releases/1", "/api/v1/releases", "/releases/1.csv", "/api/v1/openapi.json")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br, GZIP;q=0.5", True),
        ("deflate, gzip;q=1.0", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("x-gzip-not", False),
        ("identity", False),
        ("", False),
    ],
)
def test_a_client_says_whether_it_unpacks(header, expected):
    """By the coding's name, and a weight that is not nothing."""
    assert accepts(header) is expected


async def sized(service, path, coding):
    """How many bytes come over the wire, with what headers, and what they say."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Accept-Encoding": coding}
    async with service.session.get(service.address.url + path, headers=headers) as reply:
        return reply.headers, await reply.read()


@pytest.mark.parametrize("path", _LISTS)
async def test_a_long_answer_is_packed_and_says_the_same(path):
    """Pages, JSON and files alike; caches on the way are told that it depends on who asks."""
    async with running() as service:
        service.session._auto_decompress = False
        await a_dozen(service.store)
        plain, whole = await sized(service, path, "identity")
        told, packed = await sized(service, path, "gzip")

    assert ("Content-Encoding" in plain, told["Content-Encoding"]) == (False, "gzip")
    assert plain["Vary"] == told["Vary"] == "Accept-Encoding"
    assert len(packed) < len(whole) / 2
    assert len(gzip.decompress(packed)) == pytest.approx(len(whole), abs=20)  # times go on meanwhile


@pytest.mark.parametrize("path", ["/livez", "/api/v1/gates", "/argo/v1/nothing"])
async def test_a_short_answer_and_that_of_a_controller_go_as_they_are(path):
    """There is nothing to gain, or a dialect of others to keep."""
    async with running() as service:
        told, _ = await sized(service, path, "gzip")

    assert "Content-Encoding" not in told


async def test_events_are_never_packed():
    """Each has to leave at once."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Accept-Encoding": "gzip"}
    async with (
        running() as service,
        service.session.get(service.address.url + "/live/releases", headers=headers) as reply,
    ):
        assert "Content-Encoding" not in reply.headers
        assert await reply.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
