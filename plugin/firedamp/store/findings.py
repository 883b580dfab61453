"""Findings of a look, column by column: a column's values resemble one another, and pack well."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from firedamp.model import Arm, Finding, Outcome, Situation, Tier
from firedamp.store.streams import Reader, Writer

#: The columns of a finding in version 1, as written: texts, numbers, then interval and needs.
FINDING_WORDS = (
    "check", "kind", "tier", "outcome", "sentence", "against", "unit", "set_aside", "situation",
)  # fmt: skip
FINDING_NUMBERS = (
    "baseline", "canary", "baseline_n", "canary_n", "effect", "tolerance", "p_value", "alpha", "one_look_p",
    "detectable",
)  # fmt: skip

Value = TypeVar("Value")


def write(writer: Writer, findings: Sequence[Finding]) -> None:
    """Column by column, for a column's values resemble one another."""
    writer.integer(len(findings))
    for column in FINDING_WORDS:
        for finding in findings:
            writer.word(getattr(finding, column))
    for column in FINDING_NUMBERS:
        for finding in findings:
            writer.number(getattr(finding, column))
    for finding in findings:
        low, high = finding.interval or (None, None)
        writer.number(low)
        writer.number(high)
    for finding in findings:
        writer.integer(finding.needs)


def read(reader: Reader) -> tuple[Finding, ...]:
    count = reader.count()
    each = range(count)
    words = [reader.words(count) for _ in FINDING_WORDS]
    numbers = [reader.numbers(count) for _ in FINDING_NUMBERS]
    intervals = [_interval(reader.number(), reader.number()) for _ in each]
    needs = [reader.integer() for _ in each]
    return tuple(
        _finding([column[n] for column in words], [column[n] for column in numbers], intervals[n], needs[n])
        for n in each
    )


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _finding(
    words: Sequence[str | None],
    numbers: Sequence[float | None],
    interval: tuple[float, float] | None,
    needs: int | None,
) -> Finding:
    check, kind, tier, outcome, sentence, against, unit, set_aside, situation = words
    baseline, canary, baseline_n, canary_n, effect, tolerance, p_value, alpha, one_look_p, detectable = (
        numbers
    )
    return Finding(
        check=_text(check),
        kind=_text(kind),
        tier=Tier(_text(tier)),
        outcome=Outcome(_text(outcome)),
        sentence=_text(sentence),
        against=maybe(Arm, against),
        unit=_text(unit),
        baseline=baseline,
        canary=canary,
        baseline_n=required(baseline_n),
        canary_n=required(canary_n),
        effect=effect,
        interval=interval,
        tolerance=tolerance,
        p_value=p_value,
        alpha=alpha,
        one_look_p=one_look_p,
        needs=needs,
        detectable=detectable,
        set_aside=set_aside,
        situation=maybe(Situation, situation),
    )


def _text(word: str | None) -> str:
    if word is None:
        raise ValueError("a word is missing")
    return word


def required(number: float | None) -> float:
    if number is None:
        raise ValueError("a number is missing")
    return number


def maybe(kind: Callable[[str], Value], word: str | None) -> Value | None:
    """A member of an enumeration, by its word; None without one."""
    return None if word is None else kind(word)
