"""What holds for every check, whatever the evidence."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from checkbench import DOWN, GRANT, moment
from firedamp.checks import BaseCheck, Distribution, Proportion, Relative, Threshold, Trend
from firedamp.model import Arm, Outcome, Slice, Trouble, TroubleKind

BOUNDS = (0.01, 0.1, 1.0, math.inf)
CHECKS = {
    "errors": Proportion(name="errors", kind="proportion", events="e", total="t"),
    "orders": Proportion(name="orders", kind="proportion", events="e", total="t", harm="fewer"),
    "latency": Distribution(name="latency", kind="distribution", histogram="h"),
    "memory": Relative(name="memory", kind="relative", query="m{$cohort}", max_increase=0.15),
    "flow": Relative(name="flow", kind="relative", query="m{$cohort}", max_decrease=0.15),
    "leak": Trend(name="leak", kind="trend", query="m{$cohort}"),
    "restarts": Threshold(name="restarts", kind="threshold", counter="c", max=3),
    "cpu": Threshold(name="cpu", kind="threshold", query="c{$cohort}", min=-1, max=50, sustained=2),
}
_COUNTS = st.integers(0, 10_000) | st.floats(0.01, 500)
_NAMES = st.sampled_from(["a", "b", "c"])
_TROUBLES = st.lists(
    st.builds(Trouble, st.sampled_from(list(TroubleKind)), st.just("something happened")), max_size=1
)


@st.composite
def proportions(draw):
    total = draw(_COUNTS)
    return (total * draw(st.sampled_from([0, 0.01, 0.1, 0.5, 0.97, 1])), total)


_ROWS = {
    "proportion": proportions().map(lambda row: tuple(map(float, row))),
    "distribution": st.lists(_COUNTS.map(float), min_size=4, max_size=4).map(tuple),
    "relative": st.tuples(st.floats(allow_nan=False, allow_infinity=False) | st.just(0.0)),
    "trend": st.tuples(st.floats(allow_nan=False, allow_infinity=False)),
    "threshold": st.tuples(st.floats(-1e300, 1e300) | st.integers(0, 5).map(float)),
}


def pieces(kind: str) -> st.SearchStrategy[list[Slice]]:
    rows = st.dictionaries(_NAMES, _ROWS[kind], max_size=3)
    arms = st.dictionaries(st.sampled_from([Arm.MAIN, Arm.CANARY]), rows, max_size=2)
    bounds = BOUNDS if kind == "distribution" else ()
    one = st.builds(lambda found, troubles: Slice(found, bounds, tuple(troubles)), arms, _TROUBLES)
    return st.lists(one, min_size=1, max_size=12)


@st.composite
def cases(draw):
    check = CHECKS[draw(st.sampled_from(sorted(CHECKS)))]
    return check, draw(pieces(check.kind))


def fold(check, taken):
    """Every finding on the way."""
    run, found = check.begin(GRANT), []
    for index, piece in enumerate(taken):
        now = moment(index, warm=index >= 2)
        run = run.take(piece, now)
        found.append(run.finding(now))
    return found


many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(cases())
def test_findings_can_be_read_and_written(case):
    """No NaN anywhere, p-values are chances, and the sentence is one line that names its check."""
    check, taken = case
    for finding in fold(check, taken):
        values = [value for value in asdict(finding).values() if isinstance(value, float)]
        values += finding.interval or ()

        assert not any(map(math.isnan, values))
        assert all(0 <= p <= 1 for p in (finding.p_value, finding.one_look_p) if p is not None)
        assert finding.sentence.startswith(f"{check.name}: ")
        assert "\n" not in finding.sentence
        assert "nan" not in finding.sentence
        assert len(finding.sentence) <= 300
        assert finding.canary_n >= 0
        assert finding.baseline_n >= 0


@many
@given(cases())
def test_the_order_of_pods_means_nothing(case):
    """Pods that arrive in another order change no digit."""
    check, taken = case
    turned = [
        Slice(
            {arm: dict(reversed(rows.items())) for arm, rows in reversed(piece.rows.items())},
            piece.bounds,
            piece.troubles,
        )
        for piece in taken
    ]

    assert repr(fold(check, turned)) == repr(fold(check, taken))


@many
@given(cases())
def test_looking_on_the_way_changes_nothing(case):
    """A run that nobody asked in between says the same to the last digit."""
    check, taken = case
    run = check.begin(GRANT)
    for index, piece in enumerate(taken):
        run = run.take(piece, moment(index, warm=index >= 2))
    last = moment(len(taken) - 1, warm=len(taken) > 2)

    assert repr(run.finding(last)) == repr(fold(check, taken)[-1])


@many
@given(cases())
def test_a_proven_failure_survives_silence(case):
    """After a failure an outage changes no outcome."""
    check, taken = case
    found = fold(check, [*taken, Slice({}, (), (DOWN,))])

    if found[-2].outcome is Outcome.FAIL:
        assert found[-1].outcome is Outcome.FAIL
    else:
        assert found[-1].set_aside == DOWN.text


@many
@given(cases())
def test_a_fall_to_silence_never_passes(case):
    """The canary's silence from the first block on is never a pass, whatever the others do."""
    check, taken = case
    silent = [Slice({Arm.MAIN: piece.rows.get(Arm.MAIN, {})}, piece.bounds) for piece in taken]

    assert all(finding.outcome is Outcome.INCONCLUSIVE for finding in fold(check, silent))


@pytest.mark.parametrize("name", CHECKS)
def test_checks_are_their_own_settings(name):
    """A check written to JSON and read back is the same check."""
    check = CHECKS[name]

    assert type(check).model_validate_json(json.dumps(check.model_dump(mode="json"))) == check


def test_a_new_kind_of_check_says_what_it_needs():
    """A kind that forgets to is found at once; it compares arms unless it says otherwise."""
    check = BaseCheck(name="new", kind="new")

    assert check.compares
    with pytest.raises(NotImplementedError):
        check.needs()
    with pytest.raises(NotImplementedError):
        check.rows({})


@pytest.mark.simulation
@pytest.mark.parametrize(("first", "warm"), [(GRANT.warm_up_looks, True), (0, True), (0, False)])
def test_the_levels_of_a_grant_spend_no_more_than_it_gives(first, warm):
    """
    Looking every half minute for ten windows crosses by chance as seldom as promised.

    Whether warm-up took its usual number of blocks, none because of an outage, or has no end.
    """
    looks = [moment(index) for index in range(first, 1200)]
    times = np.array([GRANT.fraction(look.lived) for look in looks])
    limits = -ndtri([GRANT.level(replace(look, warm=warm)) for look in looks])
    steps = np.random.default_rng(7).normal(size=(4000, times.size)) * np.sqrt(np.diff(times, prepend=0.0))
    crossed = (np.cumsum(steps, axis=1) / np.sqrt(times) > limits).any(axis=1).mean()

    assert 0.5 * GRANT.alpha < crossed < GRANT.alpha + 3 * math.sqrt(GRANT.alpha / 4000)
