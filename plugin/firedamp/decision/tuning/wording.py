"""What a change of parameters comes to, in words: "errors: tolerance 25 % → 50 %"."""

from collections.abc import Iterator, Mapping

from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning.change import ALPHAS, in_window, tunable

_WORDS = {
    "max_increase": "largest increase",
    "max_decrease": "largest decrease",
    "max": "at most",
    "min": "at least",
    "min_excess": "smallest rise that can be harm",
    "pass_ratio": "passes when a rise is excluded to",
    "pass_excess": "passes when a rise is excluded by",
    "weight": "weight",
    "warm_up": "warm-up",
    "promote_after": "promote after",
    "decide_by": "decide by",
    "alpha_warn": "alpha of warnings",
}
#: Fields that are shares, and those that are durations; the others are numbers, or words.
SHARES = {"tolerance", "max_increase", "max_decrease", "min_excess", "pass_excess", *ALPHAS}
DURATIONS = {"warm_up", "promote_after", "decide_by"}
_UNITS = ((3600, "h"), (60, "min"))


def difference(old: Parameters, new: Parameters) -> tuple[str, ...]:
    """What is other in the new parameters, one line each: checks in their order, then window and alpha."""
    return tuple(_lines(old, new))


def _lines(old: Parameters, new: Parameters) -> Iterator[str]:
    before = {check.name: tunable(check) for check in old.checks}
    after = {check.name: tunable(check) for check in new.checks}
    for name, values in after.items():
        if name not in before:
            yield f"{name}: a new check"
        yield from (f"{name}: {one}" for one in _changes(before.get(name, values), values))
    yield from (f"{name}: no check any more" for name in before if name not in after)
    yield from (f"window: {one}" for one in _changes(in_window(old), in_window(new)))
    yield from _changes(*({name: getattr(one, name) for name in ALPHAS} for one in (old, new)))


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        was, is_now = before.get(name), after.get(name)
        if was != is_now:
            yield f"{called(name)} {shown(name, was)} → {shown(name, is_now)}"


def called(field: str) -> str:
    """What people call a field of a check, of the window, or of the whole."""
    return _WORDS.get(field, field)


def shown(field: str, value: object) -> str:
    """A field's value with its unit, to its last digit: 12.5 %, 1 min 30 s, warn."""
    if value is None:
        return "twice promote after" if field == "decide_by" else "none"
    if not isinstance(value, float | int):
        return str(value)
    if field in SHARES:
        return f"{_digits(100 * value)} %"
    if field in DURATIONS:
        return _spelled(value)
    return f"{_digits(value)}×" if field == "pass_ratio" else _digits(value)


def _digits(number: float) -> str:
    # Ten digits: what people wrote, and nothing of how a float keeps it.
    return f"{number:.10g}"


def _spelled(seconds: float) -> str:
    parts, rest = [], seconds
    for length, unit in _UNITS:
        whole, rest = divmod(rest, length)
        if whole:
            parts.append(f"{whole:.0f} {unit}")
    if rest or not parts:
        parts.append(f"{_digits(rest)} s")
    return " ".join(parts)
