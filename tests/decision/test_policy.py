"""The policy: what every question gets, wherever a release stands."""

import itertools
from dataclasses import replace

import pytest

from firedamp.decision import session
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
    Resort,
    Situation,
    Standing,
    Tier,
    Verdict,
)

START = 1_700_000_000.0
PARAMETERS = Parameters()  # promote after 30 min, decide by 60 min, advance after 5 min, by 15 min
WINDOW = PARAMETERS.window
GUARD, ADVANCE, PROMOTE = Question.GUARD, Question.ADVANCE, Question.PROMOTE
PASS, FAIL, WAIT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
HARM = "errors: the canary served 16 of the 60 errors"
RELEASE = Release(
    id=7,
    key=ReleaseKey("shop", "checkout", "abc", 1),
    controller=Controller.ARGO,
    started=START,
    arms={},
    experiment=False,
    parameters="",
    version="1",
    last_asked=START,
    step_since=START,
)


def finding(outcome: Outcome = WAIT, check: str = "errors", tier: Tier = Tier.CRITICAL, **more) -> Finding:
    return Finding(check, "proportion", tier, outcome, f"{check}: said", **more)


def case(question: Question, minutes: float, *found: Finding, **more) -> Case:
    """A question so many minutes after the start, with every block judged."""
    index = round(minutes * 60 / WINDOW.look) - 1
    standing = more.pop("standing", Standing())
    judged = sum(
        minutes * 60 >= session.judgement_after(WINDOW.promote_after, WINDOW.deadline_seconds, times)
        for times in range(session.JUDGEMENTS)
    )
    standing = replace(standing, elapsed_seconds=minutes * 60, judged=judged)
    evidence = Evidence(session.block(PARAMETERS, START, index), {})
    look = Look(evidence, found or (finding(),), standing, "1") if minutes else None
    release = more.pop("release", RELEASE)
    return Case(
        question=question,
        release=release,
        parameters=more.pop("parameters", PARAMETERS),
        look=look,
        mode=more.pop("mode", Mode.JUDGE),
        **more,
    )


def resorts(resort: Resort) -> Parameters:
    return Parameters.model_validate({"policy": {situation.value: resort.value for situation in Situation}})


FAILED = Standing(failed_block=6, harm=HARM)
PASSED = Standing(passed_block=59)
SEEN = Standing(detectable=4.0)
BLUNT = Standing(detectable=9.0)


@pytest.mark.parametrize(
    ("question", "minutes", "standing", "outcome"),
    [
        # guard: anything but proven harm lets the release go on
        (GUARD, 0, Standing(), WAIT),
        (GUARD, 10, Standing(), WAIT),
        (GUARD, 90, Standing(), WAIT),
        (GUARD, 40, PASSED, PASS),
        (GUARD, 10, FAILED, FAIL),
        # advance: after five minutes when enough was seen, else after fifteen
        (ADVANCE, 0, Standing(), WAIT),
        (ADVANCE, 4, SEEN, WAIT),
        (ADVANCE, 5, SEEN, PASS),
        (ADVANCE, 5, BLUNT, WAIT),
        (ADVANCE, 14.5, BLUNT, WAIT),
        (ADVANCE, 14.5, Standing(), WAIT),
        (ADVANCE, 15, BLUNT, PASS),
        (ADVANCE, 15, Standing(), PASS),
        (ADVANCE, 90, Standing(), PASS),
        (ADVANCE, 90, PASSED, PASS),
        (ADVANCE, 10, FAILED, FAIL),
        # promote: the pass rule, then the policy (hold by default)
        (PROMOTE, 0, Standing(), WAIT),
        (PROMOTE, 29.5, SEEN, WAIT),
        (PROMOTE, 30, Standing(), WAIT),
        (PROMOTE, 30, PASSED, PASS),
        (PROMOTE, 60, Standing(), WAIT),
        (PROMOTE, 90, PASSED, PASS),
        (PROMOTE, 10, FAILED, FAIL),
        (PROMOTE, 90, replace(PASSED, failed_block=80, harm=HARM), FAIL),
    ],
)
def test_what_each_question_gets(question, minutes, standing, outcome):
    """The table of the three kinds of question, for a service that is judged."""
    verdict = answer(case(question, minutes, standing=standing))

    assert verdict.outcome is outcome
    assert verdict.recorded is outcome
    assert verdict.rollback is (outcome is FAIL)


@pytest.mark.parametrize("standing", [Standing(), SEEN, PASSED, FAILED])
@pytest.mark.parametrize("question", list(Question))
@pytest.mark.parametrize("minutes", [0, 4, 20, 90])
def test_shadow_changes_no_answer(question, minutes, standing):
    """Shadow is for the contracts to render: what is found is what a judge would say."""
    judged = answer(case(question, minutes, standing=standing))
    shadowed = answer(case(question, minutes, standing=standing, mode=Mode.SHADOW))

    assert shadowed == replace(judged, mode=Mode.SHADOW)


@pytest.mark.parametrize("standing", [Standing(), SEEN, PASSED, FAILED])
@pytest.mark.parametrize("question", list(Question))
@pytest.mark.parametrize("minutes", [0, 4, 20, 90])
def test_off_stands_aside(question, minutes, standing):
    """Off passes everything, says so, rolls nothing back and records what it would have said."""
    judged = answer(case(question, minutes, standing=standing))
    verdict = answer(case(question, minutes, standing=standing, mode=Mode.OFF))

    assert verdict.outcome is PASS
    assert verdict.recorded is judged.outcome
    assert not verdict.rollback
    assert "(mode off)" in verdict.sentence


@pytest.mark.parametrize("standing", [Standing(), SEEN, PASSED])
@pytest.mark.parametrize("question", [ADVANCE, PROMOTE])
@pytest.mark.parametrize("minutes", [0, 4, 20, 90])
def test_hold_keeps_advance_and_promote_undecided(question, minutes, standing):
    """A freeze holds both, says why, and records what would have been answered."""
    judged = answer(case(question, minutes, standing=standing))
    verdict = answer(
        case(question, minutes, standing=standing, mode=Mode.HOLD, held="freeze 'holidays' is in force")
    )

    assert verdict.outcome is WAIT
    assert verdict.recorded is judged.outcome
    assert verdict.sentence == "held: freeze 'holidays' is in force"


def test_hold_has_a_reason_of_its_own():
    """Without a freeze or a person the mode is the reason."""
    assert answer(case(PROMOTE, 40, mode=Mode.HOLD)).sentence == "held: the service is in mode hold"


@pytest.mark.parametrize("question", list(Question))
def test_hold_still_fails(question):
    """Proven harm is acted on in a freeze too."""
    verdict = answer(case(question, 10, standing=FAILED, mode=Mode.HOLD))

    assert verdict.outcome is FAIL
    assert verdict.rollback
    assert verdict.mode is Mode.HOLD


def test_hold_lets_a_guard_go_on():
    """A freeze does not stop what is already under way."""
    assert answer(case(GUARD, 10, mode=Mode.HOLD)).sentence == "go on: errors: said"


ORDER = "alice ordered to roll back: refunds fail"


@pytest.mark.parametrize("mode", [Mode.JUDGE, Mode.HOLD, Mode.SHADOW])
@pytest.mark.parametrize("standing", [Standing(), SEEN, PASSED, FAILED])
@pytest.mark.parametrize("question", list(Question))
@pytest.mark.parametrize("minutes", [0, 4, 20, 90])
def test_an_order_to_roll_back_fails_every_question(question, minutes, standing, mode):
    """Who gave it and why stand first; what was judged is told after it, and recorded."""
    judged = answer(case(question, minutes, standing=standing))
    verdict = answer(case(question, minutes, standing=standing, mode=mode, ordered=ORDER))

    assert verdict.outcome is FAIL
    assert verdict.rollback
    assert verdict.recorded is judged.outcome
    assert verdict.sentence == f"{ORDER}; the evidence alone says: {judged.sentence}"


@pytest.mark.parametrize(
    ("mode", "told"), [(Mode.JUDGE, Mode.JUDGE), (Mode.HOLD, Mode.HOLD), (Mode.SHADOW, Mode.JUDGE)]
)
def test_an_order_is_no_verdict_that_a_shadow_hides(mode, told):
    """Contracts let everything of mode shadow pass; a person's word counts there as well."""
    assert answer(case(GUARD, 10, mode=mode, ordered=ORDER)).mode is told


@pytest.mark.parametrize("more", [{"first": True}, {"repeated": True}, {"outage": "down", "now": 9e9}])
def test_an_order_comes_before_whatever_lets_a_release_go_on(more):
    """A first step, a repeated one and an outage change nothing about it."""
    assert answer(case(ADVANCE, 4, ordered=ORDER, **more)).outcome is FAIL


@pytest.mark.parametrize("question", list(Question))
def test_off_stands_aside_for_an_order_too(question):
    """The kill switch is a person's word as well, and the stricter one."""
    verdict = answer(case(question, 10, mode=Mode.OFF, ordered=ORDER))

    assert verdict == answer(case(question, 10, mode=Mode.OFF))


OBSTACLES = [Situation.NO_TRAFFIC, Situation.NO_DATA, Situation.SOURCE_DOWN]
ANSWERS = {Resort.HOLD: WAIT, Resort.FAIL: FAIL, Resort.PASS: PASS}


@pytest.mark.parametrize("resort", list(Resort))
@pytest.mark.parametrize("situation", OBSTACLES)
def test_the_policy_speaks_for_a_promotion_once_it_would_be_judged(situation, resort):
    """What cannot be told is waited for until promote-after; then the service's own policy answers."""
    stuck = finding(situation=situation, set_aside="why")
    before = answer(case(PROMOTE, 29.5, stuck, parameters=resorts(resort)))
    after = answer(case(PROMOTE, 30, stuck, parameters=resorts(resort)))

    assert before.outcome is WAIT
    assert before.expected is not None
    assert after.outcome is ANSWERS[resort]
    assert not after.rollback


@pytest.mark.parametrize("resort", list(Resort))
@pytest.mark.parametrize("situation", OBSTACLES)
def test_the_policy_speaks_for_more_traffic_at_advance_by(situation, resort):
    """A canary that nobody sees gets more traffic by the service's policy only."""
    stuck = finding(situation=situation, set_aside="why")
    before = answer(case(ADVANCE, 14.5, stuck, parameters=resorts(resort)))
    after = answer(case(ADVANCE, 15, stuck, parameters=resorts(resort)))

    assert before.outcome is WAIT
    assert after.outcome is ANSWERS[resort]


@pytest.mark.parametrize("resort", list(Resort))
def test_the_policy_speaks_when_the_window_is_over(resort):
    """At decide-by, neither harm nor its absence proven."""
    before = answer(case(PROMOTE, 59.5, parameters=resorts(resort)))
    after = answer(case(PROMOTE, 60, parameters=resorts(resort)))

    assert before.outcome is WAIT
    assert after.outcome is ANSWERS[resort]
    assert "the window is over, neither harm nor its absence is proven: errors: said" in after.sentence


@pytest.mark.parametrize("resort", list(Resort))
def test_the_end_of_the_window_does_not_stop_a_canary_on_its_way(resort):
    """More traffic is not refused because the release takes longer than its window."""
    assert answer(case(ADVANCE, 90, parameters=resorts(resort))).outcome is PASS


@pytest.mark.parametrize("resort", list(Resort))
@pytest.mark.parametrize("situation", OBSTACLES)
def test_a_guard_knows_no_policy(situation, resort):
    """A guard stops proven harm and nothing else."""
    assert answer(case(GUARD, 90, finding(situation=situation), parameters=resorts(resort))).outcome is WAIT


def test_the_worst_obstacle_counts():
    """Where one check has no traffic and another no source, the source is what to mend first."""
    found = finding(situation=Situation.NO_TRAFFIC), finding(situation=Situation.SOURCE_DOWN, check="other")

    assert answer(case(PROMOTE, 40, *found)).sentence.startswith("a source does not answer: ")


def test_only_critical_checks_are_obstacles():
    """A warn check without data holds nothing up."""
    found = finding(PASS), finding(situation=Situation.NO_DATA, tier=Tier.WARN, check="memory")

    assert answer(case(ADVANCE, 20, *found)).outcome is PASS


@pytest.mark.parametrize(
    ("situation", "minutes", "outcome"),
    [
        (Situation.NO_DATA, 40, WAIT),
        (Situation.NO_DATA, 60, FAIL),
        (Situation.NO_TRAFFIC, 60, FAIL),
        (Situation.SOURCE_DOWN, 60, WAIT),
        (None, 59.5, WAIT),
        (None, 60, FAIL),
    ],
)
def test_an_experiment_always_ends(situation, minutes, outcome):
    """An experiment that ends inconclusive starts again for ever: at decide-by not proven is a failure."""
    verdict = answer(
        case(PROMOTE, minutes, finding(situation=situation), release=replace(RELEASE, experiment=True))
    )

    assert verdict.outcome is outcome
    assert not verdict.rollback
    assert verdict.sentence.startswith("not proven: ") is (outcome is FAIL)


def test_an_experiment_s_policy_goes_first():
    """Where the service says pass, an unproven experiment passes."""
    experiment = replace(RELEASE, experiment=True)

    assert answer(case(PROMOTE, 60, release=experiment, parameters=resorts(Resort.PASS))).outcome is PASS


OUTAGE = "the metric source 'main' took longer than 8 s"


@pytest.mark.parametrize("question", list(Question))
def test_an_outage_is_named(question):
    """While no look can be taken every undecided answer says why, and nothing is promised for a time."""
    verdict = answer(case(question, 4, outage=OUTAGE))

    assert verdict.outcome is WAIT
    assert f"cannot judge now, {OUTAGE}" in verdict.sentence
    assert verdict.expected is None


def test_more_traffic_is_not_given_blindly():
    """What was seen before an outage is no ground to advance during it."""
    assert answer(case(ADVANCE, 10, standing=SEEN, outage=OUTAGE)).outcome is WAIT


@pytest.mark.parametrize("resort", list(Resort))
@pytest.mark.parametrize(("question", "waited"), [(PROMOTE, 26 * 60), (ADVANCE, 11 * 60)])
def test_an_outage_ends_by_the_policy_too(question, waited, resort):
    """Blocks do not come while the source is down, so the time of the question counts."""
    asked = case(question, 4, outage=OUTAGE, parameters=resorts(resort))

    assert answer(replace(asked, now=asked.at + waited - 1)).outcome is WAIT
    assert answer(replace(asked, now=asked.at + waited)).outcome is ANSWERS[resort]


def test_an_outage_takes_nothing_back():
    """What failed has failed and what passed has passed, whether or not the source answers now."""
    assert answer(case(PROMOTE, 40, standing=PASSED, outage=OUTAGE)).outcome is PASS
    assert answer(case(PROMOTE, 40, standing=FAILED, outage=OUTAGE)).outcome is FAIL


def test_a_step_begins_when_it_is_told():
    """Five minutes count from the step's own beginning."""
    later = replace(RELEASE, step_since=START + 10 * 60)

    assert answer(case(ADVANCE, 14, standing=SEEN, release=later)).outcome is WAIT
    assert answer(case(ADVANCE, 15, standing=SEEN, release=later)).outcome is PASS


def test_the_first_step_needs_no_evidence():
    """Flagger asks before the canary's first request."""
    verdict = answer(case(ADVANCE, 0, first=True))

    assert verdict.outcome is PASS
    assert verdict.sentence == "the canary has no traffic yet; the first step may begin"


def test_a_repeated_question_gets_the_same_answer():
    """An advance passed a moment ago is passed again, though its step has just begun."""
    again = replace(RELEASE, step_since=START + 10 * 60, advanced_block=19)

    assert answer(case(ADVANCE, 10, standing=SEEN, release=again, repeated=True)).outcome is PASS


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (case(GUARD, 0), "go on: collecting evidence; the first look is due at 22:13:50 UTC"),
        (case(GUARD, 40, standing=PASSED), "no harm found, and it was excluded earlier"),
        (case(GUARD, 10, standing=FAILED), f"{HARM}; found after 3 min 30 s"),
        (case(ADVANCE, 3), "2 min more in this traffic step: errors: said"),
        (
            case(ADVANCE, 6, standing=BLUNT),
            "no harm found; a rise to 9.00× would have been noticed; "
            "waiting for more evidence, 9 min at most: errors: said",
        ),
        (case(ADVANCE, 6, standing=SEEN), "no harm found; a rise to 4.00× would have been noticed"),
        (
            case(ADVANCE, 15, standing=Standing(detectable=float("inf"))),
            "no harm found, but too little was seen to say what could have been noticed",
        ),
        (
            case(PROMOTE, 31, finding(PASS), finding(PASS, "latency"), standing=PASSED),
            "harm is excluded after 30 min: errors: said (and 1 more check)",
        ),
        (case(PROMOTE, 31, finding(), standing=PASSED), "harm is excluded after 30 min"),
        (case(PROMOTE, 10, finding(PASS)), "errors: said; judged at 22:43:20 UTC"),
        (
            case(PROMOTE, 10, finding(needs=10), finding(needs=900, check="latency")),
            "latency: said (1 more check waiting)",
        ),
        (
            case(PROMOTE, 10, finding(needs=900), finding(set_aside="why", check="latency")),
            "latency: said (1 more check waiting)",
        ),
        (
            case(PROMOTE, 10, finding(PASS, tier=Tier.WARN)),
            "no critical check is set up, so nothing can be proven; judged at 22:43:20 UTC",
        ),
        (
            case(PROMOTE, 60),
            "the window is over, neither harm nor its absence is proven: errors: said; "
            "a person must decide, or set policy.window_over",
        ),
        (
            case(PROMOTE, 60, finding(PASS), parameters=resorts(Resort.FAIL)),
            "by the service's policy, the window is over, neither harm nor its absence is proven: "
            "errors: said; judged no more, the service's policy decides",
        ),
        (
            case(PROMOTE, 40, finding(situation=Situation.NO_TRAFFIC)),
            "one of the versions gets no requests: errors: said; "
            "a person must decide, or set policy.no_traffic",
        ),
        (
            case(PROMOTE, 40, finding(needs=9), finding(check="flow", situation=Situation.NO_TRAFFIC)),
            "one of the versions gets no requests: flow: said; "
            "a person must decide, or set policy.no_traffic",
        ),
        (
            case(PROMOTE, 40, outage=OUTAGE),
            f"a source does not answer: cannot judge now, {OUTAGE}; held until it does",
        ),
        (
            case(ADVANCE, 15, finding(PASS), finding(FAIL, "memory", Tier.WARN), standing=SEEN),
            "no harm found; a rise to 4.00× would have been noticed; warning: memory failing",
        ),
    ],
)
def test_sentences(asked, sentence):
    """Each answer is one sentence that says why, and what comes next."""
    assert answer(asked).sentence == sentence


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, 30), (10, 30), (30, 45), (45, 60), (60, None), (90, None)]
)
def test_a_waiting_promotion_says_when_it_is_judged_next(minutes, expected):
    """At promote-after, half way to decide-by, and at decide-by."""
    verdict = answer(case(PROMOTE, minutes))

    assert verdict.expected == (None if expected is None else START + expected * 60)


def test_a_waiting_step_says_when_it_may_go_on():
    """After advance-after, else by advance-by, counted in the step."""
    assert answer(case(ADVANCE, 3)).expected == START + 300
    assert answer(case(ADVANCE, 6)).expected == START + 900


def test_a_verdict_carries_its_release_and_block():
    """Contracts link to the release and name the block behind the answer."""
    verdict = answer(case(PROMOTE, 10))

    assert verdict.release == RELEASE.key
    assert verdict.release_id == 7
    assert verdict.block == 19
    assert verdict.at == START + 600
    assert answer(case(PROMOTE, 0)).block is None
    assert answer(case(PROMOTE, 0)).at == START


@pytest.mark.parametrize("resort", list(Resort))
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("question", list(Question))
def test_every_answer_is_one_line(question, mode, resort):
    """Whatever the standing and the situation: one line, without a full stop."""
    for situation, standing, minutes, outage in itertools.product(
        (None, *Situation), (Standing(), SEEN, PASSED, FAILED), (0, 4, 20, 90), ("", OUTAGE)
    ):
        asked = case(
            question,
            minutes,
            finding(situation=situation),
            standing=standing,
            mode=mode,
            outage=outage,
            parameters=resorts(resort),
        )
        verdict: Verdict = answer(asked)

        assert verdict.sentence
        assert "\n" not in verdict.sentence
        assert not verdict.sentence.endswith((".", ";", ":", " "))
        assert len(verdict.sentence) < 250
        assert verdict.question is question
