"""
The command `firedamp`: runs the command line and turns every end into one of five exit codes.

A pipeline reads the exit code of `firedamp judge` as a verdict. The command-line library says 2 for a
wrong option, Python 1 for a traceback and the shell's closed pipe 1 as well; left alone they would read
as "undecided" and "fail". Only codes that a command chose itself (`Ended`) go through unchanged.
"""

import sys
import traceback
from collections.abc import Sequence

from firedamp.cli.exits import Ended, Exit
from firedamp.errors import AskError, ConfigError, FiredampError

#: What the command-line library itself exits with: help and completion, wrong usage, Ctrl-C.
_LIBRARY = {None: 0, 0: 0, 2: Exit.USAGE, 130: 130}


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(exit_code(sys.argv[1:]))


def exit_code(arguments: Sequence[str]) -> int:
    """Run one command line and say how it ended; messages go to standard error."""
    try:
        _command(arguments)
    except Ended as end:
        return end.exit
    except SystemExit as end:
        return int(_LIBRARY.get(end.code, Exit.TROUBLE))  # type: ignore[arg-type]  # codes are ints here
    except FiredampError as error:
        print(f"firedamp: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        return Exit.USAGE if isinstance(error, ConfigError | AskError) else Exit.TROUBLE
    except OSError as error:
        print(f"firedamp: {error}", file=sys.stderr)  # noqa: T201 - a port that is taken, a disk that is full
        return Exit.TROUBLE
    except Exception:  # noqa: BLE001 - the outermost edge: a traceback must not read as a verdict
        traceback.print_exc()
        return Exit.TROUBLE
    return Exit.PASS


def _command(arguments: Sequence[str]) -> None:
    from firedamp.cli import app

    app(list(arguments), prog_name="firedamp")


if __name__ == "__main__":
    run()
