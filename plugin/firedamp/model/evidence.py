"""What a block brought, check by check, arm by arm, pod by pod."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.model.terms import Arm, TroubleKind


@dataclass(frozen=True, slots=True)
class Block:
    """Evidence is taken in fixed blocks (start, end] of Unix seconds, numbered from 0."""

    index: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with the data of one check in one block, in words for a person."""

    kind: TroubleKind
    text: str
    arm: Arm | None = None


#: Numbers of one pod in one block; each check kind says what its columns mean.
Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """
    What one block brought for one check.

    Attributes:
        rows: arm -> pod -> numbers, new in this block (counters as increases, levels as they are).
        bounds: upper bucket bounds of a histogram, ascending, the last one inf; else empty.
        troubles: what was wrong with the data.
        unlabelled: requests that carry no version label, so that they are in no arm; 0 where nobody asked.
        examples: ids of failing traces of the canary, a few.
        mixed: traces that met several cohorts; each is counted once.
    """

    rows: Mapping[Arm, Mapping[str, Row]] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    unlabelled: float = 0.0
    examples: tuple[str, ...] = ()
    mixed: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    All that one block brought: a slice per check, by the check's name.

    Attributes:
        weight: the canary's expected share in this block, as the controller told; None unknown.
        step: number of the traffic step this block lies in, counted from 0.
    """

    block: Block
    slices: Mapping[str, Slice]
    weight: float | None = None
    step: int = 0
