"""
From series as delivered to one flat table of samples that can be trusted, in order of time.

Wide services bring thousands of short series, so samples of all series lie in flat arrays; `series`
says for each sample whose it is. A series' last sample remembered from the look before leads it as
its predecessor.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from firedamp.counting.values import LOOK_BACK_SECONDS, Floats, Ints, Key, Series, Step, Target

#: A sample closer to its predecessor than this share of the typical step is a duplicate of it.
DUPLICATE_SHARE = 0.5
#: A target's scrape interval is learnt from so many distances between its scrapes, then kept.
LEARN_FROM = 16


@dataclass(frozen=True, slots=True)
class Scrapes:
    """
    Samples of many series, ordered by series and time, without doubles.

    Attributes:
        keys: labels of each series, (series,).
        targets: target of each series, (series,).
        series: index of the series of each sample, (n,).
        times, values: Unix seconds and counter values, (n,).
        steps: typical scrape interval of each target, as far as known.
    """

    keys: Sequence[Key]
    targets: Sequence[Target]
    series: Ints
    times: Floats
    values: Floats
    steps: Mapping[Target, Step]

    def follows(self) -> NDArray[np.bool_]:
        """Tell for each sample whether the one before it is of the same series, (n,)."""
        same = np.zeros(len(self.series), dtype=bool)
        same[1:] = self.series[1:] == self.series[:-1]
        return same

    def where(self, keep: NDArray[np.bool_]) -> "Scrapes":
        return replace(self, series=self.series[keep], times=self.times[keep], values=self.values[keep])


def scrapes(
    delivered: Iterable[Series],
    last: Mapping[Key, tuple[float, float]],
    steps: Mapping[Target, Step],
    *,
    pod_label: str,
    after: float,
    until: float,
    spaced: bool,
) -> Scrapes:
    """
    Order what was delivered in (after, until] and drop what cannot be trusted.

    The remembered `last` sample of each series leads it; `steps` are learnt on. Where scrapes must be
    `spaced`, one too close to the one before is taken for its double.
    """
    table = _table(delivered, last, pod_label, after, until)
    table = replace(table, steps={**steps, **_learnt(table, steps)})
    return _without_doubles(table, DUPLICATE_SHARE if spaced else 0.0)


def target_of(labels: Mapping[str, str], pod_label: str) -> Target:
    return labels.get(pod_label, ""), labels.get("instance", "")


def one_replica(series: Iterable[Series], replica_labels: Collection[str]) -> tuple[Series, ...]:
    """Of series that differ only in the name of the Prometheus replica, keep the one with most samples."""
    best: dict[Key, Series] = {}
    for one in series:
        labels = {name: value for name, value in one.labels.items() if name not in replica_labels}
        key = tuple(sorted(labels.items()))
        if key not in best or len(one.times) > len(best[key].times):
            best[key] = replace(one, labels=labels)
    return tuple(best.values())


def _table(
    delivered: Iterable[Series],
    last: Mapping[Key, tuple[float, float]],
    pod_label: str,
    after: float,
    until: float,
) -> Scrapes:
    given = list(delivered)
    keys = [tuple(sorted(one.labels.items())) for one in given]
    index = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    remembered = [(index[key], *last[key]) for key in index if key in last]
    owners = np.repeat([index[key] for key in keys], [len(one.times) for one in given])
    series = np.concatenate([owners, [one[0] for one in remembered]]).astype(np.int64)
    times = np.concatenate([*(one.times for one in given), [one[1] for one in remembered]])
    values = np.concatenate([*(one.values for one in given), [one[2] for one in remembered]])
    fresh = np.arange(len(times)) < len(owners)
    keep = np.isfinite(values) & (times <= until) & (~fresh | (times > after))
    order = np.lexsort((times, series))
    order = order[keep[order]]
    targets = {key: target_of(dict(key), pod_label) for key in index}
    return Scrapes(list(index), list(targets.values()), series[order], times[order], values[order], {})


def _learnt(table: Scrapes, known: Mapping[Target, Step]) -> dict[Target, Step]:
    codes = {target: at for at, target in enumerate(dict.fromkeys(table.targets))}
    owner = np.array([codes[target] for target in table.targets], dtype=np.int64)[table.series]
    order = np.lexsort((table.times, owner))
    edges = np.searchsorted(owner[order], np.arange(len(codes) + 1))
    return {
        target: learnt(known.get(target), np.unique(table.times[order[edges[at] : edges[at + 1]]]))
        for target, at in codes.items()
        if edges[at + 1] > edges[at]
    }


def learnt(known: Step | None, times: Floats) -> Step:
    """Learn a target's scrape interval from its first scrapes; `times` ascend, (n,), n > 0."""
    known = known or Step((), float(times[0]))
    if len(known.distances) >= LEARN_FROM:
        return known
    distances = np.diff(times[times > known.last], prepend=known.last).tolist()
    usual = [one for one in distances if one <= LOOK_BACK_SECONDS]
    return Step((*known.distances, *usual)[:LEARN_FROM], max(known.last, float(times[-1])))


def _without_doubles(table: Scrapes, share: float) -> Scrapes:
    limits = [
        DUPLICATE_SHARE * table.steps[one].seconds if one in table.steps else 0.0 for one in table.targets
    ]
    limit = np.array(limits, dtype=float)[table.series]
    gaps = np.diff(table.times, prepend=-np.inf)
    crowded = table.follows() & ((gaps < limit) | (gaps <= 0))
    if not crowded.any():
        return table
    keep = np.ones(len(table.times), dtype=bool)
    for one in np.unique(table.series[crowded]):
        begin, end = np.searchsorted(table.series, [one, one + 1])
        keep[begin:end] = _spaced(table.times[begin:end], float(limit[begin]))
    return table.where(keep)


def _spaced(times: Floats, limit: float) -> NDArray[np.bool_]:
    keep = np.zeros(len(times), dtype=bool)
    previous = -np.inf
    for at, time in enumerate(times):
        if time - previous >= limit and time > previous:
            keep[at], previous = True, time
    return keep
