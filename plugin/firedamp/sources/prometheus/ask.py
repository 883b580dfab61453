"""The two ways to ask a query: once at an instant, or at every step of a range."""

from firedamp.sources.prometheus import wire
from firedamp.sources.prometheus.client import Client
from firedamp.sources.prometheus.deadline import Deadline, api_time, milliseconds


async def instant(
    client: Client, query: str, at: float, deadline: Deadline, *, after: float = float("-inf")
) -> wire.Answer:
    """Ask at one Unix time; of ranges, samples in (after, at] are taken."""
    form = {"query": query, "time": api_time(milliseconds(at))}
    return await client.ask("query", form, within_seconds=deadline.left, after=after, until=at)


async def at_steps(client: Client, query: str, grid: tuple[int, int, int], deadline: Deadline) -> wire.Answer:
    """Ask from the first to the last Unix millisecond of a grid, each step."""
    first, last, step = grid
    form = {"query": query, "start": api_time(first), "end": api_time(last), "step": api_time(step)}
    return await client.ask("query_range", form, within_seconds=deadline.left)


async def raw(client: Client, selector: str, begin: float, end: float, deadline: Deadline) -> wire.Answer:
    """
    Ask for the samples of a selector in (begin, end].

    A range holds its left edge in Prometheus 2.x and does not in 3.x, so that sample is cut off here.
    """
    length = max(1, milliseconds(end) - milliseconds(begin))
    return await instant(client, f"{selector}[{length}ms]", end, deadline, after=begin)
