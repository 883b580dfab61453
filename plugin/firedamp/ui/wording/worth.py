"""What verdicts were worth, as a person would say it: how often right, how much was found, by how few."""

from firedamp import words
from firedamp.decision.worth import Portion, Worth

#: Fewer labels than this tell next to nothing, and the page says so.
_FEW = 20


def of_verdicts(worth: Worth) -> tuple[str, ...]:
    """Sentences about a service's verdicts."""
    if not worth.labels:
        return (
            "Nobody has labelled a release of this service yet, so nobody knows how often its verdicts are "
            "right. Label releases on their pages, those that passed as well.",
        )
    return (f"By {_labels(worth)}", *_told(worth, "firedamp"))


def of_check(worth: Worth) -> tuple[str, ...]:
    """Sentences about a check."""
    if not worth.labels:
        return ("No release that it judged has been labelled, so nobody knows how often it is right.",)
    return (f"By {_labels(worth)} Where it was still waiting, it did not fail.", *_told(worth, "it"))


def short(worth: Worth | None) -> str:
    """The same in a cell of a table; "" where nobody labelled."""
    if worth is None or not worth.labels:
        return ""
    right, found = worth.precision, worth.recall
    parts = (
        f"right {right.part} of {right.whole}" if right else "",
        f"found {found.part} of {found.whole}" if found else "",
    )
    return ", ".join(filter(None, parts)) or f"quiet in {worth.spared} that were well"


def _labels(worth: Worth) -> str:
    """How many there are, that they are few, and how sure the bounds are."""
    few = ", which is few" if worth.labels < _FEW else ""
    return f"{words.plural(worth.labels, 'label')}{few}; bounds hold 19 times in 20."


def _told(worth: Worth, who: str) -> tuple[str, ...]:
    right, found = worth.precision, worth.recall
    failed = (
        f"Of {words.plural(right.whole, 'release')} that {who} failed, {_of(right)} harmful."
        if right
        else f"None of the labelled releases was failed by {who}."
    )
    harmful = (
        f"Of {words.plural(found.whole, 'release')} that {_were(found.whole)} harmful, "
        f"{who} failed {_share(found)}."
        if found
        else "No labelled release was harmful."
    )
    return failed, harmful


def _of(portion: Portion) -> str:
    return f"{_share(portion)} {_were(portion.part)}"


def _were(count: int) -> str:
    return "was" if count <= 1 else "were"


def _share(portion: Portion) -> str:
    """4 (80 %; the true share lies between 28 and 99 %)."""
    low, high = portion.interval
    bounds = f"the true share lies between {round(100 * low)} and {round(100 * high)} %"
    if not portion.part:
        return f"none ({bounds})"
    return f"{words.count(portion.part)} ({words.percent(portion.share)}; {bounds})"
