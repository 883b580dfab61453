"""The trend check: a leak is found at the end, and a start is not taken for one."""

import math
from collections.abc import Iterable
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from checkbench import DOWN, GRANT, levels, moment
from firedamp.checks import PASS_LEVEL, Relative, Run, Trend
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Finding, Outcome, Situation, Slice, Tier
from firedamp.stats.noise import Learnt
from firedamp.stats.thinning import CELLS

MIB = 2.0**20
LEAK = Trend(name="leak", kind="trend", query="container_memory{$cohort}", unit="bytes")
WINDOW = 60  # blocks of 30 s in promote_after


def memory(
    blocks: int = WINDOW,
    *,
    leak: float = 0.0,
    pods: tuple[int, int] = (8, 3),
    start: float = 0.0,
    seed: int = 1,
) -> list[Slice]:
    """100 MiB that wander by 1 % (AR(1) 0.98); the canary's grow in 30 min, or fill caches."""
    rng = np.random.default_rng(seed)
    wander = rng.normal(size=sum(pods))
    found = []
    for index in range(blocks):
        wander = 0.98 * wander + math.sqrt(1 - 0.98**2) * rng.normal(size=wander.size)
        values = 100 * MIB * (1 + 0.01 * wander)
        grown = leak * index / WINDOW - (0.3 * math.exp(-index / start) if start else 0.0)
        found.append(levels(values[: pods[0]], values[pods[0] :] + 100 * MIB * grown))
    return found


def run(pieces: Iterable[Slice], check: Trend = LEAK, *, judged_at=(WINDOW - 1,), grant=GRANT) -> Run:
    """The run after all pieces, the pass rule judged at some of them."""
    state: Run = check.begin(grant)
    for index, piece in enumerate(pieces):
        state = state.take(piece, moment(index, pass_level=PASS_LEVEL if index in judged_at else None))
    return state


def found(pieces: list[Slice], check: Trend = LEAK, **how) -> Finding:
    """What the check says after all pieces."""
    return run(pieces, check, **how).finding(moment(len(pieces) - 1))


def test_a_leak_is_found_at_the_end():
    """20 % over the window in the canary only: said so, with the time until it doubles."""
    finding = found(memory(leak=0.2))

    assert finding.outcome is Outcome.FAIL
    assert finding.tier is Tier.WARN
    assert finding.sentence == (
        "leak: grew by 20 % over 30 min in the canary (from 101 MiB, 3 pods), stayed level in main; "
        "at this rate it doubles in 2 h 33 min; more than 10 % beyond main's is not allowed"
    )
    assert finding.canary == pytest.approx(0.2, abs=0.02)
    assert finding.interval[0] < finding.effect < finding.interval[1]
    assert finding.tolerance == pytest.approx(1.1)


def test_nothing_is_said_before_the_end():
    """However fast the canary grows, a trend needs the window."""
    finding = found(memory(40, leak=5.0))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == "leak: growth is judged at the end of the window; 3 canary pods watched so far"


def test_steady_memory_passes():
    """Pods that wander about the same level rule a leak out."""
    finding = found(memory())

    assert finding.outcome is Outcome.PASS
    assert finding.sentence.endswith(" in main; more than 10 % beyond main's is ruled out")


@pytest.mark.parametrize(
    ("canary", "main", "said"),
    [
        (0.2, 0.012, "grew by 20 % over 30 min in the canary (from 100, 2 pods), by 1.2 % in main; "),
        (0.02, -0.01, "grew by 2.0 % over 30 min in the canary (from 100, 2 pods), fell by 1.0 % in main; "),
        (0.0, 0.0, "stayed level over 30 min in the canary (from 100, 2 pods), and in main; "),
        (0.0, 0.05, "stayed level over 30 min in the canary (from 100, 2 pods), grew by 5.0 % in main; "),
        (-0.05, -0.01, "fell by 5.0 % over 30 min in the canary (from 100, 2 pods), by 1.0 % in main; "),
    ],
)
def test_both_growths_are_said(canary, main, said):
    """The canary's first, with the level it began at; what holds for both is said once."""
    check = LEAK.model_copy(update={"unit": ""})
    pieces = [
        levels([100 + 100 * main * at / WINDOW] * 4, [100 + 100 * canary * (at - 4) / WINDOW] * 2)
        for at in range(WINDOW)
    ]

    assert said in found(pieces, check).sentence


def test_a_start_is_no_leak():
    """Caches that fill for four minutes, in the canary alone."""
    finding = found(memory(start=8.0))

    assert finding.outcome is not Outcome.FAIL


def test_a_long_start_is_doubted():
    """Growth that has ended in the later half is said to be a start."""
    finding = found(memory(start=14.0, pods=(12, 4)))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "is doubtful, for " in finding.sentence
    assert finding.sentence.endswith(" left in the later half, as after a start")


def test_what_was_found_is_kept():
    """Blocks after the judgement change neither the outcome nor the sentence."""
    pieces = memory(leak=0.2)
    later = found([*pieces, *memory(30, seed=2)])

    assert later == found(pieces)


def test_a_leak_found_is_not_taken_back():
    """Later judgements may find one, never lose one."""
    pieces = [*memory(leak=0.3), *memory(60, seed=2)]

    assert found(pieces, judged_at=(59, 89, 119)).outcome is Outcome.FAIL


def test_a_leak_that_begins_later_is_found_at_a_later_judgement():
    """Nothing at promote-after, a leak by decide-by."""
    pieces = [*memory(seed=3), *memory(60, leak=0.6, seed=3)]

    assert found(pieces, judged_at=(59,)).outcome is not Outcome.FAIL
    assert found(pieces, judged_at=(59, 89, 119)).outcome is Outcome.FAIL


def test_pods_warm_up_each_for_itself():
    """A pod that joins later counts from two minutes after its own first block."""
    pieces = [levels({"m0": 1.0, "m1": 2.0}, {"old": 1.0})] * 20
    pieces += [levels({"m0": 1.0, "m1": 2.0}, {"old": 1.0, "new": 9.0})] * 10
    state = run(pieces)
    grown = state.levels.group(Arm.CANARY.value)

    assert np.isfinite(grown).sum(axis=1).tolist() == [6, 26]


def test_trouble_sets_aside_and_a_leak_is_still_said():
    """Trouble withholds what was not proven."""
    down = Slice({}, (), (DOWN,))

    assert found([*memory(), down]).set_aside == DOWN.text
    assert found([*memory(leak=0.2), down]).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("pods", "end"),
    [
        ((1, 3), "1 pod in main with a trend, and two are needed to know how much pods differ"),
        ((0, 3), "no values in main so far, nothing to compare"),
        ((8, 0), "no values in the canary so far, nothing to compare"),
    ],
)
def test_too_few_pods_are_doubt(pods, end):
    """How much pods differ is learnt from two at least."""
    finding = found(memory(leak=0.2, pods=pods))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == f"leak: {end}"


def test_a_canary_that_came_late_is_doubt():
    """A pod seen at the very end has no trend."""
    alone = [Slice({Arm.MAIN: piece.rows[Arm.MAIN]}) for piece in memory(40)]
    finding = found([*alone, *memory(20)])

    assert finding.sentence == "leak: no pod of the canary was there long enough to have a trend"


def test_nothing_has_no_growth():
    """There is no share of zero."""
    finding = found([levels([0.0] * 3, [0.0] * 2)] * WINDOW)

    assert finding.situation is Situation.NO_DATA
    assert finding.sentence == "leak: a level of 0 or less has no growth; a threshold check can judge it"


def test_no_comparison_arm_is_doubt():
    """Without an arm to compare with the sentence does not invent one."""
    finding = found(memory(), grant=replace(GRANT, against=None))

    assert finding.sentence == "leak: there is neither baseline nor main to compare the canary with"


def test_warm_up_is_said():
    """The first two minutes count for nothing."""
    assert found(memory(3)).sentence == "leak: warming up, not judged yet"


def test_rates_are_for_the_time_told():
    """10 % per hour is 5 % per half hour."""
    finding = found(memory(leak=0.2), LEAK.model_copy(update={"over": 3600.0}))

    assert finding.canary == pytest.approx(0.4, abs=0.04)
    assert "over 1 h in the canary" in finding.sentence


def test_a_faster_shrinking_main_has_no_doubling():
    """A canary that keeps its level never doubles, whatever main does."""
    pieces = [levels(100 - 0.3 * index + np.arange(4) / 10, [100.0, 100.0]) for index in range(WINDOW)]
    finding = found(pieces)

    assert finding.outcome is Outcome.FAIL
    assert "stayed level over 30 min in the canary" in finding.sentence
    assert "doubles" not in finding.sentence


def test_age_costs_no_memory():
    """Ten hours keep as many points as half an hour does."""
    hours = run(memory(1200))

    assert hours.levels.means.shape == (11, CELLS)
    assert hours.levels.means.nbytes < 8 * 2**10


def test_a_trend_warns_unless_told_otherwise():
    """A leak asks a person by default; the settings may say more."""
    assert LEAK.tier is Tier.WARN
    assert Trend(name="a", kind="trend", query="m{$cohort}", tier="critical").tier is Tier.CRITICAL


def test_needs_rows_and_pods_are_those_of_a_level():
    """One expression, its values as they are, by the pod's name where the metric knows no version."""
    assert LEAK.needs()["level"].expression.text == "container_memory{$cohort}"
    assert LEAK.rows({"level": {"a": (1.0,)}}) == {"a": (1.0,)}
    assert LEAK.by_pod() is Relative(name="r", kind="relative", query=LEAK.query, max_increase=1).by_pod()
    assert run([]).learnt == Learnt()


def test_a_query_needs_its_cohort():
    """Without $cohort both arms would get the same values."""
    with pytest.raises(ValidationError, match=r"has no \$cohort"):
        Trend(name="a", kind="trend", query="m")


rows = st.dictionaries(
    st.sampled_from("abcd"), st.tuples(st.floats(allow_nan=False, allow_infinity=False)), max_size=4
)
slices = st.lists(
    st.dictionaries(st.sampled_from([Arm.MAIN, Arm.CANARY]), rows, max_size=2).map(Slice),
    min_size=4,
    max_size=14,
)


@given(slices, st.sets(st.integers(4, 13), max_size=3))
@settings(deadline=None, max_examples=150)
def test_whatever_comes_findings_can_be_read(pieces, judged_at):
    """No NaN, chances in [0, 1], one line of 300 characters at most, and the same for pods in any order."""
    grant = replace(GRANT, warm_up_seconds=0.0)
    finding = found(pieces, judged_at=judged_at, grant=grant)
    turned = [
        Slice({arm: dict(reversed(mine.items())) for arm, mine in reversed(piece.rows.items())})
        for piece in pieces
    ]
    numbers = [value for value in asdict(finding).values() if isinstance(value, float)]

    assert not any(map(math.isnan, [*numbers, *(finding.interval or ())]))
    assert finding.p_value is None or 0 <= finding.p_value <= 1
    assert "\n" not in finding.sentence
    assert "nan" not in finding.sentence
    assert len(finding.sentence) <= 300
    assert repr(found(turned, judged_at=judged_at, grant=grant)) == repr(finding)


PARAMETERS = Parameters.model_validate(
    {
        "checks": [
            {"name": "restarts", "kind": "threshold", "counter": "restarts", "max": 0},
            {"name": "leak", "kind": "trend", "query": "memory{$cohort}", "unit": "bytes"},
        ]
    }
)
QUIET = Slice({Arm.CANARY: {"canary-0": (0.0,)}})


def release(pieces: list[Slice]) -> tuple[session.Session, list[tuple[Finding, ...]]]:
    """A session over the release's memory, nothing else happening."""
    state, said = session.begin(PARAMETERS, 0.0, Arm.MAIN), []
    for index, piece in enumerate(pieces):
        block = session.block(PARAMETERS, 0.0, index)
        state, findings = session.advance(state, Evidence(block, {"restarts": QUIET, "leak": piece}))
        said.append(findings)
    return state, said


def test_a_leak_warns_at_the_end_and_rolls_nothing_back():
    """20 % over the window in the canary only: found when the pass rule is judged, and the release passes."""
    state, said = release(memory(70, leak=0.2))
    leak = [findings[1].outcome for findings in said]

    assert leak.index(Outcome.FAIL) == WINDOW - 1
    assert set(leak[WINDOW - 1 :]) == {Outcome.FAIL}
    assert (state.standing.failed_block, state.standing.passed_block) == (None, WINDOW - 1)


def test_a_rebuilt_release_says_the_same():
    """Replayed from its evidence, to the byte."""
    pieces = memory(70, leak=0.12)
    _, said = release(pieces)
    blocks = [
        Evidence(session.block(PARAMETERS, 0.0, index), {"restarts": QUIET, "leak": piece})
        for index, piece in enumerate(pieces)
    ]
    again = session.replay(session.begin(PARAMETERS, 0.0, Arm.MAIN), blocks[:69])
    _, findings = session.advance(again, blocks[69])

    assert repr(findings) == repr(said[-1])


@pytest.mark.simulation
def test_healthy_releases_are_hardly_ever_said_to_leak():
    """Of 300 whose memory wanders, judged three times at 5 % in all, no more than 5 % warn."""
    warned = sum(
        found(memory(120, seed=seed, pods=(4, 1)), judged_at=(59, 89, 119)).outcome is Outcome.FAIL
        for seed in range(300)
    )

    assert warned / 300 <= 0.05


@pytest.mark.simulation
def test_most_leaks_of_a_fifth_are_found():
    """20 % in half an hour, memory wandering by 1 %: in nineteen of twenty releases."""
    caught = sum(found(memory(seed=seed, leak=0.2)).outcome is Outcome.FAIL for seed in range(200))

    assert caught >= 190
