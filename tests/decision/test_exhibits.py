"""What a release's looks show: lines, pods, curves, doubts and what is ahead."""

from dataclasses import replace

import pytest

from firedamp.checks import FlowFailures, Threshold
from firedamp.decision import exhibits
from firedamp.decision.exhibits.thinning import kept
from firedamp.model import (
    Arm,
    Block,
    Evidence,
    Finding,
    Look,
    Outcome,
    Slice,
    Standing,
    Tier,
    Trouble,
    TroubleKind,
)
from lookbook import PARAMETERS, a_release_of
from rehearsal import Shop

ERRORS, LATENCY = PARAMETERS.checks


def finding(check: str = "errors", kind: str = "proportion", **more) -> Finding:
    plain = Finding(check, kind, Tier.CRITICAL, Outcome.INCONCLUSIVE, f"{check}: said", Arm.MAIN, "share")
    return replace(plain, **more)


def a_look(index: int, piece: Slice, *findings: Finding, name: str = "errors", **more) -> Look:
    block = Block(index, 30.0 * index, 30.0 * (index + 1))
    return Look(Evidence(block, {name: piece}, **more), findings, Standing(), "0.1.0")


def errors(baseline: tuple[float, float], canary: tuple[float, float], *troubles: Trouble) -> Slice:
    return Slice({Arm.MAIN: {"m": baseline}, Arm.CANARY: {"c": canary}}, (), troubles)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rate_is_told_of_each_block_and_lately():
    """Ten errors of a hundred, then none: 10 %, 0 %, and 5 % over both."""
    looks = [
        a_look(0, errors((1, 100), (10, 100)), finding()),
        a_look(1, errors((1, 100), (0, 100)), finding()),
    ]

    lines = exhibits.series(looks, "errors", ERRORS).lines

    assert lines.baseline == (0.01, 0.01)
    assert lines.canary == (0.1, 0.0)
    assert lines.canary_lately == (0.1, 0.05)
    assert lines.difference == pytest.approx((0.09, 0.04))


def test_the_lines_of_a_look_are_what_its_finding_said():
    """Values since warm-up, effect, interval and p-value stand as found; nothing is reckoned anew."""
    looks = a_release_of(20, Shop(canary_errors=0.05))

    lines = exhibits.series(looks, "errors", ERRORS).lines
    said = [one for look in looks for one in look.findings if one.check == "errors"]

    assert lines.baseline_so_far == tuple(one.baseline for one in said)
    assert lines.canary_so_far == tuple(one.canary for one in said)
    assert lines.effect == tuple(one.effect for one in said)
    assert lines.p_value == tuple(one.p_value for one in said)
    assert lines.ends[-1] == looks[-1].evidence.block.end


def test_odds_are_carried_to_the_rate_that_stands_so_to_the_baselines():
    """Three times the odds of one in two are three in four."""
    assert exhibits.carried(finding(baseline=0.5), 3.0) == 0.75
    assert exhibits.carried(finding(baseline=1.0), 3.0) == 1.0
    assert exhibits.carried(finding(kind="relative", baseline=8.0), 1.5) == 12.0
    assert exhibits.carried(finding(kind="trend", baseline=0.25), 1.5) == 0.75
    assert exhibits.carried(finding(), 3.0) is None


def test_a_missing_look_at_a_check_is_a_gap_in_its_lines():
    """A block without evidence, or without a finding, is neither zero nor the one before."""
    looks = [a_look(0, errors((1, 100), (1, 100)), finding(baseline=0.01)), a_look(1, Slice())]

    lines = exhibits.series(looks, "errors", ERRORS).lines

    assert lines.canary == (0.01, None)
    assert lines.baseline_so_far == (0.01, None)


def test_where_rates_are_not_known_none_are_drawn():
    """Of traces whose good outcomes were thinned only odds are known."""
    check = FlowFailures.model_validate(
        {
            "name": "errors",
            "kind": "flow-failures",
            "flow": {"service": "a", "operation": "b"},
            "errors_kept": True,
        }
    )
    looks = [
        a_look(0, errors((1, 100), (2, 100)), finding(kind="flow-failures", effect=2.0, interval=(1.0, 4.0)))
    ]

    for known in (check, None):
        lines = exhibits.series(looks, "errors", known).lines

        assert lines.canary == (None,)
        assert lines.effect == (2.0,)


def test_where_good_outcomes_are_compared_they_are_drawn():
    """A tolerance below one says that fewer are worse: the lines are of the good ones, as the finding is."""
    looks = [a_look(0, errors((60, 100), (80, 100)), finding(tolerance=0.8))]

    lines = exhibits.series(looks, "errors", None).lines

    assert lines.baseline == (0.4,)
    assert lines.canary == pytest.approx((0.2,))


def test_a_counter_adds_up_and_a_level_does_not():
    """Restarts are counted since the start; of memory the worst pod counts where it has a limit."""
    piece = Slice({Arm.CANARY: {"a": (1.0,), "b": (3.0,)}})
    counter = Threshold(name="errors", kind="threshold", counter="restarts", max=0)
    level = Threshold(name="errors", kind="threshold", query="m{$cohort}", max=9)
    looks = [a_look(at, piece, finding(kind="threshold", against=None, tolerance=9.0)) for at in range(2)]

    assert exhibits.series(looks, "errors", counter).lines.canary == (4.0, 8.0)
    assert exhibits.series(looks, "errors", level).lines.canary == (3.0, 3.0)
    assert exhibits.series(looks, "errors", level).lines.allowed == (9.0, 9.0)


def test_durations_are_drawn_by_their_median():
    """The canary takes twice as long, and the lines say so."""
    looks = a_release_of(12, Shop(canary_median=0.16, requests=2000))

    found = exhibits.series(looks, "latency", LATENCY)

    assert found.unit == "seconds"
    assert found.lines.baseline[-1] == pytest.approx(0.08, rel=0.2)
    assert found.lines.canary_lately[-1] == pytest.approx(0.16, rel=0.2)


def test_growth_is_drawn_as_levels_with_its_effect_beside_it():
    """A trend's finding is about growth; its rows are bytes."""
    piece = Slice({Arm.MAIN: {"m": (100.0,)}, Arm.CANARY: {"c": (120.0,)}})
    looks = [
        a_look(0, piece, finding(kind="trend", baseline=0.1, canary=0.3, effect=1.2, interval=(1.1, 1.3)))
    ]

    lines = exhibits.series(looks, "errors", None).lines

    assert (lines.baseline, lines.canary) == ((100.0,), (120.0,))
    assert (lines.baseline_so_far, lines.effect) == ((None,), (1.2,))


def test_steps_are_where_the_traffic_changed():
    """A weight that is not told is the one before."""
    piece = errors((1, 100), (1, 100))
    told = [(0, 0.05), (0, None), (1, 0.2), (1, 0.2)]
    looks = [a_look(at, piece, step=step, weight=weight) for at, (step, weight) in enumerate(told)]

    found = exhibits.steps(looks)

    assert [(one.at, one.step, one.weight) for one in found] == [(0.0, 0, 0.05), (60.0, 1, 0.2)]


def test_a_long_series_is_thinned_and_keeps_its_spike():
    """Ten thousand points become five hundred; the one that stands out is among them."""
    line = tuple(1.0 if at == 7777 else 0.0 for at in range(10_000))

    places = kept([line, line], 10_000)

    assert len(places) <= 500
    assert {0, 7777, 9_999} <= set(places)
    assert list(places) == sorted(places)


def test_a_short_series_is_left_alone():
    """Every point of an hour is drawn."""
    found = exhibits.series(a_release_of(30), "errors", ERRORS)

    assert len(found.lines.ends) == 30
    assert not found.thinned


# ── pods ─────────────────────────────────────────────────────────────────────────────────────────────


def test_each_pod_has_its_own_value_and_the_named_one_comes_first():
    """The engine says which pod is bad; nobody else does."""
    rows = {
        Arm.MAIN: {"m": (1.0, 100.0)},
        Arm.CANARY: {"c-1": (1.0, 100.0), "c-11": (3.0, 100.0), "c-2": (2.0, 100.0)},
    }
    said = finding(sentence="errors: one bad pod: c-1 served 1 of the 6 errors")
    looks = [a_look(at, Slice(rows), said) for at in range(3)]

    found = exhibits.pods(looks, said, ERRORS, since=30.0)

    assert [(one.name, one.value, one.size, one.odd) for one in found.listed] == [
        ("m", 0.01, 200.0, False),
        ("c-1", 0.01, 200.0, True),
        ("c-11", 0.03, 200.0, False),
        ("c-2", 0.02, 200.0, False),
    ]


def test_pods_of_durations_have_boxes():
    """Whiskers, quarters and median, rising."""
    looks = a_release_of(12, Shop(requests=2000))

    found = exhibits.pods(looks, looks[-1].findings[1], LATENCY, since=60.0)

    assert found.unit == "seconds"
    assert len(found.listed) == 6
    for pod in found.listed:
        assert list(pod.box) == sorted(pod.box)
        assert pod.value == pod.box[2]


def test_a_thousand_pods_are_counted_and_fifty_listed():
    """A page stays a page."""
    rows = {Arm.CANARY: {f"c-{number}": (0.0, 1.0) for number in range(1000)}}
    looks = [a_look(0, Slice(rows), finding())]

    found = exhibits.pods(looks, finding(), ERRORS, since=0.0)

    assert len(found.listed) == 50
    assert found.counted == {Arm.MAIN: 0, Arm.CANARY: 1000}


# ── curves ───────────────────────────────────────────────────────────────────────────────────────────


def test_curves_rise_to_one_and_the_slower_arm_lies_lower():
    """At each bound fewer of the slower canary's requests are done."""
    looks = a_release_of(12, Shop(canary_median=0.16, requests=2000))

    found = exhibits.durations(looks, looks[-1].findings[1], since=60.0)

    assert found is not None
    assert found.baseline[-1] == found.canary[-1] == pytest.approx(1.0)
    assert all(slow <= fast for slow, fast in zip(found.canary, found.baseline, strict=True))
    assert found.canary_quantiles[0] == pytest.approx(looks[-1].findings[1].canary)
    assert found.baseline_quantiles[0] == pytest.approx(looks[-1].findings[1].baseline)


def test_there_is_no_curve_of_what_has_no_buckets():
    """Nor of a silent arm."""
    looks = [a_look(0, Slice({Arm.CANARY: {"c": (1.0, 2.0)}}, (1.0, float("inf"))), finding())]

    assert exhibits.durations(looks, finding(), since=0.0) is None
    assert exhibits.durations(a_release_of(3), finding(), since=0.0) is None


def test_what_the_canary_lacks_is_listed_first():
    """By its share of the traffic fifty were expected; none came."""
    rows = {
        Arm.MAIN: {"GET /a": (0.0, 100.0, 0.0), "GET /b": (0.0, 100.0, 0.0)},
        Arm.CANARY: {"GET /a": (0.0, 100.0, 0.0), "GET /new": (0.0, 4.0, 0.0)},
    }
    said = finding(kind="operations")

    found = exhibits.operations([a_look(0, Slice(rows), said)], said, since=0.0)

    assert [(one.name, one.baseline, one.canary, one.expected) for one in found] == [
        ("GET /b", 100.0, 0.0, 52.0),
        ("GET /new", 0.0, 4.0, 0.0),
        ("GET /a", 100.0, 100.0, 52.0),
    ]
    assert exhibits.operations([], finding(), since=0.0) == ()


# ── doubts ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_trouble_is_told_once_with_all_it_concerns():
    """Numbers in it differ from block to block; it is the same gap."""
    gaps = [Trouble(TroubleKind.GAP, f"pod m has {number} samples of 2", Arm.MAIN) for number in range(3)]
    looks = [a_look(at, errors((0, 9), (0, 9), gap), finding()) for at, gap in enumerate(gaps)]

    [doubt] = exhibits.doubts([*looks, a_look(3, errors((0, 9), (0, 9)), finding())])

    assert (doubt.kind, doubt.text, doubt.checks) == ("gap", "pod m has 2 samples of 2", ("errors",))
    assert (doubt.blocks, doubt.first, doubt.last, doubt.now) == (3, 0, 2, False)


def test_what_keeps_a_check_from_being_judged_comes_first():
    """A wrong share of traffic stands in the finding only."""
    reset = Trouble(TroubleKind.RESET, "counter began again")
    aside = finding(set_aside="the canary got 40 % of the requests where its weight is 20 %")
    looks = [a_look(at, errors((0, 9), (0, 9), reset), aside) for at in range(2)]

    first, second = exhibits.doubts(looks)

    assert (first.kind, first.grave) == ("not judged", True)
    assert (second.kind, second.grave) == ("counter reset", False)


def test_requests_without_a_version_are_told_as_a_share():
    """Ten of a hundred are in no arm."""
    piece = replace(errors((0, 60), (0, 30)), unlabelled=10.0)

    [doubt] = exhibits.doubts([a_look(0, piece, finding())])

    assert doubt.text == "10 % of the requests carry no version label and are in no arm"


def test_a_sound_release_has_no_doubts():
    """No banner where there is nothing to say."""
    assert exhibits.doubts(a_release_of(5)) == ()
    assert exhibits.doubts([]) == ()


# ── ahead ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_ahead_is_reckoned_from_the_last_look():
    """Five minutes in: judged in five minutes more, decided by the policy fifteen after that."""
    looks = a_release_of(10)

    found = exhibits.ahead(looks, PARAMETERS)

    assert found is not None
    assert (found.warm_from, found.judged_at, found.ends_at) == (60.0, 600.0, 1200.0)
    assert found.fraction == 0.25


def test_nothing_is_ahead_of_what_is_decided():
    """A failed release waits for nothing."""
    looks = a_release_of(20, Shop(canary_errors=0.2))

    found = exhibits.ahead(looks, PARAMETERS)

    assert looks[-1].standing.failed_block is not None
    assert found is not None
    assert (found.judged_at, found.ends_at) == (None, None)
    assert exhibits.ahead([], PARAMETERS) is None


def test_alpha_is_spent_with_time():
    """At a quarter of the window half of nine tenths may be gone."""
    found = exhibits.spent(finding(p_value=0.3, alpha=0.02), 0.25)

    assert found is not None
    assert found.allowed == pytest.approx(0.009)
    assert exhibits.spent(finding(), 0.25) is None


def test_the_pace_is_that_of_the_last_looks():
    """A hundred requests in half a minute."""
    looks = [a_look(at, errors((0, 9), (0, 9)), finding(canary_n=100.0 * (at + 1))) for at in range(4)]

    assert exhibits.pace(looks, finding()) == pytest.approx(100 / 30)
    assert exhibits.pace(looks[:1], finding()) == 0.0
