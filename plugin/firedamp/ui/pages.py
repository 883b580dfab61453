"""What the pages show: frozen values of ready text; a template sees one of them and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as a word with a sign; `name` is the stylesheet's class."""

    name: str
    sign: str
    word: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A time for people (`ago`) and for machines (`iso`)."""

    iso: str
    clock: str
    ago: str


@dataclass(frozen=True, slots=True)
class Row:
    """One release in the list."""

    link: str
    mark: Mark
    sentence: str
    service: str
    revision: str
    attempt: int
    state: str
    started: Instant


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of releases."""

    rows: tuple[Row, ...]
    namespace: str
    service: str
    next: str
    twin: str
    url: str
    who: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of a release, values ready to read."""

    name: str
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
    needs: str


@dataclass(frozen=True, slots=True)
class Point:
    """One look in the timeline; `x` places it in the strip."""

    x: int
    block: int
    at: Instant
    mark: Mark
    p_values: str


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the audit trail."""

    at: Instant
    by: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One release."""

    title: str
    mark: Mark
    verdict: str
    sentence: str
    state: str
    facts: tuple[tuple[str, str], ...]
    checks: tuple[CheckRow, ...]
    timeline: tuple[Point, ...]
    recent: tuple[Point, ...]
    width: int
    height: int
    look_width: int
    story: str
    notes: tuple[Note, ...]
    started: Instant
    twin: str
    who: str


@dataclass(frozen=True, slots=True)
class Login:
    """What the login says, and where it leads."""

    message: str
    then: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong."""

    status: int
    sentence: str
    remedy: str
