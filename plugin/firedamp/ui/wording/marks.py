"""States as words with signs: the same everywhere."""

from firedamp.model import Outcome, Release, Standing
from firedamp.ui.pages.shell import Mark

MARKS = {
    Outcome.PASS: Mark("pass", "✓", "pass"),
    Outcome.FAIL: Mark("fail", "✗", "fail"),
    Outcome.INCONCLUSIVE: Mark("open", "…", "undecided"),
}

#: What people ordered, by the hook under which it is kept, and in the order in which it counts: whoever
#: switched off leaves nothing to roll back, and what is rolled back is not held.
ORDERS = {
    "off": Mark("fail", "⊘", "switched off"),
    "rollback": Mark("fail", "↩", "ordered back"),
    "hold": Mark("warn", "‖", "held"),
}


def so_far(standing: Standing) -> Outcome:
    """The verdict at a look: harm proven, harm excluded, or neither yet."""
    if standing.failed_block is not None:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if standing.passed_block is None else Outcome.PASS


def state(release: Release) -> str:
    """Whether a release is running, else how it ended."""
    return "running" if release.ended is None else f"ended: {release.outcome or 'unknown'}"
