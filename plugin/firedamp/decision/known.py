"""
What is known of the checks' noise before a release: pooled from elsewhere, pinned at its first look.

History and earlier releases tell of the same noise, so their sums are added. What was learnt elsewhere
may weigh only so much, or a service that became bursty would be believed calm for ever: with the limit
its own pods have a say within some hundred errors. How much pods differ keeps its whole weight, for a
release tells little of that.

What is known is pinned as canonical JSON with the release's first look, and read back from there by
everybody who judges its evidence again: a release's findings never depend on what was learnt later.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, replace

from firedamp.checks import Check, FlowCollateral, FlowFailures, Proportion
from firedamp.stats.noise import Learnt

#: So many errors' worth of evidence is the most that is known of clumps.
MOST_KNOWN = 200.0
#: What is pinned where nothing is known.
NOTHING = "{}"
# Versions before the usual rate was learnt pinned four sums.
_LENGTHS = (4, 6)


def counts(check: Check) -> str | None:
    """A digest of what a check counts, under which it is learnt about; None without noise to learn."""
    match check:
        case Proportion():
            told = json.dumps([check.events, check.total, check.harm])
        case FlowFailures():
            told = json.dumps([check.flow.service, check.flow.operation, check.failure, check.below])
        case FlowCollateral():
            told = json.dumps([check.flow.service, check.flow.operation, check.failure, "beside"])
        case _:
            return None
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def pooled(told: Iterable[Learnt]) -> Learnt:
    """What history and releases tell together; clumps weigh `MOST_KNOWN` at most."""
    whole = sum(told, Learnt())
    if whole.phi_weight <= MOST_KNOWN:
        return whole
    return replace(whole, phi_sum=whole.phi_sum * (MOST_KNOWN / whole.phi_weight), phi_weight=MOST_KNOWN)


def to_json(noise: Mapping[str, Learnt]) -> str:
    """Canonical JSON, by check: sum and weight of phi and of tau², events, requests."""
    told = {check: astuple(learnt) for check, learnt in noise.items()}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> dict[str, Learnt]:
    """
    Read back what `to_json` wrote, to the last digit; nothing is known of a release not yet looked at ("").

    Raises:
        ValueError: it was written by an incompatible version.
    """
    try:
        return {check: _learnt(sums) for check, sums in json.loads(text or "{}").items()}
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{text[:80]!r} says nothing of noise that this version can read") from error


def _learnt(sums: list[float]) -> Learnt:
    if len(sums) not in _LENGTHS:
        raise TypeError(f"{len(sums)} sums")
    return Learnt(*map(float, sums))
