"""
Playing cells: many releases in a few processes, cell by cell, with what is finished kept in a file.

A release's dice depend on the seed, the cell and its own number alone: neither the number of processes nor
the order of cells changes a figure. A finished cell is a line of JSON; it is played again only where seed,
number of releases or the engine (its code, comments aside) differ.
"""

import ast
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from itertools import repeat
from os import nice
from pathlib import Path
from time import process_time

import numpy as np

import firedamp
from arena import ours, traffic
from arena.cells import Cell, Fault
from arena.figures import Course, Figure, figure
from arena.peers import NEVER, PEERS, stops
from arena.seen import seen
from firedamp.stats.noise import Learnt

#: Releases that are played together at most, for the peers' sake; fewer where there are few.
CHUNK = 8
FIREDAMP = "firedamp"
METHODS = (FIREDAMP, *PEERS)
#: Parts of the arena that figures depend on.
DECIDES = ("noise", "traffic", "ours", "seen", "peers", "fisher", "ranking", "kayenta", "figures")


@dataclass(frozen=True, slots=True)
class Played:
    """
    A finished cell.

    Attributes:
        figures: one per method.
        seconds: processor time per release, of all methods together.
    """

    cell: str
    seed: int
    version: str
    engine: str
    seconds: float
    figures: tuple[Figure, ...]


def played(cell: Cell, seed: int, releases: int, pool: ProcessPoolExecutor) -> Played:
    """Play one cell."""
    size = min(CHUNK, math.ceil(releases / 4))
    starts = range(0, releases, size)
    ends = [min(start + size, releases) for start in starts]
    chunks = list(pool.map(_chunk, repeat(cell), repeat(seed), starts, ends))
    figures = tuple(
        figure(cell, method, [course for courses, _ in chunks for course in courses[method]])
        for method in METHODS
    )
    seconds = sum(spent for _, spent in chunks) / releases
    return Played(str(cell), seed, firedamp.__version__, engine(), round(seconds, 3), figures)


def workers(jobs: int, *, patient: bool) -> ProcessPoolExecutor:
    """Processes; patient ones stand back for others."""
    return ProcessPoolExecutor(jobs, initializer=nice, initargs=(10 if patient else 0,))


def _chunk(cell: Cell, seed: int, start: int, end: int) -> tuple[Mapping[str, list[Course]], float]:
    begun = process_time()
    releases = [traffic.release(cell, traffic.generator(cell, seed, number)) for number in range(start, end)]
    failing = [traffic.failing(cell, one) for one in releases]
    courses = {FIREDAMP: list(_ours(cell, seed, start, releases, failing))}
    for method, found in stops(seen(cell, releases)).items():
        blocks = [None if stop == NEVER else int(stop) for stop in found]
        courses[method] = [
            Course(stop, served(cell, served_in, stop), stop is None, None)
            for stop, served_in in zip(blocks, failing, strict=True)
        ]
    return courses, process_time() - begun


def _ours(
    cell: Cell, seed: int, start: int, releases: Sequence[traffic.Traffic], failing: Sequence[traffic.Counts]
) -> Iterator[Course]:
    for number, (one, served_in) in enumerate(zip(releases, failing, strict=True), start):
        if cell.bare:
            found = ours.alone(cell, one)
        else:
            found = ours.course(cell, one, ours.together(_known(cell, seed, number)))
        yield Course(found.stop, served(cell, served_in, found.stop), found.excluded, found.passed)


def _known(cell: Cell, seed: int, number: int) -> Iterator[Mapping[str, Learnt]]:
    """History and earlier releases, as far as the cell knows them."""
    if cell.history and cell.counters:
        yield ours.known(cell, *traffic.history(cell, traffic.generator(cell, seed, number, use=1)))
    well = replace(cell, fault=Fault())
    for earlier in range(cell.pooled):
        dice = traffic.generator(cell, seed, number, use=2 + earlier)
        yield ours.left(cell, traffic.release(well, dice))


def served(cell: Cell, failing: traffic.Counts, stop: int | None) -> int:
    """Failing canary requests from the fault's onset to the stop, that block included."""
    return int(np.sum(failing[cell.onset.block : None if stop is None else stop + 1]))


@cache
def engine() -> str:
    """A short name of the code that decides, and of the arena, without their words."""
    package, arena = Path(firedamp.__file__).parent, Path(__file__).parent
    roots = [package / part for part in ("stats", "checks", "decision", "model")]
    paths = [path for root in roots for path in sorted(root.rglob("*.py"))]
    silent = [_silenced(path) for path in (*paths, *[arena / f"{part}.py" for part in DECIDES])]
    return hashlib.sha256("\n".join(silent).encode()).hexdigest()[:10]


def _silenced(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_words(part)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def kept(path: Path) -> list[Played]:
    """What was played before, oldest first; lines of another shape are another engine's."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    shape = {field.name for field in fields(Figure)}
    return [_read(line) for line in lines if all(one.keys() == shape for one in line["figures"])]


def keep(path: Path, one: Played) -> None:
    """Add a finished cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(one)) + "\n")


def _read(line: Mapping[str, object]) -> Played:
    figures = tuple(Figure(**one) for one in line["figures"])  # type: ignore[attr-defined]
    return Played(**{**line, "figures": figures})  # type: ignore[arg-type]


def known_of(before: Iterable[Played], cell: Cell, seed: int, releases: int) -> Played | None:
    """The cell as it was played before, by the same engine on the same dice."""
    wanted = str(cell), seed, engine(), releases
    same = [one for one in before if (one.cell, one.seed, one.engine, one.figures[0].releases) == wanted]
    return same[-1] if same else None


def latest(finished: Iterable[Played], seed: int) -> dict[str, Played]:
    """The last result of each cell on one seed."""
    return {one.cell: one for one in finished if one.seed == seed}
