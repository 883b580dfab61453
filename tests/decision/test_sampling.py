"""Traces beside the service's own requests: sampled alike, by a policy that is told, or not believed."""

import numpy as np
import pytest

from checkbench import errors
from firedamp.checks import FlowRoot
from firedamp.config.flows import Traces
from firedamp.decision import session
from firedamp.decision.flows import Flow
from firedamp.decision.parameters import Parameters, Sampled
from firedamp.decision.sampling import Sampling, Sums
from firedamp.model import Arm, Evidence, Finding, Outcome, Situation, Slice
from firedamp.queries import THINNED

FLOW = Flow(name="order", root=FlowRoot(service="gateway", operation="POST /orders"))
OWN = {"name": "errors", "kind": "proportion", "events": "e", "total": "t"}
#: Requests per block of both arms, and the part of them that fails.
MAIN, CANARY, FAILING = 1600, 400, 0.01
#: Traces are counted two blocks later than requests.
LAG = 2
UNLIKE = (
    "its traces are sampled otherwise than the other version's; sample both alike, or let the sampler write "
    "the threshold into the trace state"
)


def parameters(sampling: Sampled | None = None) -> Parameters:
    """Errors by metrics, one flow by traces."""
    traces = Traces(flows=(FLOW,), sampling=sampling)
    own = Parameters.model_validate({"checks": [OWN], "window": {"promote_after": 1200, "decide_by": 2400}})
    return own.model_copy(update={"checks": (*own.checks, *traces.checks()), "traces": traces.reading()})


def told(
    sampling: Sampled | None = None,
    *,
    kept: tuple[float, float] = (1.0, 1.0),
    errors_kept: bool = False,
    canary_errors: float = FAILING,
    blocks: int = 40,
    weight: tuple[float, ...] = (),
    errors_of: tuple[float, ...] = (),
) -> dict[str, Finding]:
    """
    Findings after so many blocks.

    Of each arm's traces a part is kept; where errors are kept that is the part of the others. The canary's
    share may move (`weight`, block by block).
    """
    settings, rng = parameters(sampling), np.random.default_rng(11)
    state, found, before = session.begin(settings, 0.0, Arm.MAIN), (), []
    for index in range(blocks):
        share = weight[index] if weight else CANARY / (MAIN + CANARY)
        asked = (MAIN + CANARY) * (1 - share), (MAIN + CANARY) * share
        rates = FAILING, errors_of[index] if errors_of else canary_errors
        bad = [int(rng.poisson(n * rate)) for n, rate in zip(asked, rates, strict=True)]
        before.append(list(zip(bad, map(round, asked), strict=True)))
        requests = errors(*before[-1], pods=2)
        traced = before[index - LAG] if index >= LAG else [(0, 0), (0, 0)]
        flows = [_sampled(rng, arm, part, errors_kept) for arm, part in zip(traced, kept, strict=True)]
        state, found = session.advance(state, _evidence(state, requests, flows, sampling))
    return {one.check: one for one in found}


def _sampled(rng, arm: tuple[int, int], part: float, errors_kept: bool) -> tuple[int, int]:
    failed, requests = arm
    bad = failed if errors_kept else int(rng.binomial(failed, part))
    return bad, bad + int(rng.binomial(requests - failed, part))


def _evidence(state, requests: Slice, flows: list[tuple[int, int]], sampling: Sampled | None) -> Evidence:
    wanted = {check.name: check.traced() for check in state.parameters.checks}
    visits = {Arm.MAIN: flows[0], Arm.CANARY: flows[1]}
    operations = {arm: {"POST /orders": (bad, n, bad)} for arm, (bad, n) in visits.items() if n}
    slices = {"errors": requests, "operations": Slice(operations)}
    for name, one in wanted.items():
        if one is not None and one.measure in ("outcome", "below"):
            slices[name] = _rows(flows, THINNED if one.thinned else 1.0)
    return Evidence(state.next_block, slices)


def _rows(flows: list[tuple[int, int]], factor: float) -> Slice:
    rows = {}
    for arm, (bad, all_of_them) in zip((Arm.MAIN, Arm.CANARY), flows, strict=True):
        names = [f"{arm}-{pod}" for pod in range(2)]
        rows[arm] = {
            name: (bad / len(names), (bad + (all_of_them - bad) * factor) / len(names)) for name in names
        }
    return Slice({arm: pods for arm, pods in rows.items() if any(row[1] for row in pods.values())})


def test_unsampled_traces_are_judged():
    """Nothing differs from what the counters say."""
    assert told()["order.availability"].set_aside is None


def test_one_trace_in_ten_of_both_versions_is_judged():
    """A sampler at the head knows of no version."""
    assert told(kept=(0.1, 0.1))["order.availability"].set_aside is None


def test_versions_sampled_unlike_each_other_are_set_aside():
    """One in ten of the old version, every one of the canary."""
    found = told(kept=(0.1, 1.0))["order.availability"]

    assert (found.outcome, found.situation) == (Outcome.INCONCLUSIVE, Situation.NO_DATA)
    assert found.set_aside is not None
    assert found.set_aside.startswith("the canary has 72 % of the traced visits and 20 % of the requests")
    assert found.set_aside.endswith(UNLIKE)


def test_harm_among_traces_sampled_unlike_each_other_is_no_harm():
    """It may be the sampling's."""
    found = told(kept=(0.1, 1.0), canary_errors=0.2)["order.availability"]

    assert found.outcome is Outcome.INCONCLUSIVE


def test_what_metrics_prove_stands_whatever_traces_do():
    """Only checks of flows live on traces."""
    assert told(kept=(0.1, 1.0), canary_errors=0.2)["errors"].outcome is Outcome.FAIL


def test_a_ramp_is_no_difference_in_sampling():
    """Traces are counted later than requests, and are compared with those of their own minutes."""
    ramp = (0.05,) * 12 + (0.5,) * 12

    assert told(weight=ramp, blocks=24)["order.availability"].set_aside is None


def test_the_first_blocks_are_no_difference_in_sampling():
    """Traces of the time before the release are no visits of its requests."""
    assert told(blocks=3, weight=(0.5,) * 3)["order.availability"].set_aside is None


def test_a_canary_whose_spans_fail_is_no_difference_in_sampling():
    """That its own counters know nothing of it is what flows are for."""
    found = told(canary_errors=0.2, blocks=20)["order.availability"]

    assert (found.outcome, found.set_aside) == (Outcome.FAIL, None)


def test_warm_up_lasts_longer_for_what_is_counted_later():
    """Flows of a cold canary are counted when its requests are judged already."""
    cold = (0.06,) * 4 + (FAILING,) * 56

    found = told(errors_of=cold, blocks=60)

    assert found["order.availability"].outcome is not Outcome.FAIL


def test_failures_kept_in_secret_are_noticed():
    """Every failure, and one in twenty of the rest."""
    found = told(kept=(0.05, 0.05), errors_kept=True)["order.availability"]

    assert found.set_aside is not None
    assert "failures are kept and the rest is sampled" in found.set_aside
    assert found.set_aside.endswith("traces.sampling: errors-kept)")


def test_failures_kept_and_told_are_judged_by_odds():
    """A healthy canary is not stopped, and no rate is shown."""
    found = told(Sampled.ERRORS_KEPT, kept=(0.05, 0.05), errors_kept=True)["order.availability"]

    assert found.set_aside is None
    assert found.outcome is not Outcome.FAIL
    assert (found.baseline, found.canary) == (None, None)


def test_failures_kept_and_told_still_show_harm():
    """Five times the odds are five times the odds, whatever part of the rest was kept."""
    found = told(
        Sampled.ERRORS_KEPT, kept=(0.05, 0.05), errors_kept=True, canary_errors=5 * FAILING, blocks=20
    )["order.availability"]

    assert found.outcome is Outcome.FAIL
    assert found.interval is not None
    assert found.interval[0] < 5.2 < found.interval[1]
    assert "rates are not known" in found.sentence
    assert "%" not in found.sentence.partition("the odds are")[2].partition(";")[0]


def test_kept_requests_are_told_as_they_were_counted():
    """Not as many as they stand for."""
    found = told(Sampled.ERRORS_KEPT, kept=(0.05, 0.05), errors_kept=True)["order.availability"]

    assert 34 * CANARY * 0.05 < found.canary_n < 42 * CANARY * 0.07


@pytest.mark.parametrize("sampling", [Sampled.OTHERWISE])
def test_traces_sampled_by_other_rules_are_never_judged(sampling):
    """By latency, by rate: those that are left say nothing of the rest."""
    found = told(sampling)

    assert {name for name, one in found.items() if one.set_aside} == {
        "order.availability",
        "order.below",
        "order.collateral",
        "order.latency",
        "order.service-latency",
        "order.caller-latency",
    }


def test_what_the_settings_say_of_failures_is_believed():
    """Sampled at the head: a service whose counters know fewer failures than its spans is judged."""
    found = told(Sampled.HEAD, kept=(0.05, 0.05), errors_kept=True)["order.availability"]

    assert found.set_aside is None


def test_more_failures_than_visits_are_no_error():
    """Counts that do not fit each other leave nothing to compare."""
    visits = Sums(every=(5.0, 50.0), tainted=(6.0, 60.0))
    told = Sampling(
        Arm.MAIN,
        Sampled.ERRORS_KEPT,
        "o",
        "e",
        0,
        requests=Sums(every=(100.0, 100.0)),
        visits=visits,
    )

    assert told.doubt == ""
