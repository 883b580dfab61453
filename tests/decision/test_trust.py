"""Data that cannot be believed over the release: said with value, limit and remedy, and never passed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from checkbench import errors
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Finding, Outcome, Situation, Slice, Trouble, TroubleKind
from rehearsal import BOUNDS

PARAMETERS = Parameters.model_validate(
    {
        "window": {"promote_after": 1200, "decide_by": 2400},
        "checks": [
            {"name": "errors", "kind": "proportion", "events": "e", "total": "t"},
            {"name": "latency", "kind": "distribution", "histogram": "h"},
        ],
    }
)
RESET = Trouble(TroubleKind.RESET, "counters of pod canary-0 began again at zero")
GAP = Trouble(TroubleKind.GAP, "pod main-0 was not scraped for 1 min, usually every 15 s")
PARTIAL = Slice({}, (), (Trouble(TroubleKind.PARTIAL, "the source's answer is not whole: timeout"),))
DOWN = Slice({}, (), (Trouble(TroubleKind.SOURCE_DOWN, "no answer"),))
UNLABELLED = Trouble(TroubleKind.NO_SERIES, "t{version=~v2} has no series", Arm.CANARY)
#: Requests and errors per block of both arms: a healthy canary with a fifth of the traffic.
MAIN, CANARY = 1600, 400
#: Blocks of a release up to promote_after.
WINDOW = 40


def block(
    rng: np.random.Generator, canary: int = CANARY, main: int = MAIN, *, error_rate: float = 0.01
) -> Slice:
    """One block of both arms."""
    bad = rng.poisson(0.01 * main), rng.poisson(error_rate * canary)
    return errors((bad[0], main), (bad[1], canary), pods=2)


def healthy(blocks: int, **how) -> list[Slice]:
    rng = np.random.default_rng(3)
    return [block(rng, **how) for _ in range(blocks)]


def troubled(pieces: list[Slice], trouble: Trouble, where: range) -> list[Slice]:
    return [replace(piece, troubles=(trouble,)) if at in where else piece for at, piece in enumerate(pieces)]


def requests(piece: Slice) -> Slice:
    """The same requests as a histogram in which all take as long."""
    rows = {
        arm: {pod: tuple(row[1] * (at == 4) for at in range(len(BOUNDS))) for pod, row in pods.items()}
        for arm, pods in piece.rows.items()
    }
    return replace(piece, rows=rows, bounds=BOUNDS if any(rows.values()) else ())


def evidence(
    pieces: list[Slice], weights: list[float | None] | float | None, parameters: Parameters
) -> Iterator[Evidence]:
    told = weights if isinstance(weights, list) else [weights] * len(pieces)
    for index, (piece, weight) in enumerate(zip(pieces, told, strict=True)):
        slices = {"errors": piece, "latency": requests(piece)}
        yield Evidence(session.block(parameters, 0.0, index), slices, weight=weight)


def looks(
    pieces: list[Slice],
    weights: list[float | None] | float | None = 0.2,
    *,
    against: Arm = Arm.MAIN,
    parameters: Parameters = PARAMETERS,
) -> list[tuple[session.Session, dict[str, Finding]]]:
    """Where a release stands after each block, and what its checks found."""
    state, found = session.begin(parameters, 0.0, against), []
    for piece in evidence(pieces, weights, parameters):
        state, findings = session.advance(state, piece)
        found.append((state, {finding.check: finding for finding in findings}))
    return found


def last(pieces: list[Slice], *args, **how) -> Finding:
    """What the errors check found at the end."""
    return looks(pieces, *args, **how)[-1][1]["errors"]


def test_a_canary_with_its_share_passes():
    """A fifth of the requests where a fifth is told."""
    state, findings = looks(healthy(WINDOW))[-1]

    assert state.standing.passed_block == WINDOW - 1
    assert "share" not in findings["errors"].sentence


@pytest.mark.parametrize(
    ("canary", "said"),
    [
        (1600, "the canary got 50 % of the requests where its weight is 20 % (14 % to 27 % are allowed)"),
        (80, "the canary got 4.8 % of the requests where its weight is 20 % (14 % to 27 % are allowed)"),
    ],
)
def test_another_share_than_the_weight_is_never_passed(canary, said):
    """Either way; the sentence has value, limit and remedy."""
    state, findings = looks(healthy(WINDOW, canary=canary))[-1]

    assert state.standing.passed_block is None
    for check in ("errors", "latency"):
        assert findings[check].set_aside.startswith(said)
        assert findings[check].sentence.startswith(f"{check}: cannot judge, {said}; put the routing right")
        assert findings[check].situation is Situation.NO_DATA


def test_a_wrong_share_never_rolls_back():
    """Half of the requests, and no more errors than the other version."""
    found = looks(healthy(80, canary=1600))

    assert found[-1][0].standing.failed_block is None


def test_harm_is_said_whatever_the_share():
    """A canary that fails a tenth of half of all requests fails, not is set aside."""
    state, findings = looks(healthy(WINDOW, canary=1600, error_rate=0.1))[-1]

    assert findings["errors"].outcome is Outcome.FAIL
    assert findings["errors"].set_aside is None
    assert state.standing.failed_block is not None


def test_a_share_within_half_as_much_is_not_mentioned():
    """A balancer that gives 25 % instead of 20 % is nobody's trouble."""
    assert last(healthy(WINDOW, canary=533)).outcome is Outcome.PASS


def test_each_weight_is_judged_by_itself():
    """A ramp from 5 over 20 to 50 % whose shares follow the weights."""
    pieces = [piece for canary in (84, 400, 1600) for piece in healthy(20, canary=canary)]

    assert last(pieces, [0.05] * 20 + [0.2] * 20 + [0.5] * 20).set_aside is None


def test_the_block_of_a_change_is_not_judged():
    """Traffic that follows its weight a block late, step after step."""
    shares = [0.05, *([0.05, 0.2] * 20)]
    pieces = [healthy(1, canary=round(MAIN * share / (1 - share)))[0] for share in shares]

    assert last(pieces[1:], shares[:-1]).set_aside is None


def test_a_share_wrong_at_an_earlier_weight_is_remembered_for_a_while():
    """Half of the requests at 5 %: at 50 % that is right, and what was wrong is still said."""
    pieces = healthy(WINDOW, canary=1600)
    finding = last(pieces, [0.05] * 30 + [0.5] * 10)

    assert finding.set_aside.startswith("the canary got 50 % of the requests where its weight is 5.0 %")


def test_a_share_put_right_is_believed_again():
    """Ten minutes of the wrong share, then thirty of the right one."""
    found = looks([*healthy(20, canary=1600), *healthy(60)])

    assert found[19][1]["errors"].set_aside is not None
    assert found[-1][1]["errors"].outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("weight", "against", "why"),
    [
        (None, Arm.MAIN, "no weight is told"),
        ([None] * (WINDOW - 1) + [0.2], Arm.MAIN, "its weight has not held for long"),
        (0.2, Arm.BASELINE, "the baseline's weight is not known"),
    ],
)
def test_a_share_that_is_not_judged_is_said_with_the_pass(weight, against, why):
    """Nobody told what to expect, so nothing is proven of it."""
    pieces = healthy(WINDOW, canary=1600)
    if against is Arm.BASELINE:
        pieces = [
            Slice({Arm.BASELINE: one.rows[Arm.MAIN], Arm.CANARY: one.rows[Arm.CANARY]}) for one in pieces
        ]
    finding = last(pieces, weight, against=against)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence.endswith(f"; traffic share not judged, {why}")


def test_a_storm_of_resets_is_never_passed():
    """More than a fifth of the last twenty blocks, though the last block of all is clean."""
    state, findings = looks(troubled(healthy(WINDOW), RESET, range(25, 39, 2)))[-1]

    assert state.standing.passed_block is None
    assert findings["errors"].set_aside == (
        "counters of pod canary-0 began again at zero; something of the kind was in 7 of the last 20 blocks, "
        "at most 4 are allowed; see why pods restart, or whether two Prometheus replicas answer in turn"
    )


def test_a_few_resets_are_no_storm():
    """A pod that restarts now and then is counted right."""
    assert last(troubled(healthy(WINDOW), RESET, range(25, 33, 2))).outcome is Outcome.PASS


def test_a_storm_that_is_over_is_forgotten():
    """Ten minutes later nothing of it is left."""
    assert last(troubled(healthy(WINDOW), RESET, range(20))).outcome is Outcome.PASS


def test_troubles_of_one_pod_among_many_are_not_the_check_s():
    """One of forty pods restarts all the time: the others are judged by."""
    rng = np.random.default_rng(3)
    pieces = [errors((rng.poisson(16), MAIN), (rng.poisson(4), CANARY), pods=20) for _ in range(WINDOW)]

    assert last(troubled(pieces, RESET, range(WINDOW))).outcome is Outcome.PASS


@pytest.mark.parametrize(("gaps", "passed"), [(10, True), (11, False)])
def test_gaps_in_more_than_half_of_the_blocks_are_never_passed(gaps, passed):
    """Eleven of twenty are too many."""
    finding = last(troubled(healthy(WINDOW), GAP, range(39 - gaps, 39)))

    assert (finding.outcome is Outcome.PASS) is passed
    assert passed or finding.set_aside == (
        "pod main-0 was not scraped for 1 min, usually every 15 s; something of the kind was in 11 of the "
        "last 20 blocks, at most 10 are allowed; see why scrapes are missing"
    )


def test_answers_that_were_not_whole_are_gaps():
    """The source warned of eleven answers, which were left out."""
    finding = last([*healthy(28), *[PARTIAL] * 11, *healthy(1)])

    assert finding.set_aside.startswith("the source's answer is not whole: timeout; something of the kind")


def test_an_outage_only_stretches_the_window():
    """A source that does not answer takes time, not trust."""
    assert last([*healthy(28), *[DOWN] * 11, *healthy(12)]).outcome is Outcome.PASS


def test_labels_that_get_lost_are_a_gap():
    """The canary's series went away for most of the last ten minutes: no version label, or no scrape."""
    lost = [
        replace(piece, rows={Arm.MAIN: piece.rows[Arm.MAIN]}, troubles=(UNLABELLED,)) for piece in healthy(11)
    ]

    assert last([*healthy(28), *lost, *healthy(1)], None).set_aside.startswith(
        "t{version=~v2} has no series; some"
    )


def test_requests_without_the_canary_s_label_are_a_wrong_share():
    """Four in five of its requests carry no version: they are missed where a weight is told."""
    assert "where its weight is 20 %" in last(healthy(WINDOW, canary=CANARY // 5)).set_aside


def unlabelled(pieces: list[Slice], requests: float) -> list[Slice]:
    """The same, and in each block so many requests that carry no version label."""
    return [replace(piece, unlabelled=requests) for piece in pieces]


def test_requests_without_a_version_label_are_never_passed():
    """One in nine of all: what is left looks healthy, and they may be the canary's failing ones."""
    state, findings = looks(unlabelled(healthy(WINDOW), 250), None)[-1]

    assert state.standing.passed_block is None
    for check in ("errors", "latency"):
        assert findings[check].situation is Situation.NO_DATA
        assert findings[check].sentence == (
            f'{check}: cannot judge, 11 % of the requests carry no label "rollouts_pod_template_hash" (at '
            "most 5.0 % may); add it to the scrape's relabelling, see docs/statistics.md"
        )


def test_harm_is_proven_beside_requests_without_a_version_label():
    """What the others show is enough to stop a canary."""
    finding = last(unlabelled(healthy(WINDOW, error_rate=0.1), 1000), None)

    assert finding.outcome is Outcome.FAIL
    assert finding.set_aside is None


@pytest.mark.parametrize("requests", [0, 100])
def test_a_few_requests_without_a_version_label_are_nobody_s_trouble(requests):
    """Five in a hundred of all, or none."""
    alike = zip(healthy(WINDOW), unlabelled(healthy(WINDOW), requests), strict=True)

    assert last([some if at % 2 else none for at, (none, some) in enumerate(alike)]).outcome is Outcome.PASS


def test_a_stray_scrape_without_a_version_label_sets_no_quiet_check_aside():
    """Forty requests of a service that has eight per block are many, and still may be one scrape's."""
    rng = np.random.default_rng(1)
    pieces = [block(rng, 2, 6) for _ in range(WINDOW)]

    assert last([*pieces[:-1], *unlabelled(pieces[-1:], 40)], None).set_aside is None
    assert last([*pieces[:-1], *unlabelled(pieces[-1:], 60)], None).set_aside is not None


def test_labels_put_right_are_believed_again():
    """A tenth of the requests without a label for ten minutes, then none of them."""
    found = looks([*unlabelled(healthy(20), 250), *healthy(60)])

    assert found[19][1]["errors"].set_aside is not None
    assert found[-1][1]["errors"].outcome is Outcome.PASS


def test_before_a_canary_there_is_no_gap():
    """A release that waited a while for its canary."""
    waiting = [replace(piece, rows={Arm.MAIN: piece.rows[Arm.MAIN]}) for piece in healthy(12)]
    found = looks([*troubled(waiting, UNLABELLED, range(12)), *healthy(WINDOW - 12)])

    assert found[15][1]["errors"].set_aside is None


@pytest.mark.parametrize("silent", [Arm.MAIN, Arm.CANARY])
def test_an_arm_that_falls_silent_is_never_passed(silent):
    """Everything before was fine, and then one version got no requests for five minutes."""
    counts = {"main": 0} if silent is Arm.MAIN else {"canary": 0}
    state, findings = looks([*healthy(30), *healthy(10, **counts)], None)[-1]
    who, heard = ("main", "4,000 in the canary") if silent is Arm.MAIN else ("the canary", "16,000 in main")

    assert state.standing.passed_block is None
    assert findings["errors"].situation is Situation.NO_TRAFFIC
    assert findings["errors"].set_aside == (
        f"no requests in {who} for 5 min, {heard}; see whether traffic still reaches it"
    )


def test_thin_traffic_is_no_silence():
    """A canary with a request every five minutes is not silent between them."""
    rng = np.random.default_rng(1)
    pieces = [errors((0, 8), (0, int(at % 10 == 0))) for at in range(38)]
    finding = last([*pieces, block(rng, 0, 8), block(rng, 0, 8)], None)

    assert finding.set_aside is None


def test_a_night_without_any_requests_is_no_silence():
    """Nobody asked either version anything."""
    assert last([*healthy(30), *healthy(10, canary=0, main=0)], None).set_aside is None


def test_what_was_set_aside_claims_no_power():
    """An advance may not count on a check that nobody can believe."""
    state, findings = looks(healthy(WINDOW, canary=1600))[-1]

    assert (findings["errors"].detectable, findings["errors"].needs) == (None, None)
    assert state.standing.detectable is None


def test_rebuilt_is_the_same_to_the_last_digit():
    """Block by block or all at once."""
    pieces = troubled(healthy(WINDOW, canary=1600), RESET, range(25, 39, 2))
    given = list(evidence(pieces, 0.2, PARAMETERS))
    step_by_step = looks(pieces)[-1][0]
    rebuilt = session.replay(session.begin(PARAMETERS, 0.0, Arm.MAIN), given)

    assert [one.notes for one in rebuilt.trusts] == [one.notes for one in step_by_step.trusts]
    assert [one.test.e_value for one in rebuilt.trusts] == [one.test.e_value for one in step_by_step.trusts]


def test_alpha_for_a_wrong_share_is_split_over_the_checks_that_count_requests():
    """A tenth of a per cent per release, however many of them there are."""
    state = session.begin(PARAMETERS, 0.0, Arm.MAIN)

    assert [one.alpha for one in state.trusts] == [0.0005, 0.0005]
