"""
How often healthy releases are rolled back and harmful ones are found: firedamp beside its peers.

    python benchmarks/quality.py --fast                       # under 90 s, with gates; what CI runs
    python benchmarks/quality.py                              # every cell; finished ones are skipped
    python benchmarks/quality.py --only '^bursts' --releases 200
    python benchmarks/quality.py --report                     # writes docs/quality from what is finished

Each release is made up from the seed, block by block, and the same counts go to every method. With --json
one object is printed on standard output; progress goes to standard error. The exit code is 1 where a gate
of the fast run does not hold.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from arena import gates, plans, report, run
from arena.plans import Plan
from arena.run import Played

import firedamp

ROOT = Path(__file__).parents[1]
RELEASES, FAST_RELEASES, SEED = 2000, 16, 20


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    if options.report:
        report.write(options.report_to, run.latest(run.kept(options.results), options.seed))
        return 0
    plan = [one for one in chosen(options.fast) if re.search(options.only, str(one.cell))]
    finished = list(play(plan, options))
    show(finished, options)
    return failed(plan, finished) if options.fast else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fast", action="store_true", help="a few cells, never kept, with gates")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--only", default="", metavar="REGEX", help="cells whose names match")
    parser.add_argument("--releases", type=int, help=f"of a whole cell (default {RELEASES})")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "quality.jsonl")
    parser.add_argument("--report", action="store_true", help="write the tables and plots, play nothing")
    parser.add_argument("--report-to", type=Path, default=ROOT / "docs" / "quality", metavar="FOLDER")
    return parser.parse_args(arguments)


def chosen(fast: bool) -> list[Plan]:
    return plans.fast() if fast else plans.full()


def play(plan: Sequence[Plan], options: argparse.Namespace) -> Iterator[Played]:
    """Cell by cell; a finished one is taken from the file, unless the run is a fast one."""
    whole = options.releases or (FAST_RELEASES if options.fast else RELEASES)
    before = [] if options.fast else run.kept(options.results)
    with run.workers(options.jobs, patient=not options.fast) as pool:
        for number, one in enumerate(plan, 1):
            releases = one.releases(whole)
            found = run.known_of(before, one.cell, options.seed, releases)
            if found is None:
                found = run.played(one.cell, options.seed, releases, pool)
                if not options.fast:
                    run.keep(options.results, found)
            said = f"{number}/{len(plan)} {one.cell}: {releases} releases, {found.seconds:g} s each"
            print(said, file=sys.stderr, flush=True)
            yield found


def show(finished: Sequence[Played], options: argparse.Namespace) -> None:
    rows = [asdict(figure) for one in finished for figure in one.figures]
    if options.json:
        stated = {"version": firedamp.__version__, "engine": run.engine(), "seed": options.seed}
        print(json.dumps({**stated, "rows": rows}))
        return
    for row in rows:
        rate = row["false_rollback"] if row["power"] is None else row["power"]
        print(f"{row['cell']} | {row['method']}: {rate:g} ± {row['error']:g} % rolled back")


def failed(plan: Sequence[Plan], finished: Sequence[Played]) -> int:
    table = {one.cell: {figure.method: figure for figure in one.figures} for one in finished}
    sentences = list(gates.broken([one.cell for one in plan], table))
    for sentence in sentences:
        print(f"gate broken: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
