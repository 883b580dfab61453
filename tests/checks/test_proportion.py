"""The proportion check: errors, conversions and their kind."""

import re
from dataclasses import replace

import pytest

from checkbench import DOWN, GRANT, errors, first_failure, judged, moment, run
from firedamp.checks import Proportion
from firedamp.model import Arm, Outcome, Situation, Slice, Trouble, TroubleKind
from firedamp.stats.fisher import fisher_exact
from firedamp.stats.noise import Learnt

ERRORS = Proportion(name="errors", kind="proportion", events='r{code=~"5.."}', total="r")
SALES = Proportion(
    name="sales", kind="proportion", events="orders", total="visits", harm="fewer", noun="order"
)
HITS = Proportion(name="hits", kind="proportion", events="hits", total="gets", harm="fewer", noun="hit")


def sales(baseline: float, canary: float) -> Slice:
    """Orders of 800 visits in main and of 200 in the canary; the rest are what is bad."""
    return errors((800 - baseline, 800), (200 - canary, 200))


def test_a_healthy_canary_passes_in_the_end():
    """Once a doubling is excluded the check passes, and its sentence gives the interval and both rates."""
    finding = judged(ERRORS, [errors((10, 1000), (3, 250))] * 60)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence.startswith("errors: the rate is between ")
    assert finding.sentence.endswith("(1.2 % against 1.0 % in main); a rise to 2.00× is ruled out")


def test_a_rise_by_little_is_excluded_where_a_doubling_is_not():
    """A service almost without errors passes by the absolute margin."""
    finding = judged(ERRORS, [errors((0, 1000), (0, 250))] * 30)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence == "errors: 0 % against 0 % in main; a rise by 0.50 pp is ruled out"


def test_five_times_the_errors_fail():
    """A canary with 5 % errors beside 1 % fails within minutes; the sentence counts and weighs."""
    finding = judged(ERRORS, [errors((4, 400), (5, 100))] * 12)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "errors: the canary served 40 of the 72 errors with 20 % of the traffic "
        "(5.0 % against 1.0 % in main); "
        "chance, pod differences and the 25 % tolerance explain fewer than 29 "
        "(a good release gets here 1 time in 450)"
    )
    assert finding.baseline == pytest.approx(0.01)
    assert finding.canary == pytest.approx(0.05)
    assert finding.effect == pytest.approx(5.2, abs=0.1)
    assert finding.one_look_p == fisher_exact(32, 3200, 40, 800).p_value


def test_thin_evidence_says_what_is_missing():
    """Fifty requests prove nothing; the sentence says how many more are needed and how long that takes."""
    finding = judged(ERRORS, [errors((1, 40), (0, 10))] * 9)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.needs
    assert "50 canary requests with 0 errors can only rule out a rate above" in finding.sentence
    assert "more canary requests are needed (≈" in finding.sentence


def test_warm_up_judges_nothing():
    """Ten errors of a hundred while caches are cold are no failure."""
    finding = judged(ERRORS, [errors((4, 400), (6, 100))] * 4)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == "errors: warming up, not judged yet"


def test_warm_up_evidence_counts_for_nothing_later():
    """A cold start with tenfold errors leaves no trace in the judgement after warm-up."""
    finding = judged(ERRORS, [errors((10, 1000), (25, 250))] * 4 + [errors((10, 1000), (2, 250))] * 56)

    assert finding.outcome is Outcome.PASS
    assert finding.canary_n == 56 * 250


def test_a_canary_that_only_fails_is_stopped_during_warm_up():
    """Cold caches do not explain that every request fails."""
    pieces = [errors((8, 800), (200, 200))] * 4

    finding = judged(ERRORS, pieces)

    assert first_failure(ERRORS, pieces) == 0
    assert finding.sentence == (
        "errors: already during warm-up the canary served 800 of the 832 errors, "
        "beyond even a tenfold rate; it is failing outright"
    )


def test_dead_stays_dead_after_warm_up():
    """What was proven during warm-up is not forgotten when the canary recovers."""
    pieces = [errors((8, 800), (200, 200))] * 4 + [errors((8, 800), (2, 200))] * 30

    assert judged(ERRORS, pieces).outcome is Outcome.FAIL


def test_a_rise_too_small_to_matter_is_no_harm():
    """Five times as many errors, but fewer than one in a thousand more: beyond chance, below harm."""
    pieces = [errors((20, 100_000), (25, 25_000))] * 20

    assert run(ERRORS, pieces).warm.test.crossed
    assert judged(ERRORS, pieces).outcome is Outcome.PASS
    assert judged(ERRORS.model_copy(update={"min_excess": 0.0005}), pieces).outcome is Outcome.FAIL


def test_a_crash_of_rare_conversions_fails():
    """Three visits in a hundred end in an order; a canary with one in a hundred is worse."""
    finding = judged(SALES, [sales(24, 2)] * 30)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.startswith(
        "sales: the canary served 52 of the 676 orders with 20 % of the traffic "
        "(1.0 % against 3.0 % in main); chance, pod differences and the 25 % tolerance explain more than 91 "
    )
    assert finding.effect == pytest.approx(0.33, abs=0.01)
    assert finding.tolerance == pytest.approx(0.8)
    assert finding.interval[0] < finding.effect < finding.interval[1] < 1


def test_as_many_conversions_pass():
    """Where orders do not fall the check passes, in words of orders."""
    finding = judged(SALES, [sales(24, 6)] * 60)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence.startswith("sales: the rate is between 0.")
    assert finding.sentence.endswith("(3.0 % against 3.0 % in main); a fall to 0.50× is ruled out")


def test_few_visits_of_the_canary_are_no_yardstick():
    """By luck 19 orders of 1,200 visits, 1.6 % against 2.0 %: such a rate excuses no fall by half a point."""
    finding = judged(SALES, [errors((9_800, 10_000), (39.36, 40))] * 30)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "cannot rule out a fall to 0.50× (1.6 % against 2.0 % in main)" in finding.sentence


def test_few_visits_say_how_many_more():
    """A fall of orders that cannot be excluded yet names the canary requests still missing."""
    finding = judged(SALES, [sales(24, 6)] * 6)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.needs
    assert "cannot rule out a fall to 0.50× (3.0 % against 3.0 % in main)" in finding.sentence


def test_no_conversion_at_all_stops_during_warm_up():
    """A shop that sells nothing any more is noticed while it warms up."""
    finding = judged(SALES, [errors((23_280, 24_000), (6_000, 6_000))] * 4)

    assert finding.outcome is Outcome.FAIL
    assert "less than even a tenth of the usual rate; it is failing outright" in finding.sentence


def test_frequent_good_events_are_judged_by_those_that_are_missed():
    """Nine cache hits in ten: the misses are what is compared, and half as many hits fail."""
    finding = judged(HITS, [errors((100, 1000), (140, 250))] * 10)

    assert finding.outcome is Outcome.FAIL
    assert "the canary served 840 of the 1,440 missed hits" in finding.sentence


def test_errors_that_are_the_rule_are_judged_by_what_succeeds():
    """Nine of ten polls find nothing; a canary for which none succeeds any more still fails."""
    polls = ERRORS.model_copy(update={"noun": "miss", "min_excess": 0.0})
    finding = judged(polls, [errors((900, 1000), (249, 250))] * 20)

    assert finding.outcome is Outcome.FAIL
    assert "of the 1,616 good requests" in finding.sentence


@pytest.mark.parametrize(
    ("harm", "noun", "swapped", "said"),
    [
        ("more", None, False, "error"),
        ("more", "refusal", False, "refusal"),
        ("more", None, True, "good request"),
        ("fewer", None, True, "event"),
        ("fewer", "order", True, "order"),
        ("fewer", "hit", False, "missed hit"),
    ],
)
def test_the_outcome_compared_has_a_name(harm, noun, swapped, said):
    """Sentences name what was compared: the events, or their absence."""
    check = ERRORS.model_copy(update={"harm": harm, "noun": noun})

    assert check.counted(swapped=swapped) == said


def test_a_silent_canary_is_doubt():
    """A canary without requests is neither passed nor failed."""
    finding = judged(ERRORS, [errors((4, 400), (0, 0))] * 10)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.situation is Situation.NO_TRAFFIC
    assert finding.sentence == "errors: no requests in the canary so far, nothing to compare"


def test_a_silent_baseline_is_doubt():
    """Without requests in the comparison arm there is nothing to compare with."""
    finding = judged(ERRORS, [errors((0, 0), (5, 100))] * 10)

    assert finding.situation is Situation.NO_TRAFFIC
    assert finding.sentence == "errors: no requests in main so far, nothing to compare"


def test_no_comparison_arm_is_doubt():
    """Without an arm to compare with the sentence does not invent one."""
    finding = judged(ERRORS, [errors((1, 100), (1, 100))] * 10, grant=replace(GRANT, against=None))

    assert finding.situation is Situation.NO_TRAFFIC
    assert finding.sentence == "errors: there is neither baseline nor main to compare the canary with"


def test_arms_that_never_meet_cannot_be_compared():
    """Requests at far distant times say nothing of each other, for the times may differ."""
    pieces = [errors((0, 0), (5, 100)), *[errors((0, 0), (0, 0))] * 25, errors((4, 400), (0, 0))]

    finding = judged(ERRORS, pieces)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == ("errors: main and canary have had no requests at the same time since warm-up")


def test_rare_requests_are_added_up_until_both_arms_have_some():
    """Where hardly a block has requests in both arms, a few blocks together have."""
    alternating = [errors((1, 10), (0, 0)), errors((0, 0), (1, 5))] * 10
    finding = judged(ERRORS, alternating)

    assert (finding.baseline, finding.canary) == (0.1, 0.2)
    assert finding.baseline_n == 2 * finding.canary_n > 0


def test_a_block_in_which_one_arm_is_silent_is_left_out():
    """Errors of a minute that the canary did not serve are not held for or against it."""
    paired = [errors((10, 1000), (3, 250))] * 60
    alone = [errors((900, 1000), (0, 0))] * 5

    assert judged(ERRORS, paired + alone).canary == judged(ERRORS, paired).canary
    assert judged(ERRORS, paired + alone).baseline == judged(ERRORS, paired).baseline


def test_both_versions_failing_never_pass():
    """Where the comparison arm is on fire, as good as it is not good."""
    finding = judged(ERRORS, [errors((400, 1000), (100, 250))] * 60)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == (
        "errors: both versions are failing (40 % against 40 % in main); above 20 % nothing passes"
    )


def test_a_comparison_arm_far_above_its_past_never_passes():
    """It used to have 0.5 % and has 4 %: nothing may be promoted by such a comparison."""
    known = Learnt(events=5e3, requests=1e6)
    finding = judged(ERRORS, [errors((40, 1000), (10, 250))] * 60, grant=replace(GRANT, known=known))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == (
        "errors: both versions are failing (4.0 % against 4.0 % in main, usual are 0.50 % at most); "
        "above 2.5 % nothing passes"
    )


@pytest.mark.parametrize(
    ("known", "bad"),
    [
        (Learnt(), (40, 10)),  # nothing is known of its past
        (Learnt(events=1e4, requests=1e6), (40, 10)),  # four times as many as usual
        (Learnt(events=10, requests=1e6), (5, 1)),  # fifty times, and still hardly any
        (Learnt(requests=100.0), (40, 10)),  # no error in a past of a minute
    ],
)
def test_a_comparison_arm_near_its_past_may_pass(known, bad):
    """Five times the usual rate, and half a percentage point more, from twenty events on."""
    pieces = [errors((bad[0], 1000), (bad[1], 250))] * 60

    assert judged(ERRORS, pieces, grant=replace(GRANT, known=known)).outcome is Outcome.PASS


def test_all_requests_failing_in_both_arms_never_pass():
    """Even where success is the rarer outcome, the ceiling is one of errors."""
    finding = judged(ERRORS, [errors((990, 1000), (247, 250))] * 60)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "both versions are failing (99 % against 99 % in main)" in finding.sentence


@pytest.mark.parametrize(
    ("kind", "situation"),
    [
        (TroubleKind.SOURCE_DOWN, Situation.SOURCE_DOWN),
        (TroubleKind.REFUSED, Situation.NO_DATA),
        (TroubleKind.PARTIAL, Situation.NO_DATA),
        (TroubleKind.TOO_LARGE, Situation.NO_DATA),
        (TroubleKind.NO_SERIES, Situation.NO_DATA),
    ],
)
def test_trouble_sets_a_block_aside(kind, situation):
    """Trouble with the data withholds a pass, and the finding says which trouble."""
    good = [errors((10, 1000), (3, 250))] * 60
    finding = judged(ERRORS, [*good, errors((10, 1000), (3, 250), Trouble(kind, "no luck"))])

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.set_aside == "no luck"
    assert finding.situation is situation
    assert finding.sentence == "errors: cannot judge, no luck"


@pytest.mark.parametrize("kind", [TroubleKind.GAP, TroubleKind.RESET, TroubleKind.NO_POD_LABEL])
def test_small_trouble_is_borne(kind):
    """A missed scrape or a restarted pod keeps nothing from being judged."""
    finding = judged(ERRORS, [errors((10, 1000), (3, 250), Trouble(kind, "a hiccup"))] * 60)

    assert finding.outcome is Outcome.PASS


def test_harm_is_said_in_spite_of_trouble():
    """A proven failure is not hidden by a source that falls silent afterwards."""
    pieces = [errors((4, 400), (20, 100))] * 20 + [Slice({}, (), (DOWN,))]

    assert judged(ERRORS, pieces).outcome is Outcome.FAIL


def test_a_ramp_with_errors_for_everybody_is_no_harm():
    """Weights 5, 20, 50 % while everybody's errors triple at the end: only a pooled table is fooled."""
    steps = [(0.05, 0.01), (0.2, 0.01), (0.5, 0.03)]
    blocks = [
        errors((1000 * (1 - share) * rate, 1000 * (1 - share)), (1000 * share * rate, 1000 * share))
        for share, rate in steps
        for _ in range(20)
    ]
    baseline, canary = (
        [sum(piece.rows[arm][f"{arm}-0"][column] for piece in blocks) for column in (0, 1)]
        for arm in (Arm.MAIN, Arm.CANARY)
    )

    finding = judged(ERRORS, blocks)

    assert fisher_exact(*baseline, *canary).p_value < 0.001
    assert first_failure(ERRORS, blocks) is None
    assert finding.baseline == pytest.approx(finding.canary)


def test_the_ratio_margin_takes_each_share_in_its_own_time():
    """After a ramp with a drift an equal canary passes: a doubling is excluded at each minute's own share."""
    blocks = [
        errors((2000 * (1 - share) * rate, 2000 * (1 - share)), (2000 * share * rate, 2000 * share))
        for share, rate in [(0.05, 0.01), (0.2, 0.01), (0.5, 0.03)]
        for _ in range(20)
    ]

    assert judged(ERRORS, blocks).outcome is Outcome.PASS


def test_many_errors_are_judged_by_the_normal_test():
    """Beyond 400 errors the nominal levels of the looks decide, for harm as for health."""
    healthy = [errors((100, 10_000), (25, 2_500))] * 60
    harmful = [errors((100, 10_000), (60, 2_500))] * 60

    assert judged(ERRORS, healthy).outcome is Outcome.PASS
    assert judged(ERRORS, harmful).outcome is Outcome.FAIL


def test_fractions_of_errors_reach_the_normal_test_safely():
    """Rounding at the border of 400 errors never leaves the test without its level."""
    pieces = [errors((1.02 + index % 7 / 10, 100), (1.02, 100)) for index in range(400)]

    assert judged(ERRORS, pieces).outcome is not None


def test_requests_are_counted_from_the_start():
    """The requests seen include warm-up and blocks with one arm only."""
    state = run(ERRORS, [errors((1, 100), (0, 20)), errors((1, 100), (0, 0))])

    assert state.seen == (200, 20)


def test_rows_join_events_and_totals():
    """A pod with requests and no error series has none; errors never exceed requests."""
    parts = {"events": {"a": (3.0,), "gone": (1.0,)}, "total": {"a": (2.0,), "b": (5.0,)}}

    assert ERRORS.rows(parts) == {"a": (2.0, 2.0), "b": (0.0, 5.0)}
    assert HITS.rows(parts) == {"a": (0.0, 2.0), "b": (5.0, 5.0)}


def test_needs_are_two_counters():
    """Events and totals are fetched as written, once per cohort."""
    needs = ERRORS.needs()

    assert needs["events"].selector.promql() == 'r{code=~"5.."}'
    assert needs["total"].selector.promql() == "r"


def test_a_pass_is_judged_at_the_moment_s_own_level():
    """Where the session names the level of its judgement, that level decides."""
    state = run(ERRORS, [errors((10, 1000), (3, 250))] * 22)

    assert state.finding(moment(21, pass_level=0.5)).outcome is Outcome.PASS
    assert state.finding(moment(21, pass_level=1e-6)).outcome is Outcome.INCONCLUSIVE


def test_bad_luck_so_far_must_be_made_up_for():
    """With the same requests a canary of 1.6 % beside 1 % has further to go than one that is as good."""
    unlucky, usual = (judged(ERRORS, [errors((10, 1000), (bad, 250), pods=200)] * 6) for bad in (4, 2.5))

    assert unlucky.outcome is usual.outcome is Outcome.INCONCLUSIVE
    assert unlucky.needs > usual.needs > 0


def test_few_requests_say_what_they_would_have_shown():
    """A person reads how blunt the check still is: forty requests show an outage at most."""
    finding = judged(ERRORS, [errors((1, 40), (0, 10))] * 8)

    assert re.search(r"; only a rise to about \d\d× would have been seen so far; about", finding.sentence)


def test_a_handful_of_requests_shows_nothing():
    """Not even a canary that fails every request would have been seen; the sentence says so."""
    finding = judged(ERRORS, [errors((1, 40), (0, 10))] * 4 + [errors((0, 4), (0, 1))])

    assert "; not even a canary failing every request would have been seen so far;" in finding.sentence


def test_fewer_conversions_are_said_as_a_fall():
    """Where a bad canary has fewer, what would have been seen is a fraction."""
    finding = judged(SALES, [sales(20, 5)] * 6)

    assert re.search(r"; only a fall to about 0\.\d+× would have been seen so far;", finding.sentence)


def test_a_single_pod_never_excludes_a_doubling():
    """Pods differ by more than a doubling allows for, so the sentence asks for pods and not for requests."""
    finding = judged(ERRORS, [errors((100, 10_000), (25, 2_500), pods=1)] * 60)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.needs is None
    assert finding.sentence.endswith(
        "requests alone will not do, since pods differ: with 1 canary pod only more pods can help"
    )


def test_the_requests_named_are_enough():
    """A healthy canary that brings what was asked for passes."""
    few = [errors((10, 1000), (2.5, 250))] * 7
    needs = judged(ERRORS, few).needs
    more = [errors((10, 1000), (2.5, 250))] * (needs // 250 + 1)

    assert judged(ERRORS, few + more).outcome is Outcome.PASS
