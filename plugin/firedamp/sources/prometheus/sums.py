"""
Wide services: routes are summed away at the server, exactly.

20 pods with 50 routes and 12 buckets are 12,000 series. Their sum per pod looks like a reset whenever a
route vanishes, and hides a real reset under the other routes' growth; so plain sums cannot be counted.
What is asked instead, for each block (start, end] and each target (pod, instance, bound):

    after    sum by (…) (last_over_time(s[look-back + block]))                   at the end
    before   sum by (…) (last_over_time(s[look-back] offset block))              at the end
    resets   sum by (…) (resets(s[look-back + block])), and the same before the block
    scraped  max by (…) (count_over_time(s[block]))

Both sums look back to the same instant, so every series of `before` is in `after`: a route that vanished
keeps its last value in both and adds nothing. A series only in `after` is new and counts from zero, as a
new series of a known target does. `after - before` is therefore the sum of what the single series
increased by, unless one of them was reset; and resets are counted by the server per series, before the
sum. Only where it counts one, that pod is fetched raw. Ranges of 2.x hold their left edge and those of 3.x
do not, but both sums share that edge, so it cancels.

What comes out are series that only grow: the first `before`, and on top the increase of each block.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firedamp.counting import LOOK_BACK_SECONDS, Series
from firedamp.queries import Selector

#: Labels of a group as sorted pairs.
Group = tuple[tuple[str, str], ...]
#: Value of each group at the end of each block, by Unix milliseconds.
Table = Mapping[Group, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Questions:
    """The queries for blocks of one length."""

    after: str
    before: str
    resets_after: str
    resets_before: str
    scraped: str


@dataclass(frozen=True, slots=True)
class Sums:
    """The answers; resets are those inside each block."""

    after: Table
    before: Table
    resets: Table
    scraped: Table


@dataclass(frozen=True, slots=True)
class Run:
    """Equally long blocks, one after the other; edges in Unix milliseconds, (blocks + 1,)."""

    edges: tuple[int, ...]

    @property
    def block_ms(self) -> int:
        return self.edges[1] - self.edges[0]


def runs(edges_ms: Sequence[int]) -> list[Run]:
    """Split block edges where the length of the blocks changes, to ask each part as one range query."""
    found: list[list[int]] = []
    for begin, end in pairwise(edges_ms):
        if found and found[-1][-1] == begin and end - begin == found[-1][1] - found[-1][0]:
            found[-1].append(end)
        else:
            found.append([begin, end])
    return [Run(tuple(edges)) for edges in found]


def questions(selector: Selector, block_ms: int, target_labels: Sequence[str], *, keep_le: bool) -> Questions:
    """Write the queries of one selector for blocks of one length."""
    series, look_back = selector.promql(), int(1000 * LOOK_BACK_SECONDS)
    now, earlier = f"{series}[{look_back + block_ms}ms]", f"{series}[{look_back}ms] offset {block_ms}ms"
    target = ", ".join(target_labels)
    group = f"{target}, le" if keep_le else target
    return Questions(
        after=f"sum by ({group}) (last_over_time({now}))",
        before=f"sum by ({group}) (last_over_time({earlier}))",
        resets_after=f"sum by ({target}) (resets({now}))",
        resets_before=f"sum by ({target}) (resets({earlier}))",
        scraped=f"max by ({target}) (count_over_time({series}[{block_ms - 1}ms]))",
    )


def table(series: Sequence[Series]) -> Table:
    """Arrange an answer by group and milliseconds."""
    return {
        tuple(sorted(one.labels.items())): dict(
            zip(np.rint(1000 * one.times).astype(np.int64).tolist(), one.values.tolist(), strict=True)
        )
        for one in series
    }


def new_resets(after: Table, before: Table) -> Table:
    """Resets inside each block: those up to its end less those up to its start, of targets that had some."""
    found = {
        group: {
            at: number for at, total in totals.items() if (number := total - before.get(group, {}).get(at, 0))
        }
        for group, totals in after.items()
    }
    return {group: resets for group, resets in found.items() if resets}


def growing(edges_ms: Sequence[int], sums: Sums) -> Iterator[Series]:
    """
    Turn sums into series that only grow, over blocks between these edges.

    A group that was reset all the same (its pod was not fetched raw) falls to its new sum, so that
    counting sees a reset.
    """
    for group, after in sums.after.items():
        target = tuple(pair for pair in group if pair[0] != "le")
        scraped = sums.scraped.get(target, {})
        points = list(_points(edges_ms, after, sums.before.get(group, {}), scraped))
        if points:
            times, values = zip(*points, strict=True)
            yield Series(dict(group), np.array(times) / 1000, np.array(values))


def _points(
    edges_ms: Sequence[int],
    after: Mapping[int, float],
    before: Mapping[int, float],
    scraped: Mapping[int, float],
) -> Iterator[tuple[int, float]]:
    level: float | None = None
    for start, end in pairwise(edges_ms):
        if end not in after:
            continue
        if level is None and end in before:
            level = before[end]
            yield start, level
        if level is None or end not in before or after[end] < before[end]:
            level = after[end]
        else:
            level += after[end] - before[end]
        if scraped.get(end, 0) > 0:
            yield end, level


def joined(parts: Sequence[Sums]) -> Sums:
    """Put the answers of several runs together."""
    return Sums(
        _joined([part.after for part in parts]),
        _joined([part.before for part in parts]),
        _joined([part.resets for part in parts]),
        _joined([part.scraped for part in parts]),
    )


def _joined(tables: Sequence[Table]) -> Table:
    groups = dict.fromkeys(group for one in tables for group in one)
    return {
        group: {at: value for one in tables for at, value in one.get(group, {}).items()} for group in groups
    }


def pod_of(labels: Mapping[str, str], pod_labels: Sequence[str]) -> tuple[str, str] | None:
    """The label that names the pod, and its name; None where there is none."""
    return next(((one, labels[one]) for one in pod_labels if labels.get(one)), None)


def reset_pods(sums: Sums, since_ms: int, pod_labels: Sequence[str]) -> list[tuple[str, str]]:
    """Label and name of every pod with a reset in a block that ends after `since_ms`, the latest first."""
    latest: dict[tuple[str, str], int] = {}
    for group, resets in sums.resets.items():
        pod, at = pod_of(dict(group), pod_labels), max(resets)
        if pod is not None and at > since_ms:
            latest[pod] = max(latest.get(pod, 0), at)
    return sorted(latest, key=lambda pod: (-latest[pod], pod))


def pods(sums: Sums, pod_labels: Sequence[str]) -> int:
    """How many pods were scraped."""
    return len({pod_of(dict(group), pod_labels) for group in sums.scraped})
