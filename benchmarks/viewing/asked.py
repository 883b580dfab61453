"""
Pages asked for one after the other, by one who waits for each as a browser would.

A page is cold where nobody asked for that release since long, and warm where somebody just did. Releases are
taken a course apart, for what two services share of a course in the benchmark is shared nowhere else.
"""

import http.client
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from urllib.parse import urlsplit

from viewing.filling import NAMESPACE, SERVICES, Plan, service
from viewing.served import Served

_COURSES = 97  # so many releases are gone through before one of the same course comes again


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page by its name.

    Attributes:
        address: with {id} for a release, {service} for a service.
        cold: each visit is another release's or service's.
    """

    name: str
    address: str
    cold: bool = False


_SERVICE = f"/services/{NAMESPACE}/{{service}}"
PAGES = (
    Page("releases", "/"),
    Page("releases, failed ones", "/?verdict=fail"),
    Page("releases, running ones", "/?state=running"),
    Page("releases of a service", f"/?namespace={NAMESPACE}&service={{service}}", cold=True),
    Page("releases, labelled", "/?label=false-positive"),
    Page("releases, by time", "/?since={since}&until={until}"),
    Page("releases, far down", "/?before={id}", cold=True),
    Page("releases, failed, far down", "/?verdict=fail&before={id}", cold=True),
    Page("releases as JSON", "/api/v1/releases?limit=50"),
    Page("release", "/releases/{id}", cold=True),
    Page("release, look 30", "/releases/{id}?look=30", cold=True),
    Page("release, one check", "/releases/{id}?check=errors", cold=True),
    Page("release as JSON", "/api/v1/releases/{id}", cold=True),
    Page("release, chart's lines", "/api/v1/releases/{id}/checks/latency", cold=True),
    Page("release as CSV", "/releases/{id}.csv", cold=True),
    Page("services", "/services"),
    Page("service", _SERVICE, cold=True),
    Page("tuning", f"{_SERVICE}/tuning", cold=True),
    Page("check's record", f"{_SERVICE}/checks/errors", cold=True),
    Page("gates", "/gates"),
    Page("audit", "/audit"),
    Page("audit of a service", "/audit?service={service}", cold=True),
    Page("tokens", "/tokens"),
    Page("health", "/health"),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """
    One page that came.

    Attributes:
        wall: seconds until its last byte.
        cpu: seconds of processor time that the server took meanwhile.
        size: bytes of its body over the wire.
    """

    wall: float
    cpu: float
    size: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 95th percentile and the largest, in milliseconds."""

    p50: float
    p95: float
    most: float


def spread(seconds: Sequence[float]) -> Spread:
    """Of two values or more."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return Spread(*(round(1000 * one, 1) for one in (cuts[9], cuts[18], max(seconds))))


@dataclass(frozen=True, slots=True)
class Filled:
    """What addresses are made from: the ids that there are, and the time at which the newest began."""

    newest: int
    began: float
    plan: Plan

    def address(self, page: Page, number: int) -> str:
        """Of a visit to a page; others have other numbers."""
        courses = max(1, min(_COURSES, self.plan.courses))
        back = (number % courses) * SERVICES + number % SERVICES
        stamp = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(self.began - 86400))
        until = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(self.began - 43200))
        return page.address.format(
            id=max(1, self.newest - back), service=service(number % SERVICES), since=stamp, until=until
        )


class Visitor:
    """Asks a server over one connection that stays open."""

    def __init__(self, served: Served, secret: str) -> None:
        self._served = served
        self._connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=120)
        self._headers = {"Authorization": f"Bearer {secret}"}

    def visit(self, address: str, *, packed: bool = True) -> Visit:
        """
        Ask for one page.

        Raises:
            LookupError: it is not there, or not well.
        """
        headers = {**self._headers, "Accept-Encoding": "gzip" if packed else "identity"}
        used, began = self._served.cpu(), time.perf_counter()
        self._connection.request("GET", address, headers=headers)
        answer = self._connection.getresponse()
        size = len(answer.read())
        took = time.perf_counter() - began
        if answer.status != http.client.OK:
            raise LookupError(f"{address}: {answer.status}")
        return Visit(took, self._served.cpu() - used, size)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Figures:
    """
    Of one page.

    Attributes:
        wall, cpu: in milliseconds, of visits that are cold where the page can be.
        warm: in milliseconds of wall time, of the same addresses asked once more at once.
        packed, plain: the largest body in bytes, with and without packing.
    """

    page: str
    wall: Spread
    cpu: Spread
    warm: Spread
    packed: int
    plain: int


def measured(visitor: Visitor, filled: Filled, page: Page, visits: int) -> Figures:
    """
    A page, so many times.

    Raises:
        LookupError: it is not there.
    """
    first, again = [], []
    for number in range(visits):
        address = filled.address(page, number)
        first.append(visitor.visit(address))
        again.append(visitor.visit(address))
    plain = [visitor.visit(filled.address(page, number), packed=False) for number in range(2)]
    return Figures(
        page.name,
        spread([one.wall for one in first]),
        spread([one.cpu for one in first]),
        spread([one.wall for one in again]),
        max(one.size for one in first),
        max(one.size for one in plain),
    )


def grown(
    served: Served, visitor: Visitor, filled: Filled, at: Sequence[int], pages: Sequence[Page]
) -> Mapping[int, int]:
    """Resident bytes of the server after so many views of all kinds of pages in turn."""
    coming = _addresses(filled, pages)
    found, done = {}, 0
    for many in at:
        for address in islice(coming, many - done):
            visitor.visit(address)
        done = many
        found[many] = served.memory()
    return found


def _addresses(filled: Filled, pages: Sequence[Page]) -> Iterator[str]:
    for number in count():
        yield filled.address(pages[number % len(pages)], number)
