"""
`python -m e2e.table build/e2e.json` prints what a run showed as tables in Markdown.

Scenarios with seconds, how fast faults were stopped by firedamp and by what controllers have themselves, and
how often healthy releases with a few errors were rolled back.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from e2e.plays import FAULTS
from e2e.releasing import End

Report = Mapping[str, Any]
CONTROLLERS = {"argo": "Argo Rollouts", "flagger": "Flagger"}
JUDGES = {"": "firedamp", "builtin-": "built-in, as often", "documented-": "built-in, as documented"}
_NAME = re.compile(r"(argo|flagger)-(.+?)(?:-\d+)?")


def tables(reports: Sequence[Report]) -> Iterator[str]:
    """The three, line by line."""
    found: dict[tuple[str, str], list[Report]] = {}
    for report in reports:
        named = _NAME.fullmatch(report["scenario"])
        assert named, report["scenario"]
        found.setdefault((named[1], named[2]), []).append(report)
    yield from _scenarios(found)
    yield from ("", *_faults(found))
    yield from ("", *_healthy(found))


def _scenarios(found: Mapping[tuple[str, str], Sequence[Report]]) -> Iterator[str]:
    yield from _head("", CONTROLLERS.values())
    names = dict.fromkeys(name for _, name in found)
    for name in names:
        if not name.startswith(tuple(filter(None, JUDGES))) and name != "noise":
            yield _row(name, (_result(found.get((controller, name), ())) for controller in CONTROLLERS))


def _faults(found: Mapping[tuple[str, str], Sequence[Report]]) -> Iterator[str]:
    judges = ("", "builtin-")
    columns = [(controller, judge) for controller in CONTROLLERS for judge in judges]
    yield from _head("", (f"{CONTROLLERS[one]}, {JUDGES[judge]}" for one, judge in columns))
    for name in FAULTS:
        yield _row(name, (_stopped(found.get((one, judge + name), ())) for one, judge in columns))


def _healthy(found: Mapping[tuple[str, str], Sequence[Report]]) -> Iterator[str]:
    yield from _head("rolled back", CONTROLLERS.values())
    for judge, title in JUDGES.items():
        yield _row(title, (_back(found.get((one, f"{judge}noise"), ())) for one in CONTROLLERS))


def _result(reports: Sequence[Report]) -> str:
    if not reports:
        return "–"
    well = sum(not report["fault"] for report in reports)
    seconds = " ".join(f"{report['seconds']:.0f}" for report in reports)
    return f"{well} of {len(reports)}, {seconds} s"


def _stopped(reports: Iterable[Report]) -> str:
    """Seconds from the first spoilt request to no traffic, and how many requests of users failed."""
    told = [
        f"{report['seconds_to_zero']:.0f} s ({report['failed']} failed)"
        if report["end"] == End.ROLLED_BACK and report["seconds_to_zero"] is not None
        else f"{report['end'] or 'not stopped'} ({report['failed']} failed)"
        for report in reports
    ]
    return ", ".join(told) or "–"


def _back(reports: Sequence[Report]) -> str:
    back = sum(report["end"] == End.ROLLED_BACK for report in reports)
    return f"{back} of {len(reports)}" if reports else "–"


def _head(first: str, columns: Iterable[str]) -> Iterator[str]:
    named = list(columns)
    yield _row(first, named)
    yield _row("---", ["---"] * len(named))


def _row(first: str, cells: Iterable[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def main(path: str) -> None:
    """Print them."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    print(f"The stage stood after {found['stage_seconds']:g} s.\n")
    print("\n".join(tables(found["scenarios"])))


if __name__ == "__main__":
    main(sys.argv[1])
