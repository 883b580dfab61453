"""One-look Fisher: exact rational arithmetic, scipy, a published table, properties, size."""

import math
import sys
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.fisher import fisher_exact, fisher_exact_many


def rational_tail(b: int, n_b: int, c: int, n_c: int) -> Fraction:
    """P(canary's events ≥ c) with all margins held, without rounding."""
    events = b + c
    ways = [math.comb(n_c, k) * math.comb(n_b, events - k) for k in range(c, min(events, n_c) + 1)]
    return Fraction(sum(ways), math.comb(n_b + n_c, events))


def rational_tail_above(b: int, n_b: int, c: int, n_c: int) -> Fraction:
    """P(canary's events > c) likewise."""
    return rational_tail(b - 1, n_b, c + 1, n_c) if b else Fraction(0)


def decimal_tail(b: int, n_b: int, c: int, n_c: int) -> float:
    """The same in sixty digits, for tables whose binomials have millions of them."""
    events = b + c
    with localcontext() as context:
        context.prec = 60
        weight, upper, total = Decimal(1), Decimal(0), Decimal(0)
        for k in range(max(0, events - n_b), min(events, n_c) + 1):
            total += weight
            upper += weight if k >= c else 0
            weight = weight * ((n_c - k) * (events - k)) / ((k + 1) * (n_b - events + k + 1))
        return float(upper / total)


def grid(seed: int, count: int, *, largest: float) -> np.ndarray:
    """(tables, 4) with sizes and rates over all orders of magnitude."""
    rng = np.random.default_rng(seed)
    n_b, n_c = np.exp(rng.uniform(0, math.log(largest), (2, count))).astype(int)
    rates = rng.beta(0.3, 3, count)
    b, c = rng.binomial(n_b, rates), rng.binomial(n_c, np.minimum(1, rates * rng.choice([0.3, 1, 3], count)))
    return np.column_stack((b, n_b, c, n_c))


@st.composite
def tables(draw, largest=400):
    n_b, n_c = draw(st.integers(0, largest)), draw(st.integers(0, largest))
    return draw(st.integers(0, n_b)), n_b, draw(st.integers(0, n_c)), n_c


def test_the_lady_tasting_tea():
    """Fisher's own example: three of four cups right has chance 17/70."""
    looked = fisher_exact(1, 4, 3, 4)

    assert looked.p_value == pytest.approx(17 / 70, rel=1e-14)


def test_mid_p_counts_half_of_what_was_seen():
    """For the tea, 1/70 for four right and half of 16/70 for three."""
    looked = fisher_exact(1, 4, 3, 4)

    assert looked.mid_p == pytest.approx(9 / 70, rel=1e-14)


@given(tables())
@settings(deadline=None, max_examples=150)
def test_twelve_digits_agree_with_rational_arithmetic(table):
    """On any small table, tails down to 1e-200 included."""
    exact = float(rational_tail(*table))

    assert fisher_exact(*table).p_value == pytest.approx(exact, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    "table",
    [(300, 20_000, 120, 5_000), (40, 100_000, 30, 1_000), (900, 3_000, 340, 1_000), (0, 5_000, 90, 300)],
)
def test_twelve_digits_agree_on_large_tables(table):
    """Where scipy takes hundreds of microseconds and loses digits."""
    exact = float(rational_tail(*table))

    assert fisher_exact(*table).p_value == pytest.approx(exact, rel=1e-12)


def test_nine_digits_agree_with_scipy():
    """Over a seeded grid of tables as canaries bring them."""
    rng = np.random.default_rng(20240501)
    for _ in range(300):
        n_b, n_c = (int(n) for n in np.exp(rng.uniform(0, 10, 2)))
        b, c = int(rng.integers(0, n_b // 5 + 2)), int(rng.integers(0, n_c // 5 + 2))
        b, c = min(b, n_b), min(c, n_c)
        table = [[c, n_c - c], [b, n_b - b]]

        assert fisher_exact(b, n_b, c, n_c).p_value == pytest.approx(
            scipy.stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9, abs=1e-290
        )


def test_twelve_digits_agree_over_a_random_grid():
    """Three hundred tables of up to three thousand requests an arm; p and mid-p."""
    for table in grid(20240502, 300, largest=3000).tolist():
        exact = rational_tail(*table)
        own = exact - rational_tail_above(*table)
        looked = fisher_exact(*table)

        assert looked.p_value == pytest.approx(float(exact), rel=1e-12, abs=1e-300)
        assert looked.mid_p == pytest.approx(float(exact - own / 2), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    "table",
    [(20_566, 16_521_062, 213, 7_238), (37_144, 5_385_873, 177, 9_320), (4_905, 65_177, 72_255, 727_500)],
)
def test_twelve_digits_agree_where_scipy_loses_them(table):
    """Far tails of large tables, where scipy's own are off by 1e-10 to 2e-9."""
    assert fisher_exact(*table).p_value == pytest.approx(decimal_tail(*table), rel=1e-12)


def test_nine_digits_agree_with_scipy_where_it_is_slow():
    """Tables of up to ten million requests; where scipy itself is further off, sixty digits decide."""
    apart = []
    for b, n_b, c, n_c in grid(20240503, 150, largest=1e7).tolist():
        theirs = scipy.stats.fisher_exact([[c, n_c - c], [b, n_b - b]], alternative="greater").pvalue
        ours = fisher_exact(b, n_b, c, n_c).p_value
        if theirs > 1e-290 and ours != pytest.approx(theirs, rel=1e-9):
            apart.append((b, n_b, c, n_c))

    assert len(apart) <= 2
    for table in (one for one in apart if sum(one[::2]) < 30_000):
        assert fisher_exact(*table).p_value == pytest.approx(decimal_tail(*table), rel=1e-12)


@given(tables())
@settings(deadline=None)
def test_less_is_greater_with_the_arms_exchanged(table):
    """Asking whether the canary is better is asking whether the baseline is worse."""
    b, n_b, c, n_c = table

    less = fisher_exact(b, n_b, c, n_c, alternative="less").p_value
    assert less == fisher_exact(c, n_c, b, n_b).p_value


@given(tables())
@settings(deadline=None)
def test_another_canary_error_never_raises_p(table):
    """The test is monotone in the canary's errors."""
    b, n_b, c, n_c = table
    worse = fisher_exact(b, n_b, c + 1, n_c + 1).p_value

    assert worse <= fisher_exact(b, n_b, c, n_c + 1).p_value * (1 + 1e-12)


@given(tables(largest=10**7))
@settings(deadline=None, max_examples=60)
def test_every_number_is_a_probability(table):
    """No NaN, no zero, nothing above one, however large the table."""
    looked = fisher_exact(*table)

    assert 0 < looked.p_value <= 1
    assert 0 < looked.mid_p <= 1
    assert 0 < looked.interval[0] < looked.odds_ratio < looked.interval[1] < math.inf


def test_the_impossible_is_almost_zero():
    """A tail too small for a float is the smallest one, not zero."""
    assert fisher_exact(0, 10**6, 10**4, 10**4).p_value == sys.float_info.min


def test_far_below_expectation_p_is_one():
    """A canary with none of a million errors is as innocent as can be."""
    assert fisher_exact(10**6, 10**7, 0, 10**7).p_value == 1.0


@pytest.mark.parametrize("table", [(3, 10, 0, 0), (0, 0, 3, 10), (0, 10, 0, 10), (0, 0, 0, 0)])
def test_an_empty_arm_proves_nothing(table):
    """Without requests or errors in an arm p is one."""
    assert fisher_exact(*table).p_value == 1.0


def test_fractions_of_an_error_are_rounded():
    """Counter increases of 2.4 and 7.6 are 2 and 8."""
    assert fisher_exact(2.4, 100, 7.6, 99.5) == fisher_exact(2, 100, 8, 100)


def test_odds_ratio_of_a_textbook_table():
    """With 1/2 added: 10/90 against 5/95 is (10.5 · 95.5) / (90.5 · 5.5), spread by the logit's error."""
    looked = fisher_exact(5, 100, 10, 100)
    ratio = 10.5 * 95.5 / (90.5 * 5.5)
    spread = math.exp(1.959963984540054 * math.sqrt(1 / 10.5 + 1 / 95.5 + 1 / 90.5 + 1 / 5.5))

    assert looked.odds_ratio == pytest.approx(ratio)
    assert looked.interval == pytest.approx((ratio / spread, ratio * spread))


@pytest.mark.parametrize(
    "table", [(-1, 10, 0, 10), (0, math.nan, 0, 10), (0, 10, math.inf, 10), (0, 10, 11, 10)]
)
def test_impossible_counts_are_refused(table):
    """Negative, unknown or endless counts, and more errors than requests, are broken input."""
    with pytest.raises(ValueError, match="expected"):
        fisher_exact(*table)


@pytest.mark.simulation
def test_the_size_is_what_enumeration_says():
    """At n 50 and 950 and a common rate of 1 %, one look at 5 % fires in at most 5 % of good releases."""
    rng = np.random.default_rng(7)
    b, c = rng.binomial(950, 0.01, 4000), rng.binomial(50, 0.01, 4000)
    fired = np.mean([fisher_exact(x, 950, y, 50).p_value <= 0.05 for x, y in zip(b, c, strict=True)])

    assert 0.005 < fired < 0.05


@pytest.mark.simulation
def test_the_interval_covers():
    """The odds ratio's interval holds the truth in about 95 % of samples."""
    rng = np.random.default_rng(8)
    b, c = rng.binomial(2000, 0.02, 2000), rng.binomial(500, 0.04, 2000)
    truth = 0.04 / 0.96 / (0.02 / 0.98)
    bounds = np.array([fisher_exact(x, 2000, y, 500).interval for x, y in zip(b, c, strict=True)])

    assert 0.935 < np.mean((bounds[:, 0] < truth) & (truth < bounds[:, 1])) < 0.97


@given(st.lists(tables(), min_size=1, max_size=12), st.sampled_from(["greater", "less"]))
@settings(deadline=None)
def test_many_tables_are_each_judged_alone(several, alternative):
    """The batch says of each table what a look at it says, to twelve digits."""
    together = fisher_exact_many(*np.transpose(several), alternative=alternative)
    alone = [fisher_exact(*table, alternative=alternative) for table in several]

    assert together.p_value == pytest.approx([one.p_value for one in alone], rel=1e-12, abs=1e-290)
    assert together.mid_p == pytest.approx([one.mid_p for one in alone], rel=1e-12, abs=1e-290)
    assert together.odds_ratio == pytest.approx([one.odds_ratio for one in alone], rel=1e-12)
    assert together.lower == pytest.approx([one.interval[0] for one in alone], rel=1e-12)
    assert together.upper == pytest.approx([one.interval[1] for one in alone], rel=1e-12)


def test_many_tables_agree_with_rational_arithmetic():
    """Twelve digits, over a grid of tables of up to two thousand requests an arm."""
    several = grid(20240504, 300, largest=2000)
    exact = [float(rational_tail(*table)) for table in several.tolist()]

    assert fisher_exact_many(*several.T).p_value == pytest.approx(exact, rel=1e-12, abs=1e-290)


def test_many_large_tables_agree_with_one_look():
    """Up to ten million requests, all in one call, whatever their sizes."""
    several = grid(20240505, 400, largest=1e7)
    alone = [fisher_exact(*table).p_value for table in several.tolist()]

    assert fisher_exact_many(*several.T).p_value == pytest.approx(alone, rel=1e-11, abs=1e-290)


@given(st.lists(tables(largest=10**5), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_many_chances_are_chances(several):
    """No NaN, no zero, nothing above one."""
    looked = fisher_exact_many(*np.transpose(several))

    assert ((looked.p_value > 0) & (looked.p_value <= 1)).all()
    assert ((looked.mid_p > 0) & (looked.mid_p <= 1)).all()
    assert ((looked.lower < looked.odds_ratio) & (looked.odds_ratio < looked.upper)).all()


def test_more_tables_than_fit_the_cache():
    """Chunks are joined in order, and a number stands for all tables."""
    looked = fisher_exact_many(np.arange(20_000) % 7, 1000, 5, 100.0)

    assert looked.p_value.shape == (20_000,)
    assert looked.p_value[[3, 13_003, 19_999]] == pytest.approx(
        [fisher_exact(at % 7, 1000, 5, 100).p_value for at in (3, 13_003, 19_999)]
    )


def test_no_tables_have_no_answers():
    """Nothing in, nothing out."""
    assert fisher_exact_many([], [], [], []).p_value.size == 0


@pytest.mark.parametrize(
    "several",
    [([1, 3], 10, [0, 11], 10), (0, [10, -1], 0, 10), (0, [10, math.nan], 0, 10), (0, math.inf, 0, 1)],
)
def test_impossible_tables_are_named(several):
    """The message says which one."""
    with pytest.raises(ValueError, match=r"in table [01], expected"):
        fisher_exact_many(*several)


@pytest.mark.simulation
def test_mid_p_and_p_of_many_tables_have_the_published_sizes():
    """At n 50 and 950, 5 %, 1 %: Fisher's size is 3.8 %, mid-p's 4.9 % at the worst common rate."""
    rng, runs = np.random.default_rng(9), 200_000
    sizes = [
        [float(np.mean(chances <= 0.05)) for chances in (looked.p_value, looked.mid_p)]
        for rate in (0.005, 0.01, 0.02, 0.05)
        for looked in [
            fisher_exact_many(rng.binomial(950, rate, runs), 950, rng.binomial(50, rate, runs), 50)
        ]
    ]

    assert max(size for size, _ in sizes) == pytest.approx(0.03, abs=0.012)
    assert 0.035 < max(size for _, size in sizes) < 0.052
