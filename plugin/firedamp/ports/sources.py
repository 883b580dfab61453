"""Where evidence comes from: metrics and traces. A source raises only `SourceError`s."""

from dataclasses import dataclass
from typing import Protocol

from firedamp.cohorts import Matchers
from firedamp.counting import Samples
from firedamp.queries import Increase, Need
from firedamp.tracing import Sought, Traces


@dataclass(frozen=True, slots=True)
class Span:
    """
    The time a fetch is about, in Unix seconds.

    Attributes:
        begin: counted needs get every sample in (begin, end].
        ends: ends of the blocks wanted, ascending; level needs and increases get one value at each.
        window_seconds: what `$window` stands for; the length of a block of increases.
        timeout_seconds: what is left of the caller's deadline.
    """

    begin: float
    ends: tuple[float, ...]
    window_seconds: float
    timeout_seconds: float

    @property
    def end(self) -> float:
        return self.ends[-1]


class Source(Protocol):
    """One metric backend."""

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        """
        Fetch what one need of one cohort brought; no sample is later than `span.end`.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the query or the permission is wrong, or the answer too large.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


class TraceSource(Protocol):
    """One backend of end-to-end traces."""

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Every trace sought whose root began in [begin, end), Unix seconds.

        A search that was cut by a limit is never taken for a whole one: it is asked again in smaller pieces,
        and what stays uncertain is said (`Traces.doubt`).

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the search or the permission is wrong, or the answer too large.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
