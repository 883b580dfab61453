"""What a living release holds in memory: the session that would have to be rebuilt without it."""

import gc
import pickle
import tracemalloc
from collections.abc import Callable

from clock.looks import course
from firedamp.decision.session import Session


def held(checks: int, minute: float, errors: int) -> dict[str, float]:
    """
    Kilobytes of a session at a look, by what Python allocates for it and by what a pickle of it weighs.

    Parameters and the names of pods belong to many releases, and are there before counting begins.
    """
    taken = course(checks, minute, errors)
    return {
        "allocated_kb": allocated(taken.rebuilt) / 1000,
        "pickled_kb": len(pickle.dumps(_bare(taken.rebuilt()))) / 1000,
    }


def allocated(build: Callable[[], object]) -> int:
    """Bytes that remain allocated for what a call returns, caches being warm."""
    build()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = build()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before if kept else 0
    finally:
        tracemalloc.stop()


def _bare(session: Session) -> list[object]:
    """The statistics alone: checks are configuration."""
    return [
        [getattr(run, name) for name in type(run).__slots__ if name not in ("check", "grant")]
        for run in session.runs
    ]
