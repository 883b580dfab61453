"""One release: its verdict, its checks with all that stands behind them, and its looks."""

from dataclasses import dataclass

from firedamp.ui.pages.evidence import Detail, Scale, Spark
from firedamp.ui.pages.shell import Instant, Link, Mark, Shell


@dataclass(frozen=True, slots=True)
class Word:
    """A button of a form and what pressing it does."""

    value: str
    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class WordForm:
    """
    A form in which a person says one of a few words, with a note.

    Attributes:
        address: where it is sent.
        fields: what goes along unseen.
        said: what is in force already, in a sentence; "" for nothing.
        fault: why it was not taken; the note is given back.
    """

    address: str
    title: str
    fields: tuple[tuple[str, str], ...]
    words: tuple[Word, ...]
    said: str = ""
    note: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """
    One check at the look that is shown, values ready to read.

    Attributes:
        anchor: the section's id; a link to #anchor leads here.
        link: permalink to this check at this look, alone.
        budget: how much of its alpha may be gone.
        ahead: what is missing and when it is expected.
        detail: None where the page has room for no more; then `link` has it.
        unfolded: its charts and pods are open from the start.
        ruled: what a person ruled on it, in a sentence.
        ruling: a form to rule on it, for those who may.
        tune: where it is tuned; "" where the settings do not name it.
    """

    name: str
    anchor: str
    link: str
    kind: str
    tier: str
    mark: Mark
    sentence: str
    against: str
    baseline: str
    canary: str
    baseline_n: str
    canary_n: str
    effect: str
    limit: str
    p_value: str
    alpha: str
    one_look_p: str
    budget: str
    ahead: str
    scale: Scale | None = None
    spark: Spark | None = None
    detail: Detail | None = None
    unfolded: bool = False
    ruled: str = ""
    ruling: WordForm | None = None
    tune: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that say the same, under one heading."""

    anchor: str
    title: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """Something wrong with the data."""

    kind: str
    text: str
    checks: str
    when: str
    grave: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One look in the strip; `link` shows the page as it was then."""

    x: int
    block: int
    link: str
    mark: Mark
    at: Instant
    here: bool


@dataclass(frozen=True, slots=True)
class StepMark:
    """Where the traffic changed, in the strip."""

    x: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """
    The looks, to be gone through.

    Attributes:
        past: an earlier look than the last is shown.
        first, last, here: blocks, for the slider.
        few: there is room for all beside one another.
        links: first, earlier, later, newest; an empty address where there is none.
    """

    points: tuple[Point, ...] = ()
    steps: tuple[StepMark, ...] = ()
    story: str = ""
    width: int = 0
    look_width: int = 0
    few: bool = False
    past: bool = False
    first: int = 0
    last: int = 0
    here: int = 0
    at: Instant | None = None
    address: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the audit trail."""

    at: Instant
    by: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Detailed:
    """
    One release at one of its looks.

    Attributes:
        only: the one check that is shown; "" for all.
        unreadable: why queries and forecasts are missing.
        held: what a person ordered that keeps it from going on; "" for nothing.
        gates: where people order that, with this release in the form.
        may_order: whether whoever looks may, and it would do something.
        glance: what one wants to know beside the verdict, with a name each.
        downloads: the same as JSON and CSV.
        label: how right people say the verdict was, in a sentence.
        labelling: a form to say so, for those who may.
        fault: why what was sent was not taken.
        live: where looks to come are told; "" where an earlier one is shown.
    """

    shell: Shell
    title: str
    mark: Mark
    sentence: str
    state: str
    started: Instant
    address: str
    revision: str
    timeline: Timeline
    groups: tuple[Group, ...] = ()
    doubts: tuple[DoubtRow, ...] = ()
    doubts_left_out: int = 0
    only: str = ""
    unreadable: str = ""
    held: str = ""
    gates: str = ""
    may_order: bool = False
    ahead: tuple[str, ...] = ()
    glance: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()
    downloads: tuple[Link, ...] = ()
    label: str = ""
    labelling: WordForm | None = None
    fault: str = ""
    live: str = ""
