"""
What is promised about whole releases, counted on seeded ones.

A bound of a rate is held with room for the luck of so many releases: three standard deviations of a
binomial count.
"""

import math
from dataclasses import replace

import pytest

from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm
from rehearsal import Shop, blocks

PARAMETERS = Parameters.model_validate(
    {
        "checks": [
            {"name": "errors", "kind": "proportion", "events": 'r{code=~"5.."}', "total": "r"},
            {"name": "latency", "kind": "distribution", "histogram": "d"},
        ],
        "window": {"look": 60, "promote_after": 900, "decide_by": 1200},
    }
)
RELEASES = 400


SALES = PARAMETERS.model_copy(
    update={"checks": (PARAMETERS.checks[0].model_copy(update={"name": "sales", "harm": "fewer"}),)}
)


def ended(shop: Shop, count: int, parameters: Parameters = PARAMETERS) -> session.Standing:
    """Where a release stands when it has failed, or after so many blocks."""
    state = session.begin(parameters, 0.0, Arm.MAIN)
    for piece in blocks(parameters, shop, count):
        state, _ = session.advance(state, piece, planning=False)
        if state.standing.failed_block is not None:
            break
    return state.standing


def most(rate: float, releases: int) -> float:
    """A count that a rate exceeds by chance less than once in seven hundred times."""
    return releases * rate + 3 * math.sqrt(releases * rate * (1 - rate))


@pytest.mark.simulation
@pytest.mark.timeout(240)
def test_healthy_releases_are_rarely_rolled_back():
    """Of 400 healthy releases looked at until decide-by, two in a hundred are rolled back at most."""
    standings = [
        ended(Shop(requests=600, baseline_pods=8, canary_pods=4, seed=seed), 20) for seed in range(RELEASES)
    ]

    assert sum(one.failed_block is not None for one in standings) <= most(PARAMETERS.alpha, RELEASES)


@pytest.mark.simulation
def test_five_times_the_errors_are_found():
    """At 600 requests a block and a fifth of the traffic, five times 1 % errors are found 19 times of 20."""
    standings = [
        ended(Shop(requests=600, canary_errors=0.05, baseline_pods=8, canary_pods=4, seed=1000 + seed), 20)
        for seed in range(100)
    ]

    assert sum(one.failed_block is None for one in standings) <= 5


@pytest.mark.simulation
def test_half_as_slow_again_is_found():
    """Requests that take 50 % longer are found in all but a few releases."""
    standings = [
        ended(Shop(requests=600, canary_median=0.12, baseline_pods=8, canary_pods=4, seed=2000 + seed), 20)
        for seed in range(100)
    ]

    assert sum(one.failed_block is None for one in standings) <= 5


@pytest.mark.simulation
def test_bad_canaries_do_not_pass():
    """A canary with five times the errors that is not found in time is not passed either."""
    shops = [Shop(requests=80, canary_errors=0.05, seed=3000 + seed) for seed in range(100)]

    assert not any(ended(shop, 20).passed_block is not None for shop in shops)


@pytest.mark.simulation
@pytest.mark.parametrize(("canary", "failed"), [(0.97, range(7)), (0.99, range(95, 101))])
def test_rare_conversions_are_judged_like_rare_errors(canary, failed):
    """Three visits in a hundred end in an order: a fall to one is found, the same rate is left alone."""
    shop = Shop(requests=3000, baseline_errors=0.97, canary_errors=canary, baseline_pods=8, canary_pods=4)
    standings = [ended(replace(shop, seed=4000 + seed), 20, SALES) for seed in range(100)]

    assert sum(one.failed_block is not None for one in standings) in failed
