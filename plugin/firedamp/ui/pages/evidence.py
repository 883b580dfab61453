"""What stands behind one check: drawings as numbers, and tables of ready text."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Instant, Link, Mark


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on a drawing's axis with what stands there."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """
    An interval against its limit, drawn in a box 100 wide.

    Attributes:
        low, high: ends of the interval's bar; the same where only a value is known.
        value: the estimate; None where one arm has none at all, of which nothing is a multiple.
        limit: the largest (or smallest) that is no harm.
        harm: begin and width of the part that is harm.
        same: where canary and baseline are alike; None on a scale of values.
        text: the whole drawing in words.
        labels: what stands below the axis, with room between.
    """

    low: float
    high: float
    value: float | None
    limit: float | None
    harm: tuple[float, float] | None
    same: float | None
    text: str
    labels: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True)
class Spark:
    """
    Lines of both arms, drawn small in a box 240 by 48.

    Attributes:
        baseline, canary: pieces of each line, as points; it is broken where nothing is known.
        allowed: height of the limit; None where there is none.
        text: the drawing in words.
    """

    baseline: tuple[str, ...]
    canary: tuple[str, ...]
    allowed: float | None
    text: str


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look at a check, in the data table of its chart."""

    at: Instant
    block: str
    mark: Mark
    baseline: str
    canary: str
    effect: str
    p_value: str


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod with its own values."""

    arm: str
    name: str
    value: str
    size: str
    box: str
    odd: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A pod's durations, drawn in a box 100 wide: whiskers, quarters, median."""

    arm: str
    name: str
    odd: bool
    whiskers: tuple[float, float]
    quarters: tuple[float, float]
    median: float


@dataclass(frozen=True, slots=True)
class Curves:
    """
    Both arms' durations as a whole.

    Attributes:
        baseline, canary: points of the cumulative curves in a box 100 by 60.
        ticks: bounds worth writing.
        quantiles: (which, baseline, canary).
        text: in words.
    """

    baseline: str
    canary: str
    ticks: tuple[Tick, ...]
    quantiles: tuple[tuple[str, str, str], ...]
    text: str


@dataclass(frozen=True, slots=True)
class OperationRow:
    """What was asked of both arms."""

    name: str
    baseline: str
    canary: str
    expected: str


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query as sent, and where it can be opened."""

    arm: str
    role: str
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """
    What stands behind a check, folded.

    Attributes:
        data: address of the lines as JSON, for the charts.
        unit: of the lines.
        rows: looks, newest first.
        left_out: how many looks the table has not.
    """

    data: str
    unit: str
    rows: tuple[LookRow, ...]
    left_out: int
    pods: tuple[PodRow, ...] = ()
    pods_left_out: int = 0
    pods_value: str = ""
    pods_since: str = ""
    boxes: tuple[Box, ...] = ()
    curves: Curves | None = None
    operations: tuple[OperationRow, ...] = ()
    queries: tuple[QueryRow, ...] = ()
    queries_unknown: str = ""
    traces: tuple[Link, ...] = ()
