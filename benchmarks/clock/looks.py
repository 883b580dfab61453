"""
One look of a release of twenty checks, through the product's own session.

Every check counts errors of twenty pods, four of them the canary's. Errors are spread over the blocks so
that by the block that is looked at there are just as many as stated, at minute 5 as at minute 60.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from firedamp.decision import session, snapshot
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.judge.snapshots import EVERY
from firedamp.model import Arm, Evidence, Slice
from firedamp.stats.noise import Learnt

Result = TypeVar("Result")

PODS = {Arm.MAIN: 16, Arm.CANARY: 4}
REQUESTS = 10.0
#: Half an hour of a calm service's history: 200 errors without clumps, twenty pods that differ by cv 0.1.
KNOWN = Learnt(200.0, 200.0, 0.2, 20.0)


def parameters(checks: int) -> Parameters:
    """So many checks of errors; everything else by default."""
    named = [
        {"name": f"errors-{at}", "kind": "proportion", "events": "errors", "total": "requests"}
        for at in range(checks)
    ]
    return Parameters.model_validate({"checks": named})


@dataclass(frozen=True, slots=True)
class Course:
    """
    A healthy release up to a look.

    Attributes:
        begun: the session before any block.
        blocks: what every block brought.
    """

    begun: Session
    blocks: Sequence[Evidence]

    def rebuilt(self) -> Session:
        """The session after the look."""
        return session.replay(self.begun, self.blocks)

    def anew(self) -> Session:
        """As a replica begins it that has nothing in memory."""
        return _begun(self.begun.parameters)


def course(checks: int, minute: float, errors: int, seed: int = 1) -> Course:
    """A release with so many errors per check after warm-up, by this minute."""
    settings = parameters(checks)
    blocks = round(minute * 60 / settings.window.look)
    return Course(_begun(settings), list(_pieces(settings, blocks, errors, np.random.default_rng(seed))))


def _begun(settings: Parameters) -> Session:
    return session.begin(settings, 0.0, Arm.MAIN, {check.name: KNOWN for check in settings.checks})


@dataclass(frozen=True, slots=True)
class Times:
    """
    Seconds of processor time of a release's last look.

    Attributes:
        look: from memory.
        rebuilt: after a restart: the last snapshot, the blocks since then, and the look.
        folded: without a snapshot: every block, and the look.
        written: what the snapshot took; 0 where there is none yet.
        kilobytes: of the snapshot.
    """

    look: float
    rebuilt: float
    folded: float
    written: float
    kilobytes: float


def clocked(taken: Course) -> Times:
    """
    The last look, from memory and rebuilt.

    Each block comes once, as in service: nothing was looked up for the same counts before. So the look is
    taken by the session that was rebuilt, which is the same.
    """
    since = (len(taken.blocks) - 1) // EVERY * EVERY
    first, rest, last = taken.blocks[:since], taken.blocks[since:-1], taken.blocks[-1]
    before, folded = _timed(lambda: session.replay(taken.begun, first))
    body, written = _timed(lambda: snapshot.taken(before))
    begun, restored = _timed(lambda: snapshot.restored(body, taken.anew()) if first else taken.anew())
    state, caught_up = _timed(lambda: session.replay(begun, rest))
    _, look = _timed(lambda: session.advance(state, last))
    rebuilt = restored + caught_up + look
    if not first:
        return Times(look, rebuilt, rebuilt, 0.0, 0.0)
    return Times(look, rebuilt, folded + caught_up + look, written, len(body) / 1000)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def _pieces(settings: Parameters, blocks: int, errors: int, rng: np.random.Generator) -> Iterator[Evidence]:
    pods = sum(PODS.values())
    cold = round(settings.window.warm_up / settings.window.look)
    cells = (blocks - cold) * pods
    counted = np.zeros((len(settings.checks), blocks, pods))
    for check in counted:
        check[cold:] = rng.multinomial(errors, np.full(cells, 1 / cells)).reshape(-1, pods)
    for block in range(blocks):
        slices = {
            check.name: Slice(_arms(counted[at, block].tolist())) for at, check in enumerate(settings.checks)
        }
        yield Evidence(session.block(settings, 0.0, block), slices)


def _arms(errors: list[float]) -> dict[Arm, dict[str, tuple[float, float]]]:
    mains = PODS[Arm.MAIN]
    return {
        Arm.MAIN: {f"main-{pod}": (count, max(count, REQUESTS)) for pod, count in enumerate(errors[:mains])},
        Arm.CANARY: {
            f"canary-{pod}": (count, max(count, REQUESTS)) for pod, count in enumerate(errors[mains:])
        },
    }
