"""Values of an expression at the end of each block, per pod."""

from collections.abc import Mapping, Sequence

import numpy as np

from firedamp.counting.values import Count, Memory, Samples
from firedamp.model import Block, Trouble, TroubleKind


def levels(samples: Samples, blocks: Sequence[Block], *, pod_label: str) -> Count:
    """
    Take the last value inside each block, per pod.

    Several series of one pod are averaged, for a sum would be wrong of every ratio; that is a trouble,
    since whoever wrote the expression should leave one series per pod. NaN is no value.
    """
    taken = [_of_block(samples, block, pod_label) for block in blocks]
    return Count(
        tuple({pod: (float(np.mean(values)),) for pod, values in some.items()} for some in taken),
        troubles=tuple(_troubles(some) for some in taken),
        memory=Memory(until=blocks[-1].end),
    )


def _of_block(samples: Samples, block: Block, pod_label: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for series in samples.series:
        inside = (series.times > block.start) & (series.times <= block.end) & np.isfinite(series.values)
        if inside.any():
            found.setdefault(series.labels.get(pod_label, ""), []).append(float(series.values[inside][-1]))
    return dict(sorted(found.items()))


def _troubles(taken: Mapping[str, Sequence[float]]) -> tuple[Trouble, ...]:
    many = [pod for pod, values in taken.items() if len(values) > 1]
    if not many:
        return ()
    who = f"pod {many[0]}" if many[0] else "no pod"
    text = f"{len(taken[many[0]])} series of {who} are averaged; write the expression as one per pod"
    return (Trouble(TroubleKind.NO_POD_LABEL, text),)
