"""
How often healthy releases are rolled back and harmful ones are found: firedamp beside its peers.

    python benchmarks/quality.py --fast                       # under 90 s, with gates; what CI runs
    python benchmarks/quality.py                              # every cell, finished ones are skipped
    python benchmarks/quality.py --only '^bursts' --releases 200
    python benchmarks/quality.py --report                     # writes docs/quality from what is finished

Each release is made up from the seed, block by block, and the same counts go to every method. `--json`
prints one object on standard output.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import firedamp
from arena import run
from arena.cells import Cell, Fault, Kind
from arena.run import Played

ROOT = Path(__file__).parents[1]
CELLS = [Cell(), Cell(fault=Fault(Kind.ERRORS, 5.0))]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--releases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="cells whose names match this regular expression")
    options = parser.parse_args(arguments)
    with run.workers(options.jobs) as pool:
        for cell in CELLS:
            if re.search(options.only, str(cell)):
                one = run.played(cell, options.seed, options.releases, pool)
                print(one.cell, one.seconds, file=sys.stderr)
                for figure in one.figures:
                    print(asdict(figure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
