"""`python -m e2e` builds what the scenarios need and this machine has not yet, and says how that went."""

import sys
import time

from e2e.stage import Programs
from real.gobuild import Missing


def main() -> int:
    """1 where something is missing."""
    begun = time.monotonic()
    found = Programs.found()
    if isinstance(found, Missing):
        print(f"end to end: {found.reason}")
        return 1
    print(f"end to end: everything is built, after {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
