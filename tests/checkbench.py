"""Checks on the bench: evidence by hand, block by block, and what a check says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from firedamp.checks import Check, Grant, Moment, Run
from firedamp.model import Arm, Block, Finding, Row, Slice, Trouble, TroubleKind

LOOK = 30.0
GRANT = Grant(
    alpha=0.02, against=Arm.MAIN, look_seconds=LOOK, warm_up_seconds=120.0, decide_by_seconds=3600.0
)
DOWN = Trouble(TroubleKind.SOURCE_DOWN, "the metric source took longer than 8 s")


def moment(index: int, *, warm: bool | None = None, pass_level: float | None = None) -> Moment:
    """The moment after a block; warm from the fifth block on, unless told."""
    is_warm = index >= GRANT.warm_up_looks if warm is None else warm
    block = Block(index, index * LOOK, (index + 1) * LOOK)
    return Moment(block, index + 1, is_warm, pass_level)


def errors(
    baseline: tuple[float, float], canary: tuple[float, float], *troubles: Trouble, pods: int = 10
) -> Slice:
    """(events, requests) of each arm, spread evenly over its pods."""
    rows = {Arm.MAIN: _spread("main", baseline, pods), Arm.CANARY: _spread("canary", canary, pods)}
    return Slice(rows, (), troubles)


def _spread(name: str, counts: tuple[float, float], pods: int) -> dict[str, Row]:
    return {f"{name}-{pod}": tuple(_part(count, pod, pods) for count in counts) for pod in range(pods)}


def _part(count: float, pod: int, pods: int) -> float:
    """What one pod brings of a count; the first one brings the fraction too."""
    whole, fraction = divmod(count, 1)
    return whole // pods + (whole % pods > pod) + (fraction if pod == 0 else 0.0)


def levels(
    baseline: Mapping[str, float] | Iterable[float], canary: Mapping[str, float] | Iterable[float]
) -> Slice:
    """One value per pod."""
    return Slice({Arm.MAIN: _rows("main", baseline), Arm.CANARY: _rows("canary", canary)})


def _rows(name: str, values: Mapping[str, float] | Iterable[float]) -> dict[str, Row]:
    if isinstance(values, Mapping):
        return {pod: (value,) for pod, value in values.items()}
    return {f"{name}-{number}": (value,) for number, value in enumerate(values)}


def run(check: Check, pieces: Iterable[Slice], *, grant: Grant = GRANT, warm: bool | None = None) -> Run:
    """The run after all pieces, the first one being block 0."""
    state: Run = check.begin(grant)
    for index, piece in enumerate(pieces):
        state = state.take(_turned(check, piece, index), moment(index, warm=warm))
    return state


def _turned(check: Check, piece: Slice, index: int) -> Slice:
    """The pods of an arm take turns at the events of a proportion, or one of them would be the bad one."""
    if check.kind != "proportion":
        return piece
    return replace(piece, rows={arm: _moved(rows, index) for arm, rows in piece.rows.items()})


def _moved(rows: Mapping[str, Row], by: int) -> dict[str, Row]:
    pods = sorted(rows)
    return {pod: rows[pods[(place + by) % len(pods)]] for place, pod in enumerate(pods)}


def judged(
    check: Check, pieces: Iterable[Slice], *, grant: Grant = GRANT, warm: bool | None = None
) -> Finding:
    """What the check says after all pieces."""
    taken = list(pieces)
    return run(check, taken, grant=grant, warm=warm).finding(moment(len(taken) - 1, warm=warm))


def first_failure(
    check: Check, pieces: Iterable[Slice], *, grant: Grant = GRANT, warm: bool | None = None
) -> int | None:
    """Index of the block at which the check fails first; None where it does not."""
    state: Run = check.begin(grant)
    for index, piece in enumerate(pieces):
        now = moment(index, warm=warm)
        state = state.take(_turned(check, piece, index), now)
        if state.finding(now).outcome == "fail":
            return index
    return None
