"""A proportion check's prospect: when which change would be seen, and why some never would."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from firedamp import words
from firedamp.checks import Grant, Proportion
from firedamp.checks.proportion.ahead import Ahead
from firedamp.decision.planning.rollout import LONGEST_SECONDS, Prospect, Rollout, Sight, Usual
from firedamp.units import spoken_duration

#: Times of the window at which the smallest change is told, and the most pods that are tried.
_POINTS, _MOST_PODS = 24, 20
#: Longer windows are tried in such steps.
_LONGER = 1.05


def prospect(
    check: Proportion,
    grant: Grant,
    usual: Usual,
    rollout: Rollout,
    ratios: Sequence[float],
    by_seconds: float,
) -> Prospect:
    """
    What the check can do for a release to come.

    Args:
        check: the check.
        grant: what it may spend, with what history tells of its noise.
        usual: rows of (bad events, requests).
        rollout: the release.
        ratios: changes asked about, > 1.
        by_seconds: when the pass rule is judged first.
    """
    blank = Prospect(check.name, check.kind, check.tier)
    bad, requests = (math.fsum(row[at] for rows in usual.rows for row in rows.values()) for at in (0, 1))
    if requests <= 0:
        return replace(blank, blind=f"no requests of main in the last {usual.hours:g} h: nothing to compare")
    per_second = requests / (usual.block_seconds * len(usual.present))
    # Never to have failed leaves a rate of some three in all requests.
    rate = bad / requests if 0 < bad < requests else 3 / requests if not bad else 1 - 3 / requests
    pods = usual.pods
    ahead = Ahead(check, grant, rate, per_second, rollout.share, pods, rollout.pods(len(pods)))
    never = not 0 < bad < requests
    return replace(
        blank,
        usual=_usual(ahead, requests, never=never),
        sights=None if never else {ratio: sight(ahead, ratio) for ratio in ratios},
        passing=_passing(ahead),
        curve=() if never else _curve(ahead),
        told=_told(ahead, by_seconds, never=never),
        blind=_never(ahead, requests) if never else "",
    )


def sight(ahead: Ahead, ratio: float) -> Sight:
    """When this change would be seen."""
    check, grant = ahead.check, ahead.grant
    if ratio <= 1 + check.tolerance:
        return Sight(None, f"within the tolerance of {words.percent(check.tolerance)}")
    moved = ahead.rate * (1 - 1 / ratio) if ahead.swapped else ahead.rate * (ratio - 1)
    if moved < check.min_excess:
        least = words.points(check.min_excess)
        return Sight(None, f"{words.points(moved)} more is no harm below min_excess, {least}")
    if not ahead.swapped and ahead.rate * ratio > 1:
        return Sight(None, f"{words.percent(ahead.rate)} cannot become {words.times(ratio)} as many")
    looks = range(grant.warm_up_looks + 1, grant.looks + 1)
    blocks = _least(looks, lambda count: ahead.smallest(count * grant.look_seconds) <= ratio)
    return _late(ahead, ratio) if blocks is None else Sight(blocks * grant.look_seconds)


def _late(ahead: Ahead, ratio: float) -> Sight:
    """Not in this window: in a longer one, with more pods, or never."""
    window = ahead.grant.decide_by_seconds
    pods = _fewest(ahead, lambda other: other.smallest(window) <= ratio)
    if ahead.limit() > ratio:
        enough = _fewest(ahead, lambda other: other.limit() <= ratio)
        return Sight(None, _hidden(ahead) + (f"; {pods or enough} would do" if pods or enough else ""))
    first, last = window, LONGEST_SECONDS
    if first >= last or ahead.within(last).smallest(last) > ratio:
        return Sight(None, f"not in a month of this traffic{_or(pods)}")
    # Windows a twentieth longer than the one before.
    steps = range(1, math.ceil(math.log(last / first) / math.log(_LONGER)))
    found = _least(steps, lambda step: _seen_in(ahead, ratio, first * _LONGER**step))
    seconds = last if found is None else first * _LONGER**found
    return Sight(seconds, f"needs decide_by {_rounded(seconds)}{_or(pods)}")


def _seen_in(ahead: Ahead, ratio: float, seconds: float) -> bool:
    return ahead.within(seconds).smallest(seconds) <= ratio


def _hidden(ahead: Ahead) -> str:
    """Pods that differ hide the change however many requests there are."""
    tau = ahead.noise.dispersion.tau
    pods = words.plural(ahead.canaries, "canary pod")
    return f"{pods} may differ by that much by accident (pods differ by {words.percent(tau)})"


def _fewest(ahead: Ahead, suffices: Callable[[Ahead], bool]) -> int | None:
    """The fewest canary pods more than planned that suffice."""
    more = range(ahead.canaries + 1, _MOST_PODS + 1)
    return _least(more, lambda pods: suffices(replace(ahead, canaries=pods)))


def _or(pods: int | None) -> str:
    return f", or {words.plural(pods, 'canary pod')}" if pods else ""


def _rounded(seconds: float) -> str:
    """A duration that claims no more than a forecast knows."""
    unit = 60.0 if seconds < 36_000 else 3600.0
    return spoken_duration(math.ceil(seconds / unit) * unit)


def _passing(ahead: Ahead) -> Sight:
    seconds, window = ahead.passing(), ahead.grant.decide_by_seconds
    if seconds <= window:
        return Sight(seconds)
    pods = _fewest(ahead, lambda other: other.passing() <= window)
    if seconds <= LONGEST_SECONDS:
        return Sight(seconds, f"needs decide_by {_rounded(seconds)}{_or(pods)}")
    ratio = words.times(ahead.check.pass_ratio)
    return Sight(None, f"{_hidden(ahead)}: no time excludes {ratio}" + (f"; {pods} would do" if pods else ""))


def _curve(ahead: Ahead) -> tuple[tuple[float, float], ...]:
    grant = ahead.grant
    first, last = grant.warm_up_looks + 1, grant.looks
    counts = sorted({round(first * (last / first) ** (at / (_POINTS - 1))) for at in range(_POINTS)})
    points = [(count * grant.look_seconds, ahead.smallest(count * grant.look_seconds)) for count in counts]
    return tuple(point for point in points if math.isfinite(point[1]))


def _usual(ahead: Ahead, requests: float, *, never: bool) -> str:
    noun = ahead.check.counted(swapped=ahead.swapped)
    pace = f"{words.significant(ahead.per_second)} requests/s"
    if never:
        return f"no {noun} in {words.count(requests)} requests, {pace}"
    return f"{words.percent(ahead.rate)} {words.plural(2, noun).partition(' ')[2]}, {pace}"


def _never(ahead: Ahead, requests: float) -> str:
    kind = "good" if ahead.swapped else "bad"
    return f"none of main's {words.count(requests)} requests was {kind}: a multiple of nothing is nothing"


def _told(ahead: Ahead, by_seconds: float, *, never: bool) -> str:
    """What would be seen when the pass rule is judged first."""
    ratio, when = ahead.smallest(by_seconds), spoken_duration(by_seconds)
    if math.isinf(ratio):
        outage = "not even a canary without any" if ahead.swapped else "not even one that fails every request"
        return f"by {when} {outage} would be seen"
    if ahead.swapped:
        return f"by {when} a fall to {words.percent(ahead.rate / ratio)} would be seen"
    least = "" if never else f", {words.significant(ratio)}×,"
    return f"by {when} a canary with {words.percent(min(ahead.rate * ratio, 1.0))}{least} would be seen"


def _least(numbers: Sequence[int], holds: Callable[[int], bool]) -> int | None:
    """The smallest of rising numbers for which it holds, where it goes on holding; None for none."""
    if not numbers or not holds(numbers[-1]):
        return None
    low, high = 0, len(numbers) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(numbers[middle]) else (middle + 1, high)
    return numbers[high]
