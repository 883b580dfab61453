"""Looks as the judge takes them: evidence through a real session, with a weight that rises on the way."""

from collections.abc import Iterable
from dataclasses import replace

from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Look
from rehearsal import Shop, blocks

PARAMETERS = Parameters.model_validate(
    {
        "window": {"warm_up": 60, "promote_after": 600, "decide_by": 1200},
        "checks": [
            {"name": "errors", "kind": "proportion", "events": 'r{code=~"5.."}', "total": "r"},
            {"name": "latency", "kind": "distribution", "histogram": "h", "tier": "warn"},
        ],
    }
)


def looked(evidence: Iterable[Evidence], parameters: Parameters = PARAMETERS) -> list[Look]:
    """The looks of a session that takes this evidence."""
    state, found = session.begin(parameters, 0.0, Arm.MAIN), []
    for piece in evidence:
        state, findings = session.advance(state, piece)
        found.append(Look(piece, findings, state.standing, "0.1.0"))
    return found


def a_release_of(count: int, shop: Shop | None = None, *, weights: tuple[float, ...] = (0.2,)) -> list[Look]:
    """So many looks of a shop; the weights follow one another in steps of equal length."""
    each = -(-count // len(weights))
    pieces = blocks(PARAMETERS, shop or Shop(), count)
    told = (
        replace(piece, weight=weights[at // each], step=at // each, block=replace(piece.block))
        for at, piece in enumerate(pieces)
    )
    return looked(told)
