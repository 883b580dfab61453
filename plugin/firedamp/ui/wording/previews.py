"""What a change would have made of the last releases, in words: how many differ, how far that is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from firedamp import words
from firedamp.decision import tuning
from firedamp.decision.tuning import Change, Compared, Stand
from firedamp.judge.previews import SECONDS, Preview
from firedamp.judge.tuned import Tuned
from firedamp.model import Label, Release
from firedamp.ui.pages.tune import Aside, Outcome, Row, Side
from firedamp.ui.wording.marks import MARKS
from firedamp.ui.wording.times import instant
from firedamp.ui.wording.tune import sent

#: An address may have so many characters; a longer draft is saved before the next check is changed.
_LONGEST_DRAFT = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """A preview that somebody asked for: of what change, by a form with which check in it, and why."""

    known: Tuned
    change: Change
    check: str = ""
    note: str = ""
    labels: Mapping[int, Label] = field(default_factory=dict)

    @property
    def difference(self) -> tuple[str, ...]:
        """What would be other than now."""
        return self.known.difference(self.change)


def outcome(asked: Asked, preview: Preview, now: float) -> Outcome:
    """What is known of it so far."""
    rows = [_row(one, asked.labels.get(one.release.id), now) for one in preview.compared]
    more = not preview.over and preview.left > 0
    return Outcome(
        difference=asked.difference,
        sentence=_sentence(preview, asked.labels),
        progress=_progress(preview),
        going_on=(*sent(asked.change, asked.known.version, asked.check), ("note", asked.note))
        if more
        else (),
        rows=tuple(row for row, one in zip(rows, preview.compared, strict=True) if one.differs),
        same=tuple(row for row, one in zip(rows, preview.compared, strict=True) if not one.differs),
        aside=tuple(Aside(_link(one.release), _name(one.release), one.reason) for one in preview.aside),
        save=sent(asked.change, asked.known.version),
        note=asked.note,
        others=_others(asked),
    )


def unchanged() -> Outcome:
    """Of a form in which nothing is other than now."""
    said = "Nothing would change: these values are in force. Change one, then look again."
    return Outcome((), said, "", (), (), (), (), (), "", ())


def _sentence(preview: Preview, labels: Mapping[int, Label]) -> str:
    """3 of 40 verdicts differ; 2 of them were labelled false positive."""
    if not preview.wanted:
        return "No release has been judged yet, so nothing can be compared."
    if not preview.compared:
        return "No verdict could be compared yet." if preview.left else "No verdict could be compared."
    differing = preview.differing
    told = [labels[one.release.id].word for one in differing if one.release.id in labels]
    counts = (f"{told.count(word)} labelled {word.spoken}" for word in dict.fromkeys(told))
    return f"{preview.counted}: {', '.join(counts)}." if told else f"{preview.counted}."


def _progress(preview: Preview) -> str:
    done, wanted = preview.wanted - preview.left, preview.wanted
    if not preview.left:
        return ""
    if not preview.over:
        return f"Judged {done} of {wanted} so far, the newest first."
    if done:
        return f"Judged {done} of {wanted}, the newest first; for the others there was no time."
    return (
        f"There was no time: a preview may take {SECONDS:g} s, and others were being made, or one release "
        "takes longer. Preview again in a moment."
    )


def _others(asked: Asked) -> tuple[tuple[str, str], ...]:
    """What the address has of a change that another check's form goes on from."""
    draft = tuning.to_json(asked.change)
    return (("draft", draft),) if len(draft) <= _LONGEST_DRAFT and len(asked.known.written.checks) > 1 else ()


def _row(one: Compared, label: Label | None, now: float) -> Row:
    return Row(
        link=_link(one.release, _parting(one)),
        name=_name(one.release),
        started=instant(one.release.started, now),
        then=_side(one.then),
        now=_side(one.now),
        note="; ".join(_notes(one)),
        label=f"labelled {label.word.spoken}" if label else "",
    )


def _parting(one: Compared) -> int | None:
    """The look at which the two ways part: the first that decided, either way."""
    blocks = [block for block in (one.then.block, one.now.block) if block is not None]
    return min(blocks) if blocks and one.differs else None


def _notes(one: Compared) -> Iterator[str]:
    if one.now.unseen and one.differs:
        yield f"it ended after {words.plural(one.looks, 'look')}: what would have come after was not seen"
    then, now = one.then.block, one.now.block
    if not one.differs and then is not None and now is not None and then != now:
        yield f"{words.plural(abs(then - now), 'look')} {'sooner' if now < then else 'later'}"


def _side(stand: Stand) -> Side:
    look = "" if stand.block is None else f"at look {stand.block}"
    return Side(MARKS[stand.verdict], stand.sentence, look)


def _link(release: Release, look: int | None = None) -> str:
    return f"/releases/{release.id}" if look is None else f"/releases/{release.id}?look={look}"


def _name(release: Release) -> str:
    key = release.key
    attempt = f", attempt {key.attempt}" if key.attempt > 1 else ""
    return f"{key.revision or 'no revision'}{attempt}"
