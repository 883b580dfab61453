"""The page of tuning in words: values as they are typed, whose they are, and what a preview says so far."""

from dataclasses import replace

import pytest

from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change, Compared, Incomparable, Stand
from firedamp.errors import UnsuitedError
from firedamp.judge.previews import Preview
from firedamp.judge.tuned import history, tuned
from firedamp.model import Judged, Label, Outcome
from firedamp.ports import Override
from firedamp.ui.pages.shell import Shell
from firedamp.ui.pages.tune import Field, Tune
from firedamp.ui.pages.tune import Outcome as PageOutcome
from firedamp.ui.wording import previews, tune
from firedamp.ui.wording.tuned_values import Values, WrongError, change, typed
from pasts import errors, parameters, release

LATENCY = {"name": "latency", "kind": "distribution", "histogram": "h", "tier": "warn"}
WRITTEN = parameters(errors(tolerance=0.3), LATENCY)
NAMES = ("shop", "checkout")
FAILED = Stand(Outcome.FAIL, 8, "errors: 3 % against 1 %")
UNDECIDED = Stand(Outcome.INCONCLUSIVE, None, "errors: no proof of harm", unseen=True)
PASSED = Stand(Outcome.PASS, 24, "harm is excluded")


def wanted(fields: dict[str, str], draft: Change | None = None, check: str = "errors") -> Change:
    return change(draft or Change(), WRITTEN, check, fields)


def overridden(*bodies: str) -> tuple[Override, ...]:
    """Versions of these changes, the newest first, a day apart."""
    found = [
        Override(*NAMES, version, f"user-{version}", 86400.0 * version, f"note {version}", body)
        for version, body in enumerate(bodies, start=1)
    ]
    return tuple(found[::-1])


def drawn(found: Parameters = WRITTEN, *bodies: str, **more: object) -> Tune:
    """The page of these versions as a tuner sees it, ten days after the epoch."""
    told = history(found, overridden(*bodies))
    what = tune.Drawn(**{"draft": told.now.change, **more})
    return tune.page(Shell("Tune"), NAMES, told, what, closed_to="", export="services:\n", now=864000.0)


def field(page: Tune, label: str) -> Field:
    return next(one for group in page.groups for one in group.fields if one.label == label)


# ── values ──


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("tolerance", 0.25, "25%"),
        ("min_excess", 0.001, "0.1%"),
        ("pass_ratio", 2.0, "2"),
        ("warm_up", 90.0, "1m30s"),
        ("warm_up", 45.0, "45s"),
        ("warm_up", 0.0, "0s"),
        ("decide_by", 5400.0, "1h30m"),
        ("decide_by", None, ""),
        ("alpha", 0.02, "2%"),
    ],
)
def test_a_value_stands_in_its_field_as_it_may_be_typed(name, value, text):
    """What is drawn is what the settings take."""
    assert typed(name, value) == text


def test_a_form_that_is_sent_as_it_was_drawn_changes_nothing():
    """Every field of it, to the last digit."""
    odd = parameters(errors(tolerance=1 / 3, weight=0.1 + 0.2), LATENCY, window={"promote_after": 611.7})
    values = Values.of(odd, "errors")
    fields = {name: values.text(name) for name in values.named}

    assert change(Change(), odd, "errors", fields).is_empty


def test_what_is_typed_is_other_than_in_the_settings():
    """Of the check in the form, of the window and of the whole."""
    found = wanted({"tolerance": "50 %", "weight": "2", "tier": "warn", "warm_up": "1m", "alpha": "0.01"})

    assert found.checks["errors"].given() == {"tolerance": 0.5, "weight": 2.0, "tier": "warn"}
    assert (found.window.warm_up, found.alpha) == (60.0, 0.01)


def test_an_empty_field_goes_back_to_the_settings():
    """Also where the draft said something else of it, and nothing else of the draft is lost."""
    draft = Change.model_validate({"checks": {"errors": {"tolerance": 0.5}, "latency": {"weight": 2}}})

    found = wanted({"tolerance": ""}, draft)

    assert list(found.checks) == ["latency"]


def test_what_is_not_in_the_form_is_as_in_the_draft():
    """A step of a preview sends the draft alone."""
    draft = Change.model_validate({"checks": {"errors": {"tolerance": 0.5}}, "alpha": 0.01})

    assert wanted({}, draft) == draft


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("tolerance", "lots", "'lots' is no share; write it like 20% or 0.2"),
        ("tolerance", "20000%", "'20000%' is too much: at most 10000 % is allowed; write less"),
        ("pass_ratio", "many", "'many' is no number; write it like 2 or 0.5"),
        ("pass_ratio", "1", "'1×' is too little: only more than 1× is allowed; write more"),
        ("weight", "0", "'0' is too little: only more than 0 is allowed; write more"),
        ("weight", "inf", "'inf' is no number; write it like 2 or 0.5"),
        ("weight", "9" * 50, "it has 50 characters, 40 are allowed; shorten it"),
        ("tier", "fatal", "it is none of these; choose one"),
        ("warm_up", "soon", "'soon' is no duration; write it like 90s, 30m or 1h30m"),
        ("promote_after", "99d", "'99d' is too much: at most 720 h is allowed; write less"),
        ("alpha", "50%", "'50%' is too much: at most 20 % is allowed; write less"),
    ],
)
def test_a_value_that_cannot_be_is_told_beside_its_field(name, text, fault):
    """With what was typed, what is allowed, or how it is written."""
    with pytest.raises(WrongError) as wrong:
        wanted({name: text})

    assert wrong.value.faults == {name: fault}


def test_all_faults_are_told_at_once():
    """Nobody mends a form one field at a time."""
    with pytest.raises(WrongError) as wrong:
        wanted({"tolerance": "lots", "weight": "heavy", "alpha": "50%"})

    assert set(wrong.value.faults) == {"tolerance", "weight", "alpha"}


def test_values_that_do_not_go_together_are_refused_in_words():
    """No field alone is wrong."""
    with pytest.raises(UnsuitedError, match="needs warm_up < promote_after"):
        wanted({"warm_up": "15m"})


# ── whose values ──


def test_a_value_tells_whose_it_is():
    """Nobody's but ours, the settings', or the person's who tuned it, and since which version."""
    page = drawn(WRITTEN, '{"alpha":0.01}', '{"alpha":0.01,"checks":{"errors":{"weight":2.0}}}')

    assert field(page, "Pass ratio").origin == "as shipped"
    assert field(page, "Tolerance").origin == "by the settings; shipped: 25 %"
    assert field(page, "Weight").origin == "tuned by user-2, version 2, 8 d ago; settings: 1; shipped: 1"
    assert field(page, "Alpha").origin == "tuned by user-1, version 1, 9 d ago; settings: 2 %; shipped: 2 %"


def test_the_form_shows_the_draft_and_what_is_in_force_beside_it():
    """So that a change can be seen before it is saved."""
    page = drawn(WRITTEN, draft=Change.model_validate({"checks": {"errors": {"tolerance": 0.5}}}))

    assert (field(page, "Tolerance").entry.value, field(page, "Tolerance").now) == ("50%", "30 %")


def test_the_state_is_said_in_a_sentence():
    """Nobody, as in the settings again, or what is other."""
    back = drawn(WRITTEN, '{"alpha":0.01}', "")
    other = drawn(WRITTEN, '{"alpha":0.01}')

    assert drawn().state == "Nobody has tuned it: every value is the settings'."
    assert back.state == "As in the settings, since version 2, by user-2, 8 d ago."
    assert other.state == "Other than in the settings (version 1, by user-1, 9 d ago): alpha 2 % → 1 %."


def test_versions_can_be_gone_back_to():
    """All but the one in force, and the settings where that is another one."""
    page = drawn(WRITTEN, '{"alpha":0.01}', '{"alpha":0.005}')

    assert [(one.number, one.in_force, bool(one.back)) for one in page.versions] == [
        (2, True, False),
        (1, False, True),
    ]
    assert dict(page.versions[1].back) == {
        "draft": '{"alpha":0.01}',
        "based_on": "2",
        "note": "back to version 1",
    }
    assert dict(page.back)["draft"] == "{}"
    assert drawn(WRITTEN, '{"alpha":0.01}', "").back == ()


def test_what_fits_no_more_is_said_and_can_be_taken_back():
    """Nothing of it is followed; going back to the settings is offered."""
    page = drawn(WRITTEN, '{"checks":{"gone":{"weight":2.0}}}')

    assert "does not fit the settings any more" in page.misfit
    assert "'gone'" in page.misfit
    assert page.back
    assert not any(one.in_force for one in page.versions)


def test_a_version_of_another_firedamp_cannot_be_gone_back_to():
    """It is listed with what its note says."""
    page = drawn(WRITTEN, "of another version", '{"alpha":0.01}')

    assert page.versions[1].back == ()
    assert page.versions[1].note == "note 1"


def test_a_service_without_checks_has_the_whole_to_tune():
    """Window and alpha, and no check to choose."""
    page = drawn(Parameters())

    assert [group.title for group in page.groups] == ["When it is judged", "How sure it must be"]
    assert (page.check, page.checks, page.lines) == ("", (), ())


def test_whoever_may_not_tune_sees_no_fields():
    """And nothing to go back to."""
    told = history(WRITTEN, overridden('{"alpha":0.01}', '{"alpha":0.005}'))

    page = tune.page(
        Shell("Tune"), NAMES, told, tune.Drawn(), closed_to="Your role looks.", export="", now=0.0
    )

    assert (page.groups, page.back, [one.back for one in page.versions]) == ((), (), [(), ()])
    assert page.lines


# ── previews ──


def compared(then: Stand, now: Stand, number: int = 1) -> Compared:
    return Compared(replace(release(f"v{number}", WRITTEN), id=number), 9, then, now, "")


def told(preview: Preview, labels: dict[int, Label] | None = None) -> PageOutcome:
    asked = previews.Asked(tuned(WRITTEN, None), Change.model_validate({"alpha": 0.01}), labels=labels or {})
    return previews.outcome(asked, preview, 864000.0)


def test_a_preview_counts_what_differs_and_what_people_said_of_it():
    """Labels tell whether the failures that would vanish were false alarms."""
    both = (compared(FAILED, UNDECIDED), compared(FAILED, UNDECIDED, 2), compared(PASSED, PASSED, 3))
    label = Label(1, Judged.FALSE_POSITIVE, "anna", 1.0)

    found = told(Preview(3, both, over=True), {1: label})

    assert found.sentence == "2 of 3 verdicts differ: 1 labelled false positive."
    assert [row.label for row in found.rows] == ["labelled false positive", ""]
    assert found.difference == ("alpha 2 % → 1 %",)


def test_a_row_leads_to_the_look_where_the_ways_part():
    """The first at which either way was decided."""
    later, sooner = told(
        Preview(2, (compared(FAILED, UNDECIDED), compared(PASSED, FAILED, 2)), over=True)
    ).rows

    assert (later.link, sooner.link) == ("/releases/1?look=8", "/releases/2?look=8")
    assert later.note == "it ended after 9 looks: what would have come after was not seen"
    assert (later.then.mark.word, later.then.look, later.now.mark.word) == ("fail", "at look 8", "undecided")


def test_the_same_verdict_sooner_or_later_is_told():
    """It is no other verdict, but another time."""
    [row] = told(Preview(1, (compared(PASSED, replace(PASSED, block=20)),), over=True)).same

    assert (row.link, row.note) == ("/releases/1", "4 looks sooner")


def test_a_preview_says_how_far_it_is():
    """Newest first, and what is sent to go on; nothing more where all were judged."""
    halfway = told(Preview(4, (compared(PASSED, PASSED),), (Incomparable(release("old", WRITTEN), "old"),)))
    whole = told(Preview(1, (compared(PASSED, PASSED),), over=True))

    assert halfway.progress == "Judged 2 of 4 so far, the newest first."
    assert dict(halfway.going_on)["draft"] == '{"alpha":0.01}'
    assert (whole.progress, whole.going_on) == ("", ())


def test_a_preview_without_time_says_so():
    """It does not go on by itself any more."""
    some = told(Preview(3, (compared(PASSED, PASSED),), over=True))
    none = told(Preview(3, over=True))

    assert some.progress == "Judged 1 of 3, the newest first; for the others there was no time."
    assert none.progress.startswith("There was no time: a preview may take 30 s")
    assert (some.going_on, none.going_on) == ((), ())


def test_a_preview_of_nothing_says_so():
    """No release, or none that can be compared."""
    aside = Incomparable(replace(release("old", WRITTEN), id=7), "it had no check 'errors' yet")

    assert told(Preview(0, over=True)).sentence.startswith("No release has been judged yet")
    found = told(Preview(1, (), (aside,), over=True))
    assert found.sentence == "No verdict could be compared."
    assert [(one.link, one.reason) for one in found.aside] == [("/releases/7", aside.reason)]
