"""When nobody should release."""

from datetime import UTC, datetime, time

import pytest

from firedamp.config import Settings
from firedamp.config.document import parsed
from firedamp.config.freezes import DatedFreeze, WeeklyFreeze
from firedamp.config.load import parse
from firedamp.errors import ConfigError


def freezes(text: str) -> Settings:
    return parse(parsed(f"freezes: [{text}]"), "f.yaml")


def in_force(found: Settings, *at: int, namespace: str = "shop", name: str = "checkout") -> str | None:
    freeze = found.freeze(namespace, name, datetime(*at, tzinfo=UTC).timestamp())
    return freeze.name if freeze else None


NIGHTS = "{name: nights, days: [fri, sat], start: 22:00, end: 6:00}".replace("6:00", "06:00")


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ((2026, 11, 20, 21, 59, 59), False),  # Friday
        ((2026, 11, 20, 22, 0), True),
        ((2026, 11, 21, 5, 59, 59), True),
        ((2026, 11, 21, 6, 0), False),
        ((2026, 11, 21, 23, 0), True),
        ((2026, 11, 22, 3, 0), True),  # Sunday, still Saturday's night
        ((2026, 11, 22, 22, 30), False),
        ((2026, 11, 20, 3, 0), False),  # Friday early: Thursday's night is free
    ],
)
def test_nights_end_on_the_next_day(at, frozen):
    """A weekly freeze over midnight belongs to the day on which it began."""
    assert (in_force(freezes(NIGHTS), *at) == "nights") is frozen


@pytest.mark.parametrize(
    ("at", "frozen"),
    [((2026, 11, 20, 8, 59), False), ((2026, 11, 20, 9, 0), True), ((2026, 11, 20, 17, 0), False)],
)
def test_hours_of_a_day(at, frozen):
    """Start belongs to a freeze and end does not."""
    found = freezes("{name: hours, days: [fri], start: '09:00', end: '17:00'}")

    assert (in_force(found, *at) == "hours") is frozen


@pytest.mark.parametrize(("at", "frozen"), [((2026, 11, 20, 0, 0), True), ((2026, 11, 21, 0, 0), False)])
def test_a_day_without_times_is_the_whole_day(at, frozen):
    """Days alone freeze from midnight to midnight."""
    assert (in_force(freezes("{name: fridays, days: [fri]}"), *at) == "fridays") is frozen


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ((2026, 11, 20, 20, 59), False),  # winter: 21:59 in Berlin
        ((2026, 11, 20, 21, 0), True),
        ((2026, 7, 17, 19, 59), False),  # summer: 21:59 in Berlin
        ((2026, 7, 17, 20, 0), True),
    ],
)
def test_times_of_day_are_local(at, frozen):
    """Ten in the evening in Berlin is another instant in summer than in winter."""
    berlin = NIGHTS.replace("}", ", timezone: Europe/Berlin}")

    assert (in_force(freezes(berlin), *at) == "nights") is frozen


@pytest.mark.parametrize(
    ("at", "frozen"),
    [((2026, 12, 19, 23, 0), True), ((2026, 12, 19, 22, 59), False), ((2026, 12, 27, 0, 0), False)],
)
def test_dates(at, frozen):
    """From one instant to another, each with its own offset."""
    found = freezes("{name: holidays, start: 2026-12-20T00:00:00+01:00, end: 2026-12-27T00:00:00Z}")

    assert isinstance(found.freezes[0], DatedFreeze)
    assert (in_force(found, *at) == "holidays") is frozen


@pytest.mark.parametrize(
    ("scope", "namespace", "name", "frozen"),
    [
        ("", "shop", "checkout", True),
        ("namespaces: [shop]", "shop", "checkout", True),
        ("namespaces: [shop]", "bank", "checkout", False),
        ("services: [checkout]", "bank", "checkout", True),
        ("services: [checkout]", "bank", "ledger", False),
        ("namespaces: [bank], services: [checkout]", "shop", "checkout", False),
    ],
)
def test_a_freeze_concerns_some(scope, namespace, name, frozen):
    """Namespaces and services narrow a freeze; without them it is for all."""
    found = freezes(f"{{name: fridays, days: [fri]{', ' if scope else ''}{scope}}}")

    assert (in_force(found, 2026, 11, 20, namespace=namespace, name=name) == "fridays") is frozen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name: a, start: 2026-12-27T00:00:00Z, end: 2026-12-20T00:00:00Z}", "ends before it starts"),
        ("{name: a, start: 2026-12-20T00:00:00, end: 2026-12-27T00:00:00Z}", "timezone"),
        ("{name: a, days: [fri], timezone: Berlin}", "unknown time zone 'Berlin'; write it like Europe"),
        ("{name: a, days: [fri], timezone: ../x}", "unknown time zone"),
        ("{name: a, days: []}", "at least 1 item"),
        ("{name: a, days: [friday]}", "unknown value 'friday'; did you mean 'fri'"),
        ("{name: a, days: [fri], start: 25:00}", "'25:00' is no time of day; write it like 22:00"),
        ("3", "Input should be"),
    ],
)
def test_a_freeze_that_means_nothing_is_refused(text, message):
    """The message says what would be one."""
    with pytest.raises(ConfigError, match=message):
        freezes(text)


def test_settings_of_settings():
    """Settings made of settings are the same: freezes are told apart as values too."""
    found = freezes(f"{NIGHTS}, {{name: b, start: 2026-12-20T00:00:00Z, end: 2026-12-27T00:00:00Z}}")

    assert Settings(freezes=found.freezes) == found


def test_times_are_values_too():
    """Whoever makes a freeze in code may give times as times."""
    freeze = WeeklyFreeze(name="a", days=("fri",), start=time(9), end=time(17))

    assert (freeze.start, freeze.end) == (time(9), time(17))
