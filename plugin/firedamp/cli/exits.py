"""How a command ends: the exit codes that pipelines rely on, and the one way to choose them."""

from enum import IntEnum

from firedamp.model import Outcome


class Exit(IntEnum):
    """Exit codes of every command; the first three are verdicts where something is judged."""

    PASS = 0
    FAIL = 1
    UNDECIDED = 2
    USAGE = 3
    TROUBLE = 4  # could not judge


class Ended(SystemExit):
    """Ends the command with a code it chose itself; any other end is translated."""

    def __init__(self, code: Exit) -> None:
        super().__init__(int(code))
        self.exit = code


def of(outcome: Outcome) -> Exit:
    """The exit code of a verdict."""
    match outcome:
        case Outcome.PASS:
            return Exit.PASS
        case Outcome.FAIL:
            return Exit.FAIL
        case Outcome.INCONCLUSIVE:
            return Exit.UNDECIDED
