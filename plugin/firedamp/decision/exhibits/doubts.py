"""
What was wrong with a release's data, gathered from its looks: said once each, however many blocks had it.

Troubles of a block stand in its evidence; what kept a check from being judged stands in its finding. Checks
that share a counter share its troubles, and one that hit all of them is one note.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firedamp import words
from firedamp.model import Look, Slice, TroubleKind

#: So many notes are told; the rest is counted.
MOST_DOUBTS = 20
#: From this part of the requests on it is worth saying that some carry no version label.
_UNLABELLED = 0.001
_DIGIT = re.compile(r"\d")
_NAMES = {
    TroubleKind.SOURCE_DOWN: "source down",
    TroubleKind.REFUSED: "query refused",
    TroubleKind.PARTIAL: "answer not whole",
    TroubleKind.NO_SERIES: "no series",
    TroubleKind.GAP: "gap",
    TroubleKind.RESET: "counter reset",
    TroubleKind.TOO_LARGE: "answer too large",
    TroubleKind.NO_POD_LABEL: "no pod label",
    TroubleKind.UNTOLD: "not told",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """
    One thing that was wrong.

    Attributes:
        kind: what of, in a word or two.
        text: as it was said last.
        checks: whose data it is.
        blocks: in how many of the looks.
        first, last: indices of the first and the last of those.
        now: the last look has it too.
        grave: a check was not judged for it at the last look.
    """

    kind: str
    text: str
    checks: tuple[str, ...]
    blocks: int
    first: int
    last: int
    now: bool
    grave: bool = False


def doubts(looks: Sequence[Look]) -> tuple[Doubt, ...]:
    """What was wrong in these looks: what sets checks aside first, then what goes on, then the frequent."""
    if not looks:
        return ()
    said: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for look in looks:
        for check, kind, key, text in _of_look(look):
            said.setdefault((kind, key), []).append((look.evidence.block.index, check, text))
    now = looks[-1].evidence.block.index
    aside = {one.set_aside for one in looks[-1].findings if one.set_aside}
    found = (_doubt(kind, entries, now, aside) for (kind, _), entries in said.items())
    lacking = _unlabelled(looks)
    every = (*found, *lacking)
    return tuple(sorted(every, key=lambda one: (not one.grave, not one.now, -one.blocks, one.kind, one.text)))


def _of_look(look: Look) -> Iterator[tuple[str, str, str, str]]:
    """(Check, kind, what makes two of them the same, text); numbers in a text change from block to block."""
    told = set()
    for check, piece in look.evidence.slices.items():
        for trouble in piece.troubles:
            kind = _NAMES[trouble.kind]
            told.add((check, trouble.text))
            yield check, kind, f"{trouble.arm} {_shape(trouble.text)}", trouble.text
    for finding in look.findings:
        if finding.set_aside and (finding.check, finding.set_aside) not in told:
            yield finding.check, "not judged", _shape(finding.set_aside), finding.set_aside


def _shape(text: str) -> str:
    """A text without its numbers, which differ from block to block."""
    return _DIGIT.sub("#", text[:200])


def _doubt(kind: str, entries: Sequence[tuple[int, str, str]], now: int, aside: set[str]) -> Doubt:
    blocks = {block for block, _, _ in entries}
    text = entries[-1][2]
    return Doubt(
        kind,
        text,
        tuple(dict.fromkeys(check for _, check, _ in entries)),
        len(blocks),
        min(blocks),
        max(blocks),
        now in blocks,
        now in blocks and text in aside,
    )


def _unlabelled(looks: Sequence[Look]) -> Iterator[Doubt]:
    """Requests without a version label, by check."""
    for check in looks[-1].evidence.slices:
        pieces = [(look, piece) for look in looks if (piece := look.evidence.slices.get(check))]
        stray = sum(piece.unlabelled for _, piece in pieces)
        if stray <= 0:
            continue
        labelled = sum(_requests(piece) for _, piece in pieces)
        if stray < _UNLABELLED * (stray + labelled):
            continue
        blocks = [look.evidence.block.index for look, piece in pieces if piece.unlabelled > 0]
        share = words.percent(stray / (stray + labelled))
        text = f"{share} of the requests carry no version label and are in no arm"
        now = blocks[-1] == looks[-1].evidence.block.index
        yield Doubt("missing labels", text, (check,), len(blocks), blocks[0], blocks[-1], now)


def _requests(piece: Slice) -> float:
    """Of buckets all columns, else the second; a level counts none."""
    rows = [row for pods in piece.rows.values() for row in pods.values()]
    if piece.bounds:
        return sum(map(sum, rows))
    return sum(row[1] for row in rows if len(row) > 1)
