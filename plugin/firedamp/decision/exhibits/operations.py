"""What was asked of the service, operation by operation, in both arms."""

from collections.abc import Sequence
from dataclasses import dataclass

from firedamp.checks import arm_rows
from firedamp.model import Arm, Finding, Look

#: So many operations are listed.
MOST_OPERATIONS = 50


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One operation since warm-up.

    Attributes:
        baseline, canary: requests.
        expected: requests that the canary would have had by its share of all; None without a comparison arm.
    """

    name: str
    baseline: float
    canary: float
    expected: float | None


def operations(looks: Sequence[Look], finding: Finding, *, since: float) -> tuple[Operation, ...]:
    """Those that the canary lacks most first; empty where the finding is not about operations."""
    if finding.kind != "operations":
        return ()
    arms = [_asked(looks, finding.check, arm, since) for arm in (finding.against, Arm.CANARY)]
    baseline, canary = arms
    whole = sum(baseline.values())
    share = sum(canary.values()) / whole if whole else None
    each = [
        Operation(
            name,
            baseline.get(name, 0.0),
            canary.get(name, 0.0),
            None if share is None else share * baseline.get(name, 0.0),
        )
        for name in {**baseline, **canary}
    ]
    return tuple(sorted(each, key=lambda one: (one.canary - (one.expected or 0.0), one.name)))[
        :MOST_OPERATIONS
    ]


def _asked(looks: Sequence[Look], name: str, arm: Arm | None, since: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for look in looks:
        piece = look.evidence.slices.get(name)
        if piece is not None and look.evidence.block.start >= since:
            for operation, row in arm_rows(piece, arm).items():
                found[operation] = found.get(operation, 0.0) + row[1]
    return found
