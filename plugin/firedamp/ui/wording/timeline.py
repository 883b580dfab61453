"""The looks of a release as a strip that can be gone through, look by look, without any script."""

from collections.abc import Sequence
from urllib.parse import urlencode

from firedamp import words
from firedamp.decision import exhibits
from firedamp.decision.exhibits import Step
from firedamp.model import Look
from firedamp.ui.pages.release import Point, StepMark, Timeline
from firedamp.ui.pages.shell import Link
from firedamp.ui.wording.marks import MARKS, so_far
from firedamp.ui.wording.seen import Seen
from firedamp.ui.wording.times import instant
from firedamp.units import spoken_duration

#: Width of one look in the strip, in SVG units.
LOOK_WIDTH = 8
#: So many looks are stretched over the page's width; of more, the strip scrolls.
_FEW = 120


def timeline(seen: Seen) -> Timeline:
    """The strip, the slider and the ways to the looks beside the one that is shown."""
    looks = seen.looks
    if seen.look is None:
        return Timeline(story="No look has been taken yet.", address=seen.address)
    here = seen.look.evidence.block
    return Timeline(
        points=tuple(_point(seen, place, look) for place, look in enumerate(looks)),
        steps=tuple(_step(one, looks) for one in exhibits.steps(looks)),
        story=story(looks),
        width=max(1, len(looks)) * LOOK_WIDTH,
        look_width=LOOK_WIDTH - 1,
        few=len(looks) <= _FEW,
        past=seen.is_past,
        first=looks[0].evidence.block.index,
        last=looks[-1].evidence.block.index,
        here=here.index,
        at=instant(here.end, seen.now),
        address=seen.address,
        links=_links(seen),
    )


def _point(seen: Seen, place: int, look: Look) -> Point:
    block = look.evidence.block
    return Point(
        x=place * LOOK_WIDTH,
        block=block.index,
        link=_link(seen, place),
        mark=MARKS[so_far(look.standing)],
        at=instant(block.end, seen.now),
        here=place == seen.place,
    )


def _link(seen: Seen, place: int) -> str:
    """The page at a look; the last one is the page itself, which goes on with the release."""
    last = place == len(seen.looks) - 1
    asked = {} if last else {"look": str(seen.looks[place].evidence.block.index)}
    if seen.only:
        asked["check"] = seen.only
    return f"{seen.address}?{urlencode(asked)}" if asked else seen.address


def _step(step: Step, looks: Sequence[Look]) -> StepMark:
    place = next((at for at, look in enumerate(looks) if look.evidence.block.start >= step.at), 0)
    weight = "weight not told" if step.weight is None else f"{words.percent(step.weight)} of the traffic"
    return StepMark(place * LOOK_WIDTH, f"step {step.step}, {weight}")


def _links(seen: Seen) -> tuple[Link, ...]:
    last = len(seen.looks) - 1
    places = (
        ("First look", 0 if seen.place > 0 else None),
        ("Look before", seen.place - 1 if seen.place > 0 else None),
        ("Next look", seen.place + 1 if seen.place < last else None),
        ("Newest look", last if seen.place < last else None),
    )
    return tuple(Link(name, "" if place is None else _link(seen, place)) for name, place in places)


def story(looks: Sequence[Look]) -> str:
    """The looks in one sentence, for those who do not see the strip."""
    if not looks:
        return "No look has been taken yet."
    last = looks[-1]
    took = spoken_duration(last.evidence.block.end - looks[0].evidence.block.start)
    standing = last.standing
    decided = standing.failed_block if standing.failed_block is not None else standing.passed_block
    where = "" if decided is None else f" since look {decided}"
    return f"{words.plural(len(looks), 'look')} over {took}; {MARKS[so_far(standing)].word}{where}."
