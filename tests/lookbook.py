"""Looks as the judge takes them: evidence through a real session, with a weight that rises on the way."""

from dataclasses import replace

from firedamp.decision.parameters import Parameters
from firedamp.model import Look
from pasts import looked
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


def a_release_of(count: int, shop: Shop | None = None, *, weights: tuple[float, ...] = (0.2,)) -> list[Look]:
    """So many looks of a shop; the weights follow one another in steps of equal length."""
    each = -(-count // len(weights))
    pieces = blocks(PARAMETERS, shop or Shop(), count)
    told = (
        replace(piece, weight=weights[at // each], step=at // each, block=replace(piece.block))
        for at, piece in enumerate(pieces)
    )
    return looked(PARAMETERS, told)
