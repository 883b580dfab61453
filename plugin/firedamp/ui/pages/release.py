"""One release with its checks."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Instant, Mark, Shell


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

    shell: Shell
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
