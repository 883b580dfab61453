"""What people say of a release: what is in force in a sentence, and forms for those who may say more."""

from firedamp.decision import rulings
from firedamp.model import Judged, Outcome, Ruled, Ruling
from firedamp.ui.pages.release import Word, WordForm
from firedamp.ui.wording.seen import Seen
from firedamp.ui.wording.times import instant

_REAL = Word(
    "real",
    "Rule it real",
    "it counts as harm like a critical failure: the next look fails and the rollback gate opens, so the "
    "controller rolls this release back",
)
_FALSE_ALARM = Word(
    "false-alarm",
    "Rule it a false alarm",
    "it withholds this release's pass no longer, and is remembered until the release ends",
)
_WITHDRAW = Word("withdrawn", "Withdraw the ruling", "things stand as the evidence has them")
_LABELS = {
    Judged.TRUE_POSITIVE: Word("true-positive", "It was harmful", "true positive: it was rightly failed"),
    Judged.FALSE_POSITIVE: Word("false-positive", "It was harmless", "false positive: it should have passed"),
    Judged.TRUE_NEGATIVE: Word("true-negative", "It was harmless", "true negative: it was rightly let go on"),
    Judged.FALSE_NEGATIVE: Word("false-negative", "It was harmful", "false negative: harm was missed"),
}
_UNLABEL = Word("withdrawn", "Withdraw the label", "as if nobody had judged the verdict")


def ruled(seen: Seen, check: str) -> str:
    """What is in force of a check, at the look that is shown."""
    found = _in_force(seen, check)
    if found is None:
        return ""
    note = f": {found.note}" if found.note else ""
    return f"ruled {found.word.spoken} by {found.by}, {instant(found.at, seen.now).ago}{note}"


def ruling(seen: Seen, check: str) -> WordForm | None:
    """A form to rule on a check; None where nothing can be said of it, or not by whoever looks."""
    if not seen.may_rule or seen.is_past or seen.parameters is None:
        return None
    before = rulings.in_force(seen.rulings)
    possible = (
        (Ruled.REAL, _REAL),
        (Ruled.FALSE_ALARM, _FALSE_ALARM),
        (Ruled.WITHDRAWN, _WITHDRAW),
    )
    asked = (seen.release, seen.parameters, seen.look, before)
    current = _in_force(seen, check)
    words = tuple(
        one
        for word, one in possible
        if rulings.refusal(word, check, *asked) is None and (current is None or word is not current.word)
    )
    if not words:
        return None
    refused = seen.refused if seen.refused and seen.refused.check == check else None
    return WordForm(
        address=f"{seen.address}/rulings",
        title="Is this warning real?",
        fields=(("check", check),),
        words=words,
        said=ruled(seen, check),
        note=refused.note if refused else "",
        fault=refused.why if refused else "",
    )


def _in_force(seen: Seen, check: str) -> Ruling | None:
    before = seen.look.evidence.block.index if seen.look and seen.is_past else None
    return next((one for one in rulings.in_force(seen.rulings, before) if one.check == check), None)


def labelled(seen: Seen) -> str:
    """How right people say the verdict was."""
    if seen.label is None:
        return ""
    note = f": {seen.label.note}" if seen.label.note else ""
    return f"{seen.label.word.spoken}, by {seen.label.by}, {instant(seen.label.at, seen.now).ago}{note}"


def labelling(seen: Seen) -> WordForm | None:
    """A form to say how right the verdict was, once there is one; None for those who may not."""
    undecided = seen.release.ended is None and seen.release.verdict is Outcome.INCONCLUSIVE
    if not seen.may_rule or seen.is_past or seen.only or undecided:
        return None
    current = seen.label.word if seen.label else None
    words = [
        one
        for word, one in _LABELS.items()
        if word is not current and rulings.mislabelled(word, seen.release) is None
    ]
    refused = seen.refused if seen.refused and not seen.refused.check else None
    return WordForm(
        address=f"{seen.address}/label",
        title="Was the verdict right?",
        fields=(),
        words=(*words, _UNLABEL) if current else tuple(words),
        said=labelled(seen),
        note=refused.note if refused else "",
        fault=refused.why if refused else "",
    )
