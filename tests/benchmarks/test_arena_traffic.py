"""Made-up releases are what their cells say."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from arena import noise, traffic
from arena.cells import RAMP, Cell, Fault, Kind, Onset

TENFOLD = Fault(Kind.ERRORS, 10.0)


def made(cell, number=0, seed=1):
    return traffic.release(cell, traffic.generator(cell, seed, number))


def rate(errors, requests):
    return errors.sum() / requests.sum()


def canary(table, one):
    return table[:, :, one.mains :]


def main(table, one):
    return table[:, :, : one.mains]


@pytest.mark.parametrize("kind", [noise.NONE, noise.PODS, noise.BURSTS, noise.STICKY, noise.DRIFTING])
def test_noise_leaves_the_rate_as_it_is(kind):
    """However errors clump and drift, in the long run as many requests fail in both arms as the cell says."""
    cell = Cell(kind, 1_000_000.0)
    many = [made(cell, number) for number in range(6)]
    arms = [
        rate(
            np.stack([part(one.errors, one)[:, :10] for one in many]),
            np.stack([part(one.requests, one)[:, :10] for one in many]),
        )
        for part in (main, canary)
    ]

    assert arms == pytest.approx([0.01, 0.01], rel=0.12)


def test_bursts_have_five_times_the_variance():
    """Geometric batches of mean three have (2 - 1/3) * 3 = 5 times the variance of lone errors."""
    rng = np.random.default_rng(3)
    batches = replace(noise.NONE, batch=3.0)
    errors, _ = noise.draw(batches, np.array(1_000.0), np.full(40_000, 0.01), rng)

    assert errors.var() / errors.mean() == pytest.approx(5.0, rel=0.05)


def test_pods_differ_as_stated():
    """The pods' error rates have a coefficient of variation of 0.3."""
    factors = noise.factors(noise.PODS, (1, 100, 100), np.random.default_rng(4))

    assert factors.std() / factors.mean() == pytest.approx(0.3, rel=0.03)


def test_a_user_fails_with_all_requests():
    """Sticky users bring errors and requests by the ten."""
    one = made(Cell(noise.STICKY))

    assert not (one.errors % 10).any()
    assert not (one.requests % 10).any()


def test_a_drift_forgets_half_in_ten_minutes():
    """Logarithms of a pod's drift correlate by one half over twenty blocks."""
    places = np.log(noise.drift(0.6, noise.POD_MEMORY, (400, 2_000), np.random.default_rng(5)))

    assert np.corrcoef(places[100], places[120])[0, 1] == pytest.approx(0.5, abs=0.06)


def test_a_spell_takes_two_minutes_and_one_pod():
    """Every tenth pod has one, of four blocks, unless the hour ends first."""
    struck = noise.spells(noise.SPELLS, 120, 5_000, np.random.default_rng(6))
    lengths = struck.sum(axis=0)

    assert (lengths > 0).mean() == pytest.approx(0.1, abs=0.015)
    assert set(lengths) <= {0, 1, 2, 3, 4}


def test_a_spell_hits_all_checks_of_its_pod():
    """A fifth of what the pod serves fails, in checks of 1 % as in those of 0.1 %."""
    cell = Cell(replace(noise.SPELLS, spells=1.0), 1_000_000.0)
    one = made(cell)
    ill = (one.errors / one.requests)[:, :, 0] > 0.1

    assert ill.any()
    assert (ill == ill[:, :1]).all()


def test_a_fault_hits_one_check_of_the_canary():
    """Ten times the errors in the faulty check, nothing elsewhere."""
    cell = Cell(requests=1_000_000.0, fault=TENFOLD)
    one = made(cell)
    errors, requests = (canary(table, one).sum(axis=(0, 2)) for table in (one.errors, one.requests))

    assert errors[0] / requests[0] == pytest.approx(0.1, rel=0.05)
    assert errors[1:10] / requests[1:10] == pytest.approx(0.01, rel=0.1)
    assert rate(main(one.errors, one), main(one.requests, one)) == pytest.approx(0.0055, rel=0.05)


@pytest.mark.parametrize("onset", [Onset.MINUTE_20, Onset.AFTER])
def test_a_late_fault_begins_late(onset):
    """Before its onset the canary is as good as main."""
    cell = Cell(requests=1_000_000.0, fault=TENFOLD, onset=onset)
    one = made(cell)
    ratios = canary(one.errors, one)[:, 0].sum(axis=1) / canary(one.requests, one)[:, 0].sum(axis=1)

    assert ratios[: onset.block].mean() == pytest.approx(0.01, rel=0.05)
    assert ratios[onset.block :].mean() == pytest.approx(0.1, rel=0.05)


def test_all_failing_means_all():
    """Every canary request of the faulty check fails, batches or not."""
    one = made(Cell(noise.BURSTS, fault=Fault(Kind.ERRORS, inf)))

    assert (canary(one.errors, one)[:, 0] == canary(one.requests, one)[:, 0]).all()


def test_lost_traffic_is_lost_from_its_onset():
    """The canary gets requests until then and none after it."""
    one = made(Cell(fault=Fault(Kind.LOST), onset=Onset.MINUTE_20))
    requests = canary(one.requests, one).sum(axis=(1, 2))

    assert (requests[:40] > 0).all()
    assert not requests[40:].any()


def test_a_ramp_gives_the_canary_its_share_and_its_pods():
    """5, 20 and 50 % of requests go to 1, 4 and 10 of twenty pods."""
    one = made(Cell(requests=100_000.0, ramp=True))
    thirds = np.split(one.requests.sum(axis=1), 3)
    shares = [third[:, one.mains :].sum() / third.sum() for third in thirds]
    pods = [(third.sum(axis=0) > 0)[one.mains :].sum() for third in thirds]

    assert shares == pytest.approx(RAMP, rel=0.02)
    assert pods == [1, 4, 10]


def test_a_ramp_ends_with_trouble_for_everybody():
    """In the last step both versions fail three times as often."""
    one = made(Cell(requests=1_000_000.0, ramp=True))
    first, last = (
        rate(main(one.errors, one)[blocks], main(one.requests, one)[blocks])
        for blocks in (slice(0, 40), slice(80, 120))
    )

    assert last / first == pytest.approx(3.0, rel=0.05)


def test_latencies_are_what_the_cell_says():
    """Half of the healthy requests take up to 80 ms, two in a hundred a second more where they wait."""
    cell = Cell(noise.LATENCY, 1_000_000.0, Fault(Kind.WAITING, 0.02), histograms=4)
    one = made(cell)
    arms = [part.sum(axis=(0, 2)) for part in (main(one.buckets, one), canary(one.buckets, one))]
    above = [arm[0, traffic.BOUNDS > 1.0].sum() / arm[0].sum() for arm in arms]

    assert arms[0][0, :4].sum() / arms[0][0].sum() == pytest.approx(0.27, abs=0.1)
    assert above[1] - above[0] == pytest.approx(0.02, abs=0.002)


def test_a_release_depends_on_seed_cell_and_number_alone():
    """Played again it is the same, another number is another release."""
    cell = Cell(noise.BURSTS)
    first, again, other = made(cell, 7), made(cell, 7), made(cell, 8)

    assert (first.errors == again.errors).all()
    assert (first.errors != other.errors).any()


def test_history_is_of_the_same_noise():
    """Six hours of twenty pods, as many requests and errors as the cell says."""
    cell = Cell(noise.PODS, 1_000_000.0)
    errors, requests = traffic.history(cell, np.random.default_rng(9))

    assert errors.shape == (12, 20, 20)
    assert requests.sum() == pytest.approx(12 * 20 * 1_000_000, rel=0.01)
    assert rate(errors[:, :10], requests[:, :10]) == pytest.approx(0.01, rel=0.1)


def test_only_failing_requests_of_the_faulty_check_count_as_served():
    """They are the canary's errors in it, block by block."""
    cell = Cell(fault=TENFOLD)
    one = made(cell)

    assert (traffic.failing(cell, one) == canary(one.errors, one)[:, 0].sum(axis=1)).all()
