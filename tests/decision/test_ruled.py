"""People's rulings: what they make of answers, and what they leave alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.decision import rulings, session
from firedamp.decision.parameters import Parameters
from firedamp.decision.policy import Case, answer
from firedamp.model import (
    Controller,
    Evidence,
    Finding,
    Look,
    Mode,
    Outcome,
    Question,
    Release,
    ReleaseKey,
    Ruled,
    Ruling,
    Standing,
    Tier,
)

PASS, FAIL, WAIT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
ERRORS = {"name": "errors", "kind": "proportion", "events": "e", "total": "t"}
PARAMETERS = Parameters.model_validate(
    {
        "window": {"promote_after": 600, "decide_by": 1800},
        "checks": [
            ERRORS,
            *({**ERRORS, "name": name, "tier": "warn"} for name in ("p99", "memory", "retries")),
            {**ERRORS, "name": "misses", "tier": "debug"},
        ],
    }
)
RELEASE = Release(
    id=7,
    key=ReleaseKey("shop", "checkout", "abc", 1),
    controller=Controller.FLAGGER,
    started=0.0,
    arms={},
    experiment=False,
    parameters="",
    version="1",
    last_asked=0.0,
)
HEALTHY = Finding("errors", "proportion", Tier.CRITICAL, PASS, "errors: no worse than main")
PASSED, WITHHELD = Standing(judged=1, passed_block=19), Standing(judged=1, withheld_block=19)
FAILED = Standing(failed_block=4, harm="errors: the canary served 16 of the 60 errors")
REAL = Ruling(7, "p99", Ruled.REAL, "anna", 640.0, "customers complain", 20, "p99: 1.4 times main's")
ALARM = replace(REAL, word=Ruled.FALSE_ALARM, note="cold caches")
WITHDRAWN = replace(REAL, word=Ruled.WITHDRAWN, note="", block=30)


def warned(*checks: str, outcome: Outcome = FAIL) -> tuple[Finding, ...]:
    return tuple(Finding(check, "proportion", Tier.WARN, outcome, f"{check}: said") for check in checks)


def look(index: int, standing: Standing, *found: Finding) -> Look:
    standing = replace(standing, elapsed_seconds=30.0 * (index + 1))
    return Look(Evidence(session.block(PARAMETERS, 0.0, index), {}), (HEALTHY, *found), standing, "1")


def case(question: Question, standing: Standing, *found: Finding, **more) -> Case:
    """A question after 12 min 30 s of a release whose critical check is healthy."""
    more = {"release": RELEASE, "mode": Mode.JUDGE} | more
    return Case(question=question, parameters=PARAMETERS, look=look(24, standing, *found), **more)


WORDS = st.builds(
    Ruling,
    st.just(7),
    st.sampled_from(["p99", "memory", "retries"]),
    st.sampled_from(Ruled),
    st.sampled_from(["anna", "sam"]),
    st.floats(0, 1800),
    block=st.integers(0, 40),
)


@given(st.lists(WORDS, max_size=8))
def test_the_newest_word_on_a_check_counts(spoken: list[Ruling]):
    """Whatever was said before is as if it had not been, and what was withdrawn is not said."""
    found = rulings.in_force(spoken)
    last = {ruling.check: ruling for ruling in spoken}

    assert {ruling.check: ruling for ruling in found} == {
        check: ruling for check, ruling in last.items() if ruling.word is not Ruled.WITHDRAWN
    }
    places = [max(at for at, one in enumerate(spoken) if one.check == ruling.check) for ruling in found]
    assert places == sorted(places)


@given(st.lists(WORDS, max_size=8), st.integers(0, 45))
def test_a_word_holds_for_the_blocks_after_it(spoken: list[Ruling], index: int):
    """What was spoken when a block had been judged already does not change where it stood."""
    heard = [ruling for ruling in spoken if ruling.block < index]

    assert rulings.in_force(spoken, before=index) == rulings.in_force(heard)


@given(st.lists(WORDS, max_size=6), st.sampled_from([Standing(), PASSED, WITHHELD, FAILED]))
def test_a_release_judged_again_stands_where_it_stood(spoken: list[Ruling], standing: Standing):
    """At every block, the rulings of those days make of a look what they made of it then."""
    spoken = sorted(spoken, key=lambda ruling: ruling.block)
    looks = [look(index, standing, *warned("p99", "memory")) for index in range(15, 45)]
    then = [
        rulings.standing(one, rulings.in_force([word for word in spoken if word.block < at]))
        for at, one in enumerate(looks, 15)
    ]

    assert [rulings.standing_then(one, spoken) for one in looks] == then


@pytest.mark.parametrize("standing", [Standing(), PASSED, WITHHELD])
@pytest.mark.parametrize("question", list(Question))
@pytest.mark.parametrize("says", list(Outcome))
def test_a_warning_ruled_real_fails_every_question(question, standing, says):
    """Who ruled stands before the sentence, whatever the check has said since, also after a pass."""
    verdict = answer(case(question, standing, *warned("p99", outcome=says), rulings=(REAL,)))

    assert verdict.outcome is verdict.recorded is FAIL
    assert verdict.rollback
    assert verdict.sentence == "ruled real by anna: p99: 1.4 times main's; note: customers complain"


@pytest.mark.parametrize("question", list(Question))
def test_a_first_step_or_a_repeated_one_fails_too(question):
    """A ruling comes before whatever else lets a release go on."""
    for more in ({"first": True}, {"repeated": True}, {"outage": "the source is down", "now": 9999.0}):
        assert answer(case(question, Standing(), rulings=(REAL,), **more)).outcome is FAIL


def test_a_ruling_without_a_note_says_no_note():
    """The sentence ends with what the check said."""
    verdict = answer(case(Question.GUARD, Standing(), rulings=(replace(REAL, note=""),)))

    assert verdict.sentence == "ruled real by anna: p99: 1.4 times main's"


@pytest.mark.parametrize("question", list(Question))
def test_modes_mean_the_same_for_a_ruling_as_for_harm(question):
    """Hold still fails, shadow is rendered by contracts, off stands aside and rolls nothing back."""
    judged = answer(case(question, Standing(), rulings=(REAL,)))
    answered = {mode: answer(case(question, Standing(), rulings=(REAL,), mode=mode)) for mode in Mode}

    assert answered[Mode.HOLD] == replace(judged, mode=Mode.HOLD)
    assert answered[Mode.SHADOW] == replace(judged, mode=Mode.SHADOW)
    assert (answered[Mode.OFF].outcome, answered[Mode.OFF].recorded) == (PASS, FAIL)
    assert not answered[Mode.OFF].rollback


def test_a_release_that_has_ended_is_rolled_back_no_more():
    """It stays failed, and the rollback hook may speak of the next attempt."""
    verdict = answer(case(Question.GUARD, Standing(), release=replace(RELEASE, ended=700.0), rulings=(REAL,)))

    assert verdict.outcome is FAIL
    assert not verdict.rollback


def test_harm_that_was_proven_is_named_first():
    """A ruling adds nothing to what the evidence proves."""
    plain = answer(case(Question.GUARD, FAILED, *warned("p99")))

    assert answer(case(Question.GUARD, FAILED, *warned("p99"), rulings=(REAL,))) == plain


@given(
    st.lists(WORDS, max_size=6), st.sampled_from(Question), st.sampled_from([Standing(), PASSED, WITHHELD])
)
def test_rulings_leave_the_findings_alone(spoken, question, standing):
    """Evidence and findings are what they were, whatever people make of them."""
    asked = case(question, standing, *warned("p99", "memory"))

    assert answer(replace(asked, rulings=rulings.in_force(spoken))).findings == answer(asked).findings


@given(st.lists(WORDS, max_size=6), st.sampled_from(Question), st.sampled_from([Standing(), PASSED]))
def test_false_alarms_alone_change_no_answer_where_nothing_was_withheld(spoken, question, standing):
    """They let a withheld pass go, and pass nothing that the evidence does not."""
    alarms = tuple(one for one in rulings.in_force(spoken) if one.word is Ruled.FALSE_ALARM)
    asked = case(question, standing, *warned("p99", "memory"))

    assert answer(replace(asked, rulings=alarms)).outcome is answer(asked).outcome


def test_warnings_withhold_a_pass_until_somebody_rules():
    """The answer says what people may do, and how long it takes without them."""
    verdict = answer(case(Question.PROMOTE, WITHHELD, *warned("p99", "memory")))

    assert verdict.outcome is WAIT
    assert verdict.sentence == (
        "harm is excluded after 10 min, but warnings withhold the pass until 00:30:00 UTC or until somebody "
        "rules on them; warning: p99, memory failing"
    )


@pytest.mark.parametrize(
    ("failing", "ruled", "outcome"),
    [
        (("p99", "memory"), ("p99",), PASS),
        (("p99", "memory"), ("p99", "memory"), PASS),
        (("p99", "memory", "retries"), ("p99",), WAIT),
        (("p99", "memory", "retries"), ("p99", "retries"), PASS),
        (("p99", "memory"), ("retries",), WAIT),
    ],
)
def test_false_alarms_let_a_withheld_pass_go(failing, ruled, outcome):
    """As soon as fewer than two warnings are left, and not before."""
    alarms = tuple(replace(ALARM, check=check) for check in ruled)

    assert answer(case(Question.PROMOTE, WITHHELD, *warned(*failing), rulings=alarms)).outcome is outcome


def test_a_false_alarm_is_named_where_it_matters():
    """The pass says which failure was taken for none, and by whom."""
    verdict = answer(case(Question.PROMOTE, WITHHELD, *warned("p99", "memory"), rulings=(ALARM,)))

    assert verdict.sentence == (
        "harm is excluded after 10 min: errors: no worse than main; warning: memory failing; "
        "p99 fails, a false alarm says anna"
    )


def test_a_false_alarm_about_what_no_longer_fails_is_not_named():
    """The sentence speaks of what is; the ruling is kept for when it fails again."""
    calm = answer(case(Question.GUARD, PASSED, *warned("p99", outcome=PASS), rulings=(ALARM,)))
    again = answer(case(Question.GUARD, PASSED, *warned("p99"), rulings=(ALARM,)))

    assert calm.sentence == "no harm found, and it was excluded earlier"
    assert again.sentence == f"{calm.sentence}; p99 fails, a false alarm says anna"


def refused(word: Ruled = Ruled.REAL, check: str = "p99", **more) -> str | None:
    given = {"release": RELEASE, "look": look(24, Standing(), *warned("p99")), "rulings": ()} | more
    return rulings.refusal(word, check, parameters=PARAMETERS, **given)


@pytest.mark.parametrize("word", [Ruled.REAL, Ruled.FALSE_ALARM])
def test_a_failing_warn_check_may_be_ruled_on(word):
    """Also again, by somebody who thinks better of it."""
    assert refused(word) is None
    assert refused(word, rulings=(REAL,)) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"release": replace(RELEASE, ended=700.0, outcome="promoted")},
            "shop/checkout@abc#1 has ended (promoted): only a running release is ruled on; label it instead",
        ),
        (
            {"check": "p98"},
            "shop/checkout@abc#1 has no check 'p98': it has errors, p99, memory, retries, misses",
        ),
        (
            {"check": "errors"},
            "check 'errors' is of the critical tier: only warn checks are ruled on; "
            "its failure rolls back by itself",
        ),
        (
            {"check": "misses"},
            "check 'misses' is of the debug tier: only warn checks are ruled on; "
            "its failure is only recorded; make it a warn check in the settings",
        ),
        (
            {"look": look(24, Standing(), *warned("p99", outcome=WAIT))},
            "check 'p99' says inconclusive: only a failing check is ruled on; wait until it fails",
        ),
        (
            {"look": None},
            "check 'p99' says nothing yet: only a failing check is ruled on; wait until it fails",
        ),
        (
            {"word": Ruled.WITHDRAWN},
            "nobody's ruling on check 'p99' is in force: there is none to withdraw",
        ),
    ],
)
def test_what_is_not_ruled_on_is_said(changed, sentence):
    """Value, what is allowed, and the remedy."""
    assert refused(**changed) == sentence


def test_a_ruling_may_be_withdrawn_though_the_check_no_longer_fails():
    """Undoing needs no failure, only a word to undo."""
    calm = look(24, Standing(), *warned("p99", outcome=PASS))

    assert refused(Ruled.WITHDRAWN, look=calm, rulings=(ALARM,)) is None
    assert rulings.in_force([REAL, WITHDRAWN]) == ()
