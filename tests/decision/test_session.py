"""The session: a fold over blocks that fails at any look and passes at three."""

from dataclasses import replace

import pytest

from checkbench import errors
from firedamp.checks import PASS_LEVEL, Proportion
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Outcome, Slice, Standing, Trouble, TroubleKind
from firedamp.stats.noise import Learnt
from rehearsal import Shop, blocks, judged

PARAMETERS = Parameters.model_validate(
    {
        "window": {"promote_after": 600, "decide_by": 1200},
        "checks": [
            {"name": "errors", "kind": "proportion", "events": "e", "total": "t"},
            {"name": "refusals", "kind": "proportion", "events": "r", "total": "t", "tier": "warn"},
            {"name": "retries", "kind": "proportion", "events": "r", "total": "t", "tier": "warn"},
            {"name": "misses", "kind": "proportion", "events": "r", "total": "t", "tier": "debug"},
        ],
    }
)
GOOD = errors((20, 2000), (5, 500))
BAD = errors((20, 2000), (50, 500))
THIN = errors((0, 20), (0, 5))
DOWN = Slice({}, (), (Trouble(TroubleKind.SOURCE_DOWN, "no answer"),))
NO_DATA = Slice({}, (), (Trouble(TroubleKind.NO_SERIES, "no such metric"),))


def evidence(index: int, piece: Slice, parameters: Parameters = PARAMETERS, **others: Slice) -> Evidence:
    """A block with the same slice for every check but those named."""
    slices = {check.name: others.get(check.name, piece) for check in parameters.checks}
    return Evidence(session.block(parameters, 0.0, index), slices)


def standings(
    pieces: list[Slice], parameters: Parameters = PARAMETERS, **others: list[Slice]
) -> list[Standing]:
    """Where the release stands after each block."""
    state, found = session.begin(parameters, 0.0, Arm.MAIN), []
    for index, piece in enumerate(pieces):
        own = {name: slices[index] for name, slices in others.items()}
        state, _ = session.advance(state, evidence(index, piece, parameters, **own))
        found.append(state.standing)
    return found


def judgements(found: list[Standing]) -> list[int]:
    """Blocks at which the pass rule was judged."""
    counts = [0, *(one.judged for one in found)]
    return [index for index, judged_now in enumerate(counts[1:]) if judged_now > counts[index]]


def test_a_healthy_release_passes_at_promote_after():
    """Ten minutes of health are passed when they are over, not before."""
    found = standings([GOOD] * 25)

    assert judgements(found) == [19]
    assert found[19].passed_block == 19
    assert found[18].passed_block is None
    assert found[19].elapsed_seconds == 600


def test_a_pass_is_judged_three_times_at_most():
    """Too little evidence: judged after 10, 15 and 20 minutes and never again."""
    found = standings([THIN] * 60)

    assert judgements(found) == [19, 29, 39]
    assert found[-1].passed_block is None


def test_a_window_without_a_second_half_is_judged_once():
    """Where decide-by is promote-after, nothing is judged beyond it."""
    short = PARAMETERS.model_copy(
        update={"window": PARAMETERS.window.model_copy(update={"decide_by": 600.0})}
    )

    assert judgements(standings([THIN] * 30, short)) == [19]


def test_blocks_that_do_not_divide_the_window_are_judged_in_it():
    """The last judgement falls on the block in which decide-by lies."""
    odd = PARAMETERS.model_copy(update={"window": PARAMETERS.window.model_copy(update={"look": 70.0})})

    assert judgements(standings([THIN] * 30, odd)) == [8, 12, 17]


def test_harm_is_acted_on_at_any_block():
    """Two minutes after warm-up a bad canary has failed; nobody waits for the window."""
    found = standings([BAD] * 8)

    assert found[-1].failed_block == 4
    assert found[-1].harm.startswith("errors: the canary served ")


def test_failed_stays_failed():
    """A canary that recovers has failed, with the sentence of that moment, and never passes."""
    found = standings([BAD] * 6 + [GOOD] * 60)

    assert found[-1].failed_block == 4
    assert found[-1].harm == found[4].harm
    assert found[-1].passed_block is None
    assert judgements(found) == []


def test_a_passed_release_is_still_guarded():
    """Harm after the pass fails the release all the same."""
    found = standings([GOOD] * 20 + [BAD] * 40)

    assert found[-1].passed_block == 19
    assert found[-1].failed_block is not None
    assert found[-1].failed_block > 19


def test_a_warn_check_never_fails_a_release():
    """What asks a person does not roll back."""
    found = standings([GOOD] * 25, refusals=[BAD] * 25)

    assert found[-1].failed_block is None
    assert found[-1].passed_block == 19


def test_two_failing_warn_checks_withhold_the_pass_until_decide_by():
    """Two warnings at once pause the release; at decide-by the critical checks have their way."""
    found = standings([GOOD] * 45, refusals=[BAD] * 45, retries=[BAD] * 45)

    assert judgements(found) == [19, 29, 39]
    assert found[38].passed_block is None
    assert found[39].passed_block == 39


def test_the_first_withheld_pass_is_remembered():
    """At the judgement at which warnings alone stood in its way; one warning, or no health, is none."""
    withheld = standings([GOOD] * 45, refusals=[BAD] * 45, retries=[BAD] * 45)
    warned = standings([GOOD] * 45, refusals=[BAD] * 45)
    thin = standings([THIN] * 45, refusals=[BAD] * 45, retries=[BAD] * 45)

    assert (withheld[18].withheld_block, withheld[19].withheld_block, withheld[-1].withheld_block) == (
        None,
        19,
        19,
    )
    assert warned[-1].withheld_block is None
    assert thin[-1].withheld_block is None


def test_debug_checks_only_record():
    """A failing debug check neither fails nor withholds anything."""
    found = standings([GOOD] * 25, misses=[BAD] * 25, refusals=[BAD] * 25)

    assert found[-1].failed_block is None
    assert found[-1].passed_block == 19


def test_without_critical_checks_nothing_passes():
    """Warnings alone prove nothing."""
    warn = PARAMETERS.model_copy(update={"checks": PARAMETERS.checks[1:]})

    assert standings([GOOD] * 45, warn)[-1].passed_block is None


@pytest.mark.parametrize("blind", [DOWN, Slice()])
def test_an_outage_stretches_the_window(blind):
    """Ten blocks in which the source saw nothing push the judgement ten blocks on."""
    found = standings([GOOD] * 10 + [blind] * 10 + [GOOD] * 20)

    assert judgements(found) == [29]
    assert found[19].elapsed_seconds == found[9].elapsed_seconds == 300
    assert found[29].passed_block == 29


def test_an_outage_stretches_the_window_to_twice_its_length_at_most():
    """Metrics that are gone for good do not keep a release waiting for ever."""
    found = standings([GOOD] * 10 + [Slice()] * 90)

    assert found[49].elapsed_seconds == 300
    assert found[-1].elapsed_seconds == 1800


def test_before_the_first_evidence_time_passes():
    """A canary that never shows up uses up its window, so that the policy can speak."""
    assert standings([NO_DATA] * 45)[-1].elapsed_seconds == 1350


def test_warm_up_counts_from_the_canary_s_first_block():
    """A canary that comes after five minutes warms up then."""
    alone = errors((20, 2000), (0, 0))
    alone = Slice({Arm.MAIN: alone.rows[Arm.MAIN]})

    assert standings([alone] * 10 + [BAD] * 8)[-1].failed_block == 14


def test_alpha_is_spent_by_blocks_with_evidence():
    """An outage spends nothing: afterwards the budget is where it was."""
    straight = standings([GOOD] * 8 + [BAD] * 10)[-1].failed_block
    broken = standings([GOOD] * 8 + [DOWN] * 30 + [BAD] * 10)[-1].failed_block

    assert straight is not None
    assert broken == straight + 30


def test_the_worst_critical_check_says_what_would_have_been_seen():
    """Of two critical checks the blunter one counts; while one cannot say, nobody can."""
    two = PARAMETERS.model_copy(
        update={"checks": (PARAMETERS.checks[0], PARAMETERS.checks[0].model_copy(update={"name": "other"}))}
    )
    sharp, blunt = standings([GOOD] * 10)[-1], standings([GOOD] * 10, two, other=[THIN] * 10)[-1]

    assert sharp.detectable is not None
    assert blunt.detectable is not None
    assert sharp.detectable < blunt.detectable
    assert standings([GOOD] * 10, two, other=[NO_DATA] * 10)[-1].detectable is None


def test_other_kinds_than_proportions_do_not_say_what_would_have_been_seen():
    """A release without proportion checks has no such figure."""
    limits = Parameters.model_validate(
        {"checks": [{"name": "restarts", "kind": "threshold", "counter": "c", "max": 0}]}
    )

    assert standings([Slice({Arm.CANARY: {"a": (0.0,)}})] * 10, limits)[-1].detectable is None


def test_blocks_are_taken_in_order():
    """A block that is not the next one is an error of the caller."""
    state = session.begin(PARAMETERS, 0.0, Arm.MAIN)

    assert state.next_block == session.block(PARAMETERS, 0.0, 0)
    with pytest.raises(ValueError, match="block 3 is not the next one, 0"):
        session.advance(state, evidence(3, GOOD))


def test_a_check_without_a_slice_keeps_its_run():
    """Evidence that lacks a check (added later) leaves that check where it is."""
    state = session.begin(PARAMETERS, 0.0, Arm.MAIN)
    piece = evidence(0, GOOD)
    state, found = session.advance(state, replace(piece, slices={"errors": GOOD}))

    assert state.runs[1].seen == (0.0, 0.0)
    assert state.runs[0].seen == (2000, 500)
    assert len(found) == 4


def test_rebuilt_is_the_same_to_the_last_digit():
    """Whether taken one by one, or rebuilt after a restart, a release stands and speaks the same."""
    both = PARAMETERS.model_copy(
        update={
            "checks": (
                *PARAMETERS.checks,
                Parameters.model_validate(
                    {"checks": [{"name": "latency", "kind": "distribution", "histogram": "h"}]}
                ).checks[0],
            )
        }
    )
    pieces = list(blocks(both, Shop(canary_errors=0.015), 30))
    state, spoken = judged(both, iter(pieces))
    again = session.replay(session.begin(both, 0.0, Arm.MAIN), pieces[:17])
    again = session.replay(again, pieces[17:29])
    again, said = session.advance(again, pieces[29])

    assert repr(said) == repr(spoken)
    assert again.standing == state.standing
    assert session.replay(again, []) is again


def test_alpha_is_shared_by_weight_within_a_tier():
    """The critical checks share 2 %, the warn checks 5 %, by their weights."""
    shared = Parameters(
        checks=(
            Proportion(name="a", kind="proportion", events="e", total="t", weight=3),
            Proportion(name="b", kind="proportion", events="e", total="t"),
            Proportion(name="c", kind="proportion", events="e", total="t", tier="warn"),
        )
    )

    assert [shared.alpha_of(check) for check in shared.checks] == pytest.approx([0.015, 0.005, 0.05])


def test_the_session_judges_at_a_third_of_five_per_cent():
    """Three judgements share 5 %, whatever checks say in between."""
    assert pytest.approx(0.05) == session.JUDGEMENTS * PASS_LEVEL


def test_findings_are_in_the_order_of_the_checks():
    """One finding per check, by name."""
    _, found = session.advance(session.begin(PARAMETERS, 0.0, Arm.MAIN), evidence(0, GOOD))

    assert [finding.check for finding in found] == ["errors", "refusals", "retries", "misses"]
    assert {finding.outcome for finding in found} == {Outcome.INCONCLUSIVE}


def test_each_check_is_granted_what_is_known_of_its_noise():
    """What earlier releases told goes to the check of that name; of the others nothing is known."""
    told = Learnt(phi_sum=30.0, phi_weight=10.0)
    state = session.begin(PARAMETERS, 0.0, Arm.MAIN, {"refusals": told})

    assert [run.grant.known for run in state.runs] == [Learnt(), told, Learnt(), Learnt()]
