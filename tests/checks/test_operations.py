"""The operations check: what the other version serves and the canary never does."""

from checkbench import DOWN, GRANT, judged, moment, run
from firedamp.checks.operations import MOST, Operations
from firedamp.model import Arm, Outcome, Slice, Tier

SERVED = Operations(name="operations", kind="operations")


def asked(main: dict[str, float], canary: dict[str, float]) -> Slice:
    """Requests of each operation in one block."""
    rows = {Arm.MAIN: main, Arm.CANARY: canary}
    told = {arm: {name: (0.0, n, 0.0) for name, n in each.items()} for arm, each in rows.items()}
    return Slice(told)


BOTH = {"GET /": 40.0, "POST /orders": 10.0}


def test_a_removed_endpoint_is_missed():
    """What the baseline serves all the while, the canary never does; what it does instead is named."""
    finding = judged(SERVED, [asked(BOTH, {"GET /": 10.0, "POST": 2.5})] * 20)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "operations: main served POST /orders 160 times, the canary never (200 canary requests; one that has "
        "it gets here 1 time in 730,000,000); it alone serves POST"
    )


def test_what_both_serve_passes():
    """All that is asked for was seen in the canary."""
    finding = judged(SERVED, [asked(BOTH, {"GET /": 10.0, "POST /orders": 2.5})] * 20)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence == "operations: the canary serves what main does (2 operations)"


def test_what_is_rare_is_not_missed_yet():
    """A few requests may all fall to the other version."""
    rare = asked({"GET /": 40.0, "DELETE /orders": 1.0}, {"GET /": 10.0})

    finding = judged(SERVED, [rare] * 8)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == (
        "operations: DELETE /orders was not asked of the canary yet; about 0.98 times would have been usual"
    )


def test_what_is_missing_stays_missing():
    """A request that comes later takes nothing back."""
    pieces = [asked(BOTH, {"GET /": 10.0})] * 20 + [asked(BOTH, {"GET /": 10.0, "POST /orders": 2.0})]

    assert judged(SERVED, pieces).outcome is Outcome.FAIL


def test_warm_up_counts_for_nothing():
    """A canary that still starts may know fewer routes."""
    pieces = [asked(BOTH, {"GET /": 10.0})] * 4 + [asked(BOTH, {"GET /": 10.0, "POST /orders": 2.0})] * 5

    assert judged(SERVED, pieces).outcome is Outcome.PASS


def test_without_traces_there_is_nothing_to_compare():
    """Nor is it passed."""
    finding = judged(SERVED, [asked(BOTH, {})] * 10)

    assert finding.outcome is Outcome.INCONCLUSIVE


def test_trouble_with_the_source_is_said():
    """Blocks without it count as they did."""
    finding = judged(SERVED, [asked(BOTH, BOTH)] * 6 + [Slice(troubles=(DOWN,))])

    assert finding.set_aside == DOWN.text


def test_only_so_many_operations_can_be_missed():
    """Alpha is split among the first ones that were ever seen."""
    names = {f"GET /{number}": 100.0 for number in range(MOST)}
    pieces = [asked(names, names)] * 6 + [asked({**names, "GET /last": 100.0}, names)] * 20

    assert judged(SERVED, pieces).outcome is not Outcome.FAIL


def test_names_that_never_end_are_followed_up_to_a_number():
    """Spans named by ids must not fill the memory."""
    pieces = [asked({f"GET /{block}-{at}": 1.0 for at in range(50)}, {}) for block in range(20)]

    assert len(run(SERVED, pieces).known) == 200


def test_a_removed_endpoint_asks_a_person():
    """It may be meant."""
    assert SERVED.tier is Tier.WARN


def test_every_block_at_once_is_every_block_by_itself():
    """A run rebuilt from its blocks is the run."""
    pieces = [asked(BOTH, {"GET /": 10.0})] * 8
    state = SERVED.begin(GRANT)
    for index, piece in enumerate(pieces):
        state = state.take(piece, moment(index))

    assert state == run(SERVED, pieces)
