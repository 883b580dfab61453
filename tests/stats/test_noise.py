"""Noise learnt from pods and blocks: against the table written out, and drawn with known clumps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firedamp.stats.noise import Learnt, Table, learn

EVENTS = arrays(np.int64, st.tuples(st.integers(2, 6), st.integers(2, 8)), elements=st.integers(0, 9))


def table(events: np.ndarray, requests: float = 1000.0) -> Table:
    """(pods, blocks) events as a table; every pod serves as many requests."""
    found = Table()
    for block in np.asarray(events, dtype=float).T:
        found = found.add({f"pod-{number}": (count, requests) for number, count in enumerate(block)})
    return found


def clumped(rng: np.random.Generator, *, pods: int, blocks: int, mean: float, size: float) -> np.ndarray:
    """Errors in geometric batches of this mean size: their variance is 2 size - 1 times their mean."""
    batches = rng.poisson(mean / size, (pods, blocks))
    return np.array([[rng.geometric(1 / size, count).sum() for count in row] for row in batches])


@given(EVENTS)
def test_the_sums_are_those_of_the_table_written_out(events):
    """Σ(k - e)² and its expectation, e = row x column / total, over rows and columns that have events."""
    found = table(events).excess()
    events = events[events.sum(axis=1) > 0][:, events.sum(axis=0) > 0]

    if min(events.shape) < 2:
        assert found.expected == 0
        return
    rows, columns, total = events.sum(axis=1), events.sum(axis=0), events.sum()
    means = np.outer(rows, columns) / total
    assert found.found == pytest.approx(((events - means) ** 2).sum(), abs=1e-9)
    left = means * np.outer(1 - rows / total, 1 - columns / total)
    assert found.expected == pytest.approx(left.sum())
    assert found.freedom == (len(rows) - 1) * (len(columns) - 1)


#: Clumps of variance 5, believed a tenth larger.
ALLOWED = 1 + 1.1 * (5 - 1)


def test_nothing_learnt_is_a_bursty_service():
    """Until its pods show otherwise, errors come in clumps of variance 5."""
    assert Learnt().dispersion.phi == 5.0
    assert Learnt().dispersion.tau == 0.25


def test_a_few_quiet_errors_melt_the_prior():
    """Fifty errors that do not clump leave little of a prior worth half an error."""
    rng = np.random.default_rng(11)
    found = learn(table(rng.poisson(0.1, (16, 30))), Table())

    assert found.phi_weight > 30
    assert found.dispersion.phi < 1.6


@pytest.mark.parametrize("size", [1.0, 3.0, 6.0])
def test_clumps_are_found_as_drawn(size):
    """Geometric batches of a mean size have a variance of 2 size - 1."""
    rng = np.random.default_rng(5)
    events = clumped(rng, pods=16, blocks=400, mean=1.0, size=size)

    assert learn(table(events), Table()).dispersion.phi == pytest.approx(2 * size - 1, rel=0.1)


def test_what_everybody_shares_is_no_clump():
    """A trouble of some minutes that multiplies the errors of all pods leaves phi near 1."""
    rng = np.random.default_rng(6)
    means = np.outer(np.linspace(0.5, 2, 16), np.where(np.arange(60) % 20 < 5, 3.0, 0.3))

    assert learn(table(rng.poisson(means)), Table()).dispersion.phi < 1.2


def test_a_fault_of_the_canary_is_no_clump():
    """The canary's pods fail ten times as often from half way on: their own table does not widen."""
    rng = np.random.default_rng(7)
    means = np.outer(np.ones(4), np.where(np.arange(60) < 30, 0.3, 3.0))

    assert learn(Table(), table(rng.poisson(means))).dispersion.phi < 1.3


@pytest.mark.parametrize("cv", [0.0, 0.3, 0.5])
def test_pods_that_differ_are_found_as_drawn(cv):
    """Gamma rates of this cv in many pods with many errors; 0.25 with five pods' weight is the prior."""
    rng = np.random.default_rng(8)
    rates = rng.gamma(1 / cv**2, cv**2, 200) if cv else np.ones(200)
    events = rng.poisson(np.outer(rates, np.full(60, 2.0)))

    assert learn(table(events), Table()).dispersion.tau == pytest.approx(cv, abs=0.05)


def test_with_few_errors_the_prior_for_pods_stays():
    """Two errors per pod tell next to nothing of how pods differ."""
    rng = np.random.default_rng(9)
    found = learn(table(rng.poisson(0.03, (16, 60))), Table())

    assert found.tau_weight < 0.3
    assert found.dispersion.tau == pytest.approx(0.25, abs=0.02)


def test_what_is_learnt_adds_up():
    """Earlier releases and this one pull together."""
    rng = np.random.default_rng(10)
    releases = [
        learn(table(rng.poisson(np.outer(rng.gamma(4, 0.25, 10), np.full(60, 1.0)))), Table())
        for _ in range(20)
    ]

    together = sum(releases, Learnt())

    assert together.tau_weight == pytest.approx(sum(one.tau_weight for one in releases))
    assert together.dispersion.tau == pytest.approx(0.5, abs=0.06)


def test_a_single_pod_is_compared_with_itself():
    """Without pods to compare, the comparison arm's blocks tell of clumps; a canary's would hide a fault."""
    rng = np.random.default_rng(12)
    lone = table(clumped(rng, pods=1, blocks=600, mean=3.0, size=3.0))

    assert learn(lone, Table()).dispersion.phi == pytest.approx(ALLOWED, rel=0.15)
    assert learn(Table(), lone) == Learnt()


def test_a_pod_that_comes_late_is_no_clump():
    """A second half with twice the pods: each half is a table of its own."""
    rng = np.random.default_rng(13)
    found = table(rng.poisson(2.0, (4, 60)))
    for block in rng.poisson(2.0, (8, 60)).T.astype(float):
        found = found.add({f"pod-{number}": (count, 1000.0) for number, count in enumerate(block)})

    assert learn(found, Table()).dispersion.phi < 1.2


def test_sparse_pods_share_one_table():
    """Pods with less than a request per block are there all the while, though most blocks miss them."""
    rng = np.random.default_rng(14)
    found = Table()
    for _ in range(60):
        requests = rng.poisson(0.8, 16).astype(float)
        found = found.add({f"pod-{n}": (float(rng.binomial(int(x), 0.1)), x) for n, x in enumerate(requests)})

    assert learn(found, Table()).phi_weight > 30


@settings(max_examples=50)
@given(EVENTS, EVENTS)
def test_whatever_comes_the_noise_is_a_number(baseline, canary):
    """Phi is at least 1, tau at least 0, and both are finite: `Dispersion` accepts them."""
    found = learn(table(baseline, 3.0), table(canary, 3.0)).dispersion

    assert np.isfinite([found.phi, found.tau]).all()


def test_pods_are_counted_over_all_chapters():
    """A pod that came and one that stayed: totals go on where the table begins anew."""
    first = Table().add({"stays": (1.0, 10.0), "goes": (2.0, 20.0)})
    found = first.add({"stays": (3.0, 30.0), "comes": (4.0, 40.0)})

    assert found.totals == {"stays": (4.0, 40.0), "goes": (2.0, 20.0), "comes": (4.0, 40.0)}
    assert found.events == 10.0


def test_it_does_not_matter_in_which_order_pods_come():
    """Nor that one of them, seldom asked, is not there."""
    rng = np.random.default_rng(15)
    blocks = [
        {f"pod-{n}": (float(rng.binomial(2, 0.2)), float(rng.poisson(2.0))) for n in range(5)}
        for _ in range(20)
    ]
    ours, theirs = Table(), Table()
    for block in blocks:
        ours = ours.add(block)
        theirs = theirs.add(dict(reversed(block.items())))

    assert dict(ours.totals) == dict(theirs.totals)
    assert learn(ours, Table()) == learn(theirs, Table())


def test_silence_tells_nothing():
    """No requests, no table; a lone pod without errors, no clumps."""
    lone = Table().add({"pod": (0.0, 10.0)}).add({"pod": (0.0, 10.0)})

    assert lone.add({"pod": (0.0, 0.0)}) is lone
    assert learn(lone, Table()) == Learnt(requests=20.0)
    assert learn(Table(), lone) == Learnt()


def test_the_usual_rate_is_that_of_all_evidence_at_most():
    """Of no error in 1,000 requests, three are taken for granted; many errors are what they are."""
    calm, busy = Learnt(requests=1000.0), Learnt(events=1e4, requests=1e6)

    assert Learnt().usual_rate is None
    assert calm.usual_rate == 0.003
    assert (calm + busy).usual_rate == pytest.approx(0.01, rel=0.01)
