"""A release of shop/checkout as the store has it, for whoever rolls it out or tells of it."""

from dataclasses import replace
from typing import Any

from firedamp import __version__
from firedamp.decision import parameters as stored
from firedamp.model import Controller, Release, ReleaseKey
from judge.shop import PARAMETERS

T = 1_700_000_000.0


def release(revision: str = "new", **more: Any) -> Release:
    """Of Argo Rollouts where nothing else is said, begun at T, against the version `old`."""
    made = Release(
        id=7,
        key=ReleaseKey("shop", "checkout", revision, 1),
        controller=Controller.ARGO,
        started=T,
        arms={"canary": revision, "main": "old"},
        experiment=False,
        parameters=stored.to_json(PARAMETERS),
        version=__version__,
        last_asked=T,
    )
    return replace(made, **more)
