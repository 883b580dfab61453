"""
One look of a release of twenty checks, through the product's own session.

Every check counts errors of twenty pods, four of them the canary's. Errors are spread over the blocks so
that by the block that is looked at there are just as many as stated, at minute 5 as at minute 60.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.model import Arm, Evidence, Slice
from firedamp.stats.noise import Learnt

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
        """The look by a replica that has nothing in memory."""
        return session.replay(self.begun, self.blocks)


def course(checks: int, minute: float, errors: int, seed: int = 1) -> Course:
    """A release with so many errors per check after warm-up, by this minute."""
    settings = parameters(checks)
    blocks = round(minute * 60 / settings.window.look)
    noise = {check.name: KNOWN for check in settings.checks}
    begun = session.begin(settings, 0.0, Arm.MAIN, noise)
    return Course(begun, list(_pieces(settings, blocks, errors, np.random.default_rng(seed))))


def clocked(taken: Course) -> tuple[float, float]:
    """
    Seconds of processor time of the last look, from memory and rebuilt.

    Each block comes once, as in service: nothing was looked up for the same counts before.
    """
    began = time.process_time()
    *earlier, last = taken.blocks
    state = taken.begun
    for block in earlier:
        state, _ = session.advance(state, block, planning=False)
    asked = time.process_time()
    session.advance(state, last)
    done = time.process_time()
    return done - asked, done - began


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
